//! The results of partitions in the Produce response.

use headwater_env::Env;
use headwater_log::Appended;
use headwater_protocol::ErrorCode;
use headwater_protocol::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse,
};
use headwater_record::InvalidBatch;

use super::Components;
use crate::RequestContext;
use crate::api::support::errors;
use crate::partition::{Partition, ProduceError};

/// The first version whose errors contain the leader.
const LEADERS_SINCE: i16 = 10;

pub(super) fn appended(index: i32, appended: Appended) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: ErrorCode::None.code(),
        base_offset: appended.base_offset.get(),
        log_append_time_ms: appended.log_append_time_ms.unwrap_or(-1),
        log_start_offset: appended.log_start_offset.get(),
        ..PartitionProduceResponse::default()
    }
}

pub(super) fn not_appended<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    partition: &Partition<E>,
    error: &ProduceError,
) -> PartitionProduceResponse {
    let code = errors::produce_code(components.partitions, error);
    let mut response = refused(partition.id.get(), code, error.to_string());
    if code == ErrorCode::NotLeaderOrFollower && context.is_at_least(LEADERS_SINCE) {
        let image = components.controller.image();
        if let Some(known) = image.partition(&partition.topic, partition.id) {
            response.current_leader = LeaderIdAndEpoch {
                leader_id: known.leader.unwrap_or(-1),
                leader_epoch: known.leader_epoch.get(),
                ..LeaderIdAndEpoch::default()
            };
        }
    }
    response
}

pub(super) fn invalid(index: i32, error: &InvalidBatch) -> PartitionProduceResponse {
    let named = |(record, message): (usize, String)| BatchIndexAndErrorMessage {
        batch_index: record as i32,
        batch_index_error_message: Some(message.into()),
        ..BatchIndexAndErrorMessage::default()
    };
    PartitionProduceResponse {
        record_errors: error.refused_records().into_iter().map(named).collect(),
        ..refused(index, errors::batch_code(error), error.to_string())
    }
}

pub(super) fn refused(
    index: i32,
    code: ErrorCode,
    message: impl Into<String>,
) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: code.code(),
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: -1,
        error_message: Some(message.into().into()),
        ..PartitionProduceResponse::default()
    }
}
