//! `ListOffsets` (key 2), versions 1-11.
//!
//! Behaviour: for each partition the offset for a timestamp (the first record, by offset, that is not older), or for
//! one of Kafka's special timestamps: -1 latest, -2 earliest, -3 the record with the greatest timestamp (from version 7
//! on), -4 earliest local (8), -5 latest tiered (9), -6 earliest pending upload (11). A timestamp later than every
//! record gives offset -1.
//!
//! Notes: "latest" is the high watermark, or the last stable offset for `read_committed`. There is no remote storage,
//! so -4 equals -2, and -5 and -6 give offset -1. A repeated partition is `INVALID_REQUEST`. Versions before 4 have no
//! leader epochs in the response.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{ReadError, RecordPosition};
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use headwater_protocol::{ErrorCode, ListOffsetsRequest, ListOffsetsResponse, Str};
use headwater_record::{BatchError, DecompressError, DecompressLimit, LeaderEpoch, Offset};
use uuid::Uuid;

use super::support::{errors, lookup};
use crate::RequestContext;
use crate::memory::{RequestMemory, USUAL_DECOMPRESSION};
use crate::partition::{Isolation, Partition};
use crate::partitions::{Partitions, Topic};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_REMOTE: i64 = -5;
const EARLIEST_NOT_REMOTE: i64 = -6;

/// The first version with leader epochs in the response.
const LEADER_EPOCHS_SINCE: i16 = 4;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    memory: &Arc<RequestMemory>,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let isolation = if request.isolation_level == 1 {
        Isolation::ReadCommitted
    } else {
        Isolation::ReadUncommitted
    };
    let twice = repeated(&request.topics);
    let topics = request.topics.into_iter().map(|topic| {
        let found = lookup::topic(partitions, &topic.name, Uuid::nil());
        let partitions = topic.partitions.iter().map(|wanted| {
            if twice.contains(&(topic.name.clone(), wanted.partition_index)) {
                return Err(ErrorCode::InvalidRequest);
            }
            check_timestamp(context, wanted.timestamp)?;
            answer(
                (partitions, memory),
                found.as_ref().map_err(|code| *code)?,
                wanted,
                isolation,
            )
        });
        let partitions = partitions.zip(&topic.partitions).map(|(answer, wanted)| {
            let mut response = respond(wanted.partition_index, answer);
            if !context.is_at_least(LEADER_EPOCHS_SINCE) {
                response.leader_epoch = -1;
            }
            response
        });
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

fn repeated(topics: &[ListOffsetsTopic]) -> HashSet<(Str, i32)> {
    let mut seen = HashSet::new();
    let all = topics.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|wanted| (topic.name.clone(), wanted.partition_index))
    });
    all.filter(|named| !seen.insert(named.clone())).collect()
}

/// Checks that the version supports the special timestamp.
fn check_timestamp(context: &RequestContext, timestamp: i64) -> Result<(), ErrorCode> {
    let since = match timestamp {
        LATEST | EARLIEST => 1,
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_REMOTE => 9,
        EARLIEST_NOT_REMOTE => 11,
        timestamp if timestamp >= 0 => return Ok(()),
        _ => return Err(ErrorCode::UnsupportedVersion),
    };
    if context.is_at_least(since) {
        Ok(())
    } else {
        Err(ErrorCode::UnsupportedVersion)
    }
}

/// An offset, with the timestamp of the record if one was searched.
#[derive(Debug, Clone, Copy)]
struct ListedOffset {
    offset: Offset,
    timestamp_ms: Option<i64>,
    leader_epoch: LeaderEpoch,
}

fn answer<E: Env>(
    (partitions, memory): (&Partitions<E>, &Arc<RequestMemory>),
    topic: &Topic<E>,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<Option<ListedOffset>, ErrorCode> {
    let partition = lookup::partition(topic, wanted.partition_index)?;
    let epoch = lookup::requested_epoch(wanted.current_leader_epoch);
    let leadership = partition
        .check_leader(epoch)
        .map_err(|error| errors::leader_code(partitions, &error))?;
    let at = |offset| {
        Some(ListedOffset {
            offset,
            timestamp_ms: None,
            leader_epoch: leadership.leader_epoch,
        })
    };
    match wanted.timestamp {
        LATEST => Ok(at(partition.readable_end(isolation))),
        EARLIEST | EARLIEST_LOCAL => Ok(at(partition.log().log_start_offset())),
        LATEST_REMOTE | EARLIEST_NOT_REMOTE => Ok(None),
        MAX_TIMESTAMP => search(memory, &partition, isolation, |limit| {
            partition.log().offset_of_max_timestamp(limit)
        }),
        timestamp_ms => search(memory, &partition, isolation, |limit| {
            partition.log().offset_for_timestamp(timestamp_ms, limit)
        }),
    }
}

/// Returns a record only if the reader may see it. If a batch decompresses to more than usual, the search waits for its
/// turn and reserves the memory.
fn search<E: Env>(
    memory: &Arc<RequestMemory>,
    partition: &Partition<E>,
    isolation: Isolation,
    find: impl Fn(DecompressLimit) -> Result<Option<RecordPosition>, ReadError>,
) -> Result<Option<ListedOffset>, ErrorCode> {
    let found = match find(USUAL_DECOMPRESSION) {
        Err(error) if is_too_large_to_decompress(&error) => {
            let limit = DecompressLimit::default();
            let _turn = memory.turn_to_decompress(limit);
            find(limit)
        }
        found => found,
    };
    let found = found.map_err(|error| {
        tracing::error!(topic = %partition.topic, partition = %partition.id, %error, "a search by time failed");
        errors::read_code(&error)
    })?;
    let visible = found.filter(|position| position.offset < partition.readable_end(isolation));
    Ok(visible.map(|position| ListedOffset {
        offset: position.offset,
        timestamp_ms: Some(position.timestamp_ms),
        leader_epoch: position.leader_epoch,
    }))
}

fn is_too_large_to_decompress(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::Corrupt {
            source: BatchError::Decompress(DecompressError::TooLarge { .. }),
            ..
        }
    )
}

fn respond(
    partition_index: i32,
    answer: Result<Option<ListedOffset>, ErrorCode>,
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
