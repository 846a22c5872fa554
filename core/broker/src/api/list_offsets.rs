//! `ListOffsets` (key 2), versions 1-11.
//!
//! Behaviour: for each partition the offset at a timestamp (the first record, by offset, that is not older), or at one of Kafka's
//! special ones: -1 latest, -2 earliest, -3 the record with the greatest timestamp, -4 earliest on this machine, -5 latest in remote
//! storage, -6 earliest not yet in remote storage. A timestamp later than every record gives offset -1.
//!
//! Notes: "latest" is the high watermark, or the last stable offset for `read_committed`. There is no remote storage, so -4 and -6 are -2
//! and -5 is nothing.

use headwater_env::Env;
use headwater_log::RecordPosition;
use headwater_protocol::list_offsets_request::ListOffsetsPartition;
use headwater_protocol::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use headwater_protocol::{ErrorCode, ListOffsetsRequest, ListOffsetsResponse};
use headwater_record::{DecompressLimit, LeaderEpoch, Offset};
use uuid::Uuid;

use super::{errors, lookup};
use crate::RequestContext;
use crate::partition::{Isolation, Partition};
use crate::state::State;
use crate::topics::Topic;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_REMOTE: i64 = -5;
const EARLIEST_NOT_REMOTE: i64 = -6;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let isolation = if request.isolation_level == 1 {
        Isolation::ReadCommitted
    } else {
        Isolation::ReadUncommitted
    };
    let topics = request.topics.into_iter().map(|topic| {
        let found = lookup::topic(state, &topic.name, Uuid::nil());
        let partitions = topic.partitions.iter().map(|wanted| match &found {
            Ok(topic) => answer(state, topic, wanted, isolation),
            Err(code) => Err(*code),
        });
        let partitions = partitions
            .zip(&topic.partitions)
            .map(|(answer, wanted)| respond(wanted.partition_index, answer));
        ListOffsetsTopicResponse {
            partitions: partitions.collect(),
            name: topic.name,
            ..ListOffsetsTopicResponse::default()
        }
    });
    ListOffsetsResponse {
        topics: topics.collect(),
        ..ListOffsetsResponse::default()
    }
}

/// An offset, and for a record that was searched its time.
#[derive(Debug, Clone, Copy)]
struct Listed {
    offset: Offset,
    timestamp_ms: Option<i64>,
    leader_epoch: LeaderEpoch,
}

fn answer<E: Env>(
    state: &State<E>,
    topic: &Topic<E>,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<Option<Listed>, ErrorCode> {
    let partition = lookup::partition(topic, wanted.partition_index)?;
    let believed = lookup::believed_epoch(wanted.current_leader_epoch);
    let leadership = partition
        .check_leader(believed)
        .map_err(|error| errors::leader_code(state, &error))?;
    let at = |offset| {
        Some(Listed {
            offset,
            timestamp_ms: None,
            leader_epoch: leadership.leader_epoch,
        })
    };
    match wanted.timestamp {
        LATEST => Ok(at(partition.readable_end(isolation))),
        EARLIEST | EARLIEST_LOCAL | EARLIEST_NOT_REMOTE => {
            Ok(at(partition.log().log_start_offset()))
        }
        LATEST_REMOTE => Ok(None),
        MAX_TIMESTAMP => search(&partition, isolation, || {
            partition
                .log()
                .offset_of_max_timestamp(DecompressLimit::default())
        }),
        timestamp_ms if timestamp_ms >= 0 => search(&partition, isolation, || {
            partition
                .log()
                .offset_for_timestamp(timestamp_ms, DecompressLimit::default())
        }),
        _ => Err(ErrorCode::InvalidRequest),
    }
}

/// A record that was searched for counts only if the reader may see it.
fn search<E: Env>(
    partition: &Partition<E>,
    isolation: Isolation,
    find: impl FnOnce() -> Result<Option<RecordPosition>, headwater_log::ReadError>,
) -> Result<Option<Listed>, ErrorCode> {
    let found = find().map_err(|error| {
        tracing::error!(topic = %partition.topic, partition = %partition.id, %error, "a search by time failed");
        errors::read_code(&error)
    })?;
    let visible = found.filter(|position| position.offset < partition.readable_end(isolation));
    Ok(visible.map(|position| Listed {
        offset: position.offset,
        timestamp_ms: Some(position.timestamp_ms),
        leader_epoch: position.leader_epoch,
    }))
}

fn respond(
    partition_index: i32,
    answer: Result<Option<Listed>, ErrorCode>,
) -> ListOffsetsPartitionResponse {
    let nothing = ListOffsetsPartitionResponse {
        partition_index,
        error_code: ErrorCode::None.code(),
        timestamp: -1,
        offset: -1,
        leader_epoch: -1,
        ..ListOffsetsPartitionResponse::default()
    };
    match answer {
        Ok(Some(listed)) => ListOffsetsPartitionResponse {
            timestamp: listed.timestamp_ms.unwrap_or(-1),
            offset: listed.offset.get(),
            leader_epoch: listed.leader_epoch.get(),
            ..nothing
        },
        Ok(None) => nothing,
        Err(code) => ListOffsetsPartitionResponse {
            error_code: code.code(),
            ..nothing
        },
    }
}
