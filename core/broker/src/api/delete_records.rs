//! `DeleteRecords` (key 21), versions 0-2.
//!
//! Behaviour: moves the log start offset of a partition; -1 moves it to the high watermark. Returns the new log start
//! offset. The next retention run deletes the segments below it. An offset above the high watermark is
//! `OFFSET_OUT_OF_RANGE`; an offset below the log start changes nothing.
//!
//! Notes: as in Kafka the topic must have `cleanup.policy=delete` (`POLICY_VIOLATION`). The new start is checkpointed
//! before it is visible to readers, so a crash does not restore the records, and a failed request changes nothing.

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::ChangeError;
use headwater_metadata::is_internal_topic;
use headwater_protocol::delete_records_request::DeleteRecordsPartition;
use headwater_protocol::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use headwater_protocol::{DeleteRecordsRequest, DeleteRecordsResponse, ErrorCode};
use headwater_record::Offset;
use uuid::Uuid;

use super::support::{errors, lookup};
use crate::RequestContext;
use crate::partition::Partition;
use crate::partitions::Partitions;
use crate::partitions::Topic;

const HIGH_WATERMARK: i64 = -1;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    _context: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut moves = Vec::new();
    let mut answers = Vec::new();
    for topic in request.topics {
        let found = lookup::topic(partitions, &topic.name, Uuid::nil());
        let mut check = |wanted: &DeleteRecordsPartition| match &found {
            Ok(topic) => check(partitions, topic, wanted).map(|target| {
                moves.push(target);
                moves.len() - 1
            }),
            Err(code) => Err(*code),
        };
        let partitions = topic
            .partitions
            .iter()
            .map(|wanted| (wanted.partition_index, check(wanted)))
            .collect::<Vec<_>>();
        answers.push((topic.name, partitions));
    }
    let starts = move_starts(partitions, &moves);
    let topics = answers
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopicResult {
            name,
            partitions: partitions
                .into_iter()
                .map(|(index, checked)| respond(index, checked.and_then(|at| starts[at])))
                .collect(),
            ..DeleteRecordsTopicResult::default()
        });
    DeleteRecordsResponse {
        topics: topics.collect(),
        ..DeleteRecordsResponse::default()
    }
}

/// Moves the log start offsets; the results are in the order of `moves`.
fn move_starts<E: Env>(
    partitions: &Partitions<E>,
    moves: &[(Arc<Partition<E>>, Offset)],
) -> Vec<Result<Offset, ErrorCode>> {
    if moves.is_empty() {
        return Vec::new();
    }
    let starts = match partitions.move_log_starts(moves) {
        Ok(starts) => starts,
        Err(error) => {
            tracing::error!(%error, "the new log start offsets could not be written; no record was deleted");
            return vec![Err(ErrorCode::KafkaStorageError); moves.len()];
        }
    };
    let code = |(start, (partition, _)): (Result<Offset, ChangeError>, &(Arc<Partition<E>>, _))| {
        start.map_err(|error| {
            tracing::error!(topic = %partition.topic, partition = %partition.id, %error, "records could not be deleted");
            errors::change_code(&error)
        })
    };
    starts.into_iter().zip(moves).map(code).collect()
}

/// Looks up the partition and its new log start offset.
fn check<E: Env>(
    partitions: &Partitions<E>,
    topic: &Topic<E>,
    wanted: &DeleteRecordsPartition,
) -> Result<(Arc<Partition<E>>, Offset), ErrorCode> {
    let partition = lookup::partition(topic, wanted.partition_index)?;
    partition
        .check_leader(None)
        .map_err(|error| errors::leader_code(partitions, &error))?;
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
    if partition.log().poisoned().is_some() {
        return Err(ErrorCode::KafkaStorageError);
    }
    Ok((partition, before))
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
