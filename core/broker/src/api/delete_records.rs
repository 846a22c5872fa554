//! `DeleteRecords` (key 21), versions 0-2.
//!
//! Behaviour: moves the start of a partition's log to an offset, -1 for its high watermark. Answers with the new start. Segments below it
//! go with the next round of retention. An offset past the high watermark is `OFFSET_OUT_OF_RANGE`; one before the start changes nothing.
//!
//! Notes: as in Kafka only a topic with `cleanup.policy=delete` allows it (`POLICY_VIOLATION`). The new start is checkpointed before the
//! answer, so a crash does not bring the records back.

use headwater_env::Env;
use headwater_log::CheckpointKind;
use headwater_metadata::is_internal_topic;
use headwater_protocol::delete_records_request::DeleteRecordsPartition;
use headwater_protocol::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use headwater_protocol::{DeleteRecordsRequest, DeleteRecordsResponse, ErrorCode};
use headwater_record::Offset;
use uuid::Uuid;

use super::{errors, lookup};
use crate::RequestContext;
use crate::state::State;
use crate::topics::Topic;

const HIGH_WATERMARK: i64 = -1;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut answers = Vec::new();
    for topic in request.topics {
        let found = lookup::topic(state, &topic.name, Uuid::nil());
        let delete = |wanted: &DeleteRecordsPartition| match &found {
            Ok(topic) => delete(state, topic, wanted),
            Err(code) => Err(*code),
        };
        let partitions = topic
            .partitions
            .iter()
            .map(|wanted| (wanted.partition_index, delete(wanted)))
            .collect::<Vec<_>>();
        answers.push((topic.name, partitions));
    }
    let durable = state
        .checkpoint(CheckpointKind::LogStartOffset)
        .map_err(|error| {
            tracing::error!(%error, "the new log start offsets were not written down");
            ErrorCode::KafkaStorageError
        });
    let topics = answers
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopicResult {
            name,
            partitions: partitions
                .into_iter()
                .map(|(index, start)| respond(index, durable.and(start)))
                .collect(),
            ..DeleteRecordsTopicResult::default()
        });
    DeleteRecordsResponse {
        topics: topics.collect(),
        ..DeleteRecordsResponse::default()
    }
}

fn delete<E: Env>(
    state: &State<E>,
    topic: &Topic<E>,
    wanted: &DeleteRecordsPartition,
) -> Result<Offset, ErrorCode> {
    let partition = lookup::partition(topic, wanted.partition_index)?;
    partition
        .check_leader(None)
        .map_err(|error| errors::leader_code(state, &error))?;
    if is_internal_topic(&topic.name) {
        return Err(ErrorCode::InvalidTopicException);
    }
    if !partition.config().cleanup_policy.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    let high_watermark = partition.high_watermark();
    let before = match wanted.offset {
        HIGH_WATERMARK => high_watermark,
        offset if offset < 0 || offset > high_watermark.get() => {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        offset => Offset::new(offset),
    };
    partition.delete_records(before).map_err(|error| {
        tracing::error!(topic = %topic.name, partition = %partition.id, %error, "records could not be deleted");
        errors::change_code(&error)
    })
}

fn respond(partition_index: i32, start: Result<Offset, ErrorCode>) -> DeleteRecordsPartitionResult {
    let (low_watermark, code) = match start {
        Ok(start) => (start.get(), ErrorCode::None),
        Err(code) => (-1, code),
    };
    DeleteRecordsPartitionResult {
        partition_index,
        low_watermark,
        error_code: code.code(),
        ..DeleteRecordsPartitionResult::default()
    }
}
