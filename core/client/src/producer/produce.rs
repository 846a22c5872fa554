//! One produce request and what its response says.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::produce_response::PartitionProduceResponse;
use headwater_protocol::{ErrorCode, ProduceRequest};
use headwater_record::Offset;

use super::completion::Written;
use super::queue::PartitionQueue;
use crate::config::producer::Acks;
use crate::error::Error;
use crate::error_codes;
use crate::transport::Node;

/// An answer that is no success.
pub(crate) struct Answer {
    pub(crate) code: ErrorCode,
    pub(crate) error: Error,
    /// The batch may have been written all the same.
    pub(crate) maybe_written: bool,
    /// Where the broker names records: the index of each record from which on the error holds.
    pub(crate) records: Vec<(u32, Error)>,
}

impl Answer {
    fn of(error: Error, maybe_written: bool) -> Self {
        Self {
            code: error.code(),
            error,
            maybe_written,
            records: Vec::new(),
        }
    }
}

/// Sends one batch to the partition's leader, once.
pub(crate) async fn produce(
    queue: &Arc<PartitionQueue>,
    records: Bytes,
    deadline: Instant,
) -> Result<Written, Answer> {
    let context = &queue.context;
    let metadata = context
        .cluster
        .topic_metadata(&queue.topic)
        .await
        .map_err(|error| Answer::of(error, false))?;
    let node = metadata
        .require_leader(queue.partition, "send to the partition")
        .map_err(|error| Answer::of(error, false))?;
    let acks = context.config.acks;
    let _place = context.in_flight.place(node).await;
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
        timeout_ms: i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
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
            return Err(Answer::of(error, maybe_written));
        }
    };
    if acks == Acks::None {
        return Ok(Written {
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
        None => Err(Answer::of(error_codes::no_answer("Produce"), true)),
    }
}

fn read(partition: &PartitionProduceResponse) -> Result<Written, Answer> {
    let code = error_codes::code(partition.error_code);
    // A batch that was written before is as good as written.
    if matches!(code, ErrorCode::None | ErrorCode::DuplicateSequenceNumber) {
        let base = partition.base_offset;
        let time = partition.log_append_time_ms;
        return Ok(Written {
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
    Err(Answer {
        code,
        records: named_records(partition, code, &error),
        error,
        maybe_written,
    })
}

/// The broker may name the records that it does not like: they get their own message, and the others learn that they went down with them.
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
