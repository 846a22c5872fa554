//! `DescribeProducers` (key 61), version 0.
//!
//! Behaviour: the idempotent producers of each partition: their last epoch and sequence number, the time of their last
//! batch, and the first offset of their open transaction.
//!
//! Notes: a repeated partition is answered once.

use std::collections::BTreeSet;

use headwater_env::Env;
use headwater_log::ProducerSummary;
use headwater_metadata::validate_topic_name;
use headwater_protocol::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use headwater_protocol::{DescribeProducersRequest, DescribeProducersResponse, ErrorCode};
use uuid::Uuid;

use super::support::{errors, lookup};
use crate::RequestContext;
use crate::partitions::Partitions;
use crate::partitions::Topic;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    _context: &RequestContext,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topics = request.topics.into_iter().map(|wanted| {
        let found = validate_topic_name(&wanted.name)
            .map_err(|_| ErrorCode::InvalidTopicException)
            .and_then(|()| lookup::topic(partitions, &wanted.name, Uuid::nil()));
        let indexes: BTreeSet<_> = wanted.partition_indexes.into_iter().collect();
        let partitions = indexes.into_iter().map(|index| {
            let producers = found
                .as_ref()
                .map_err(|code| *code)
                .and_then(|topic| producers(partitions, topic, index));
            respond(index, producers)
        });
        TopicResponse {
            partitions: partitions.collect(),
            name: wanted.name,
            ..TopicResponse::default()
        }
    });
    DescribeProducersResponse {
        topics: topics.collect(),
        ..DescribeProducersResponse::default()
    }
}

fn producers<E: Env>(
    partitions: &Partitions<E>,
    topic: &Topic<E>,
    index: i32,
) -> Result<Vec<ProducerState>, ErrorCode> {
    let partition = lookup::partition(topic, index)?;
    partition
        .check_leader(None)
        .map_err(|error| errors::leader_code(partitions, &error))?;
    let summaries = partition.log().active_producers();
    Ok(summaries.iter().map(described).collect())
}

fn described(producer: &ProducerSummary) -> ProducerState {
    ProducerState {
        producer_id: producer.producer_id.get(),
        producer_epoch: i32::from(producer.producer_epoch.get()),
        last_sequence: producer.last_sequence.unwrap_or(-1),
        last_timestamp: producer.last_timestamp_ms,
        coordinator_epoch: producer.coordinator_epoch.unwrap_or(-1),
        current_txn_start_offset: producer
            .current_transaction_first_offset
            .map_or(-1, headwater_record::Offset::get),
        ..ProducerState::default()
    }
}

fn respond(
    partition_index: i32,
    producers: Result<Vec<ProducerState>, ErrorCode>,
) -> PartitionResponse {
    let (code, active_producers) = match producers {
        Ok(producers) => (ErrorCode::None, producers),
        Err(code) => (code, Vec::new()),
    };
    PartitionResponse {
        partition_index,
        error_code: code.code(),
        error_message: (!code.is_ok()).then(|| code.message().into()),
        active_producers,
        ..PartitionResponse::default()
    }
}
