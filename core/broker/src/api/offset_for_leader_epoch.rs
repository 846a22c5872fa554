//! `OffsetForLeaderEpoch` (key 23), versions 2-4.
//!
//! Behaviour: the end offset of the newest leader epoch that is not larger than the requested one. Up to there a log
//! that ends in that epoch agrees with this log.
//!
//! Notes: an epoch before the first one of the log gives -1 and -1.

use headwater_env::Env;
use headwater_protocol::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use headwater_protocol::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use headwater_protocol::{ErrorCode, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use headwater_record::LeaderEpoch;
use uuid::Uuid;

use super::support::{errors, lookup};
use crate::RequestContext;
use crate::partitions::Partitions;
use crate::partitions::Topic;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    _context: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let found = lookup::topic(partitions, &topic.topic, Uuid::nil());
        let partitions = topic.partitions.iter().map(|wanted| {
            let end = found
                .as_ref()
                .map_err(|code| *code)
                .and_then(|topic| end_of(partitions, topic, wanted));
            end.unwrap_or_else(|code| nothing(wanted.partition, code))
        });
        OffsetForLeaderTopicResult {
            partitions: partitions.collect(),
            topic: topic.topic,
            ..OffsetForLeaderTopicResult::default()
        }
    });
    OffsetForLeaderEpochResponse {
        topics: topics.collect(),
        ..OffsetForLeaderEpochResponse::default()
    }
}

fn end_of<E: Env>(
    partitions: &Partitions<E>,
    topic: &Topic<E>,
    wanted: &OffsetForLeaderPartition,
) -> Result<EpochEndOffset, ErrorCode> {
    let partition = lookup::partition(topic, wanted.partition)?;
    let epoch = lookup::requested_epoch(wanted.current_leader_epoch);
    let leadership = partition
        .check_leader(epoch)
        .map_err(|error| errors::leader_code(partitions, &error))?;
    let found = nothing(wanted.partition, ErrorCode::None);
    if wanted.leader_epoch == leadership.leader_epoch.get() {
        let end_offset = partition.log().log_end_offset().get();
        return Ok(EpochEndOffset {
            leader_epoch: wanted.leader_epoch,
            end_offset,
            ..found
        });
    }
    Ok(
        match partition
            .log()
            .end_offset_for_epoch(LeaderEpoch::new(wanted.leader_epoch))
        {
            Some(end) => EpochEndOffset {
                leader_epoch: end.leader_epoch.get(),
                end_offset: end.end_offset.get(),
                ..found
            },
            None => found,
        },
    )
}

fn nothing(partition: i32, code: ErrorCode) -> EpochEndOffset {
    EpochEndOffset {
        error_code: code.code(),
        partition,
        leader_epoch: -1,
        end_offset: -1,
        ..EpochEndOffset::default()
    }
}
