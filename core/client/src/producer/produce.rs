//! Produce requests and responses.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::produce_response::PartitionProduceResponse;
use headwater_protocol::{ErrorCode, ProduceRequest};
use headwater_record::Offset;

use super::completion::ProduceResult;
use super::queue::PartitionQueue;
use crate::config::producer::Acks;
use crate::duration::wire_ms;
use crate::error::Error;
use crate::error_codes;
use crate::transport::Node;

/// A failed produce request.
pub(crate) struct ProduceFailure {
    pub(crate) code: ErrorCode,
    pub(crate) error: Error,
    /// Whether the batch may have been written nevertheless.
    pub(crate) maybe_written: bool,
    /// Errors of records, if the broker reports any. Each applies from the record at its index to the next entry.
    pub(crate) records: Vec<(u32, Error)>,
}

impl ProduceFailure {
    fn of(error: Error, maybe_written: bool) -> Self {
        Self {
            code: error.code(),
            error,
            maybe_written,
            records: Vec::new(),
        }
    }
}

/// Sends one batch to the partition's leader. Does not retry.
pub(crate) async fn produce(
    queue: &Arc<PartitionQueue>,
    records: Bytes,
    deadline: Instant,
) -> Result<ProduceResult, ProduceFailure> {
    let context = &queue.context;
    let metadata = context
        .cluster
        .topic_metadata(&queue.topic)
        .await
        .map_err(|error| ProduceFailure::of(error, false))?;
    let node = metadata
        .require_leader(queue.partition, "send to the partition")
        .map_err(|error| ProduceFailure::of(error, false))?;
    let acks = context.config.acks;
    let _permit = context.in_flight.acquire(node).await;
    let timeout = context
        .cluster
        .config()
        .request_timeout
        .min(deadline.saturating_duration_since(Instant::now()));
    let data = PartitionProduceData {
        index: queue.partition.get(),
        records: Some(records),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: metadata.wire_name(),
        topic_id: metadata.topic_id,
        partition_data: vec![data],
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: acks.wire(),
        timeout_ms: wire_ms(timeout),
        topic_data: vec![topic],
        ..Default::default()
    };
    let response = match context
        .cluster
        .call_within(Node::Id(node), request, timeout)
        .await
    {
        Ok(response) => response,
        Err(error) => {
            let maybe_written = error_codes::may_have_been_sent(&error);
            return Err(ProduceFailure::of(error, maybe_written));
        }
    };
    if acks == Acks::None {
        return Ok(ProduceResult {
            base_offset: None,
            log_append_time_ms: None,
        });
    }
    let partition = response
        .responses
        .into_iter()
        .flat_map(|topic| topic.partition_responses)
        .next();
    match partition {
        Some(partition) => read(&partition),
        None => Err(ProduceFailure::of(error_codes::no_answer("Produce"), true)),
    }
}

fn read(partition: &PartitionProduceResponse) -> Result<ProduceResult, ProduceFailure> {
    let code = error_codes::code(partition.error_code);
    // A duplicate was written by an earlier attempt.
    if matches!(code, ErrorCode::None | ErrorCode::DuplicateSequenceNumber) {
        let base = partition.base_offset;
        let time = partition.log_append_time_ms;
        return Ok(ProduceResult {
            base_offset: (base >= 0).then(|| Offset::new(base)),
            log_append_time_ms: (time >= 0).then_some(time),
        });
    }
    let message = partition.error_message.as_deref();
    let error = error_codes::error(code, message, "write the record");
    let maybe_written = matches!(
        code,
        ErrorCode::RequestTimedOut | ErrorCode::NotEnoughReplicasAfterAppend
    );
    Err(ProduceFailure {
        code,
        records: named_records(partition, code, &error),
        error,
        maybe_written,
    })
}

/// The errors of records: invalid records get the broker's message, and all others of the batch a bystander error.
fn named_records(
    partition: &PartitionProduceResponse,
    code: ErrorCode,
    whole: &Error,
) -> Vec<(u32, Error)> {
    if partition.record_errors.is_empty() {
        return Vec::new();
    }
    let bystander = error_codes::bystander(whole);
    let mut named: Vec<_> = partition
        .record_errors
        .iter()
        .filter_map(|record| {
            Some((
                u32::try_from(record.batch_index).ok()?,
                record.batch_index_error_message.as_deref(),
            ))
        })
        .collect();
    named.sort_unstable_by_key(|(index, _)| *index);
    named.dedup_by_key(|(index, _)| *index);
    let mut parts = Vec::with_capacity(2 * named.len() + 1);
    let mut next = 0;
    for (index, message) in named {
        if index > next {
            parts.push((next, bystander.clone()));
        }
        parts.push((index, error_codes::error(code, message, "write the record")));
        next = index + 1;
    }
    parts.push((next, bystander));
    parts
}
