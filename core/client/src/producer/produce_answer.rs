//! Produce responses: the result for the batch of each partition.

use headwater_protocol::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use headwater_protocol::{ErrorCode, ProduceResponse};
use headwater_record::{Offset, PartitionId};

use super::batch::BatchFailure;
use super::completion::ProduceResult;
use crate::cluster::{TopicMetadata, can_retry};
use crate::config::producer::Acks;
use crate::error::{Error, Result};
use crate::error_codes::{self, Remedy};
use crate::mutants::{self, Mutant};

/// A batch that was not written, or got no response.
#[derive(Debug)]
pub(super) struct ProduceFailure {
    pub(super) kind: FailureKind,
    pub(super) reason: BatchFailure,
    /// Whether the batch may have been written nevertheless.
    pub(super) maybe_written: bool,
}

/// How a failure can be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The batch can be sent again.
    Retriable,
    /// The batch is too large for the topic.
    TooLarge,
    /// The broker expects a batch with an earlier sequence.
    OutOfOrder,
    /// The broker does not have the producer's state, or has a later epoch of it.
    StaleProducer,
    /// The batch cannot be written.
    Final,
}

impl FailureKind {
    fn of(error: &Error) -> Self {
        match error.code() {
            ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => Self::TooLarge,
            ErrorCode::OutOfOrderSequenceNumber => Self::OutOfOrder,
            code if error_codes::remedy(code) == Remedy::RenewProducer => Self::StaleProducer,
            _ if can_retry(error) => Self::Retriable,
            _ => Self::Final,
        }
    }
}

impl ProduceFailure {
    pub(super) fn new(error: Error, maybe_written: bool) -> Self {
        Self {
            kind: FailureKind::of(&error),
            reason: error.into(),
            maybe_written,
        }
    }
}

/// The response to a request, or the error in its place.
pub(super) enum ProduceAnswers {
    /// `acks=0`: there is no response.
    Unacknowledged,
    Partitions(Vec<TopicProduceResponse>),
    Failed(Error),
}

impl ProduceAnswers {
    pub(super) fn new(response: Result<ProduceResponse>, acks: Acks) -> Self {
        match response {
            Ok(_) if acks == Acks::None => Self::Unacknowledged,
            Ok(response) => Self::Partitions(response.responses),
            Err(error) => Self::Failed(error),
        }
    }

    /// The result for the batch of this partition.
    pub(super) fn of_partition(
        &self,
        topic: &TopicMetadata,
        partition: PartitionId,
    ) -> Result<ProduceResult, ProduceFailure> {
        let topics = match self {
            Self::Unacknowledged => {
                return Ok(ProduceResult {
                    base_offset: None,
                    log_append_time_ms: None,
                });
            }
            Self::Failed(error) => {
                let maybe_written = error_codes::may_have_been_sent(error);
                if maybe_written && mutants::is_active(Mutant::AcknowledgeLost) {
                    return Ok(ProduceResult {
                        base_offset: Some(Offset::ZERO),
                        log_append_time_ms: None,
                    });
                }
                return Err(ProduceFailure::new(error.clone(), maybe_written));
            }
            Self::Partitions(topics) => topics,
        };
        let mut answers = topics
            .iter()
            .filter(|answer| is_about(answer, topic))
            .flat_map(|answer| &answer.partition_responses);
        match answers.find(|answer| answer.index == partition.get()) {
            Some(answer) => read(answer),
            None => Err(ProduceFailure::new(error_codes::no_answer("Produce"), true)),
        }
    }
}

/// Whether the response belongs to this topic. It has the topic's name before version 13, and its id from then on.
fn is_about(answer: &TopicProduceResponse, topic: &TopicMetadata) -> bool {
    if answer.name.is_empty() {
        answer.topic_id == topic.topic_id
    } else {
        *answer.name == *topic.name
    }
}

fn read(answer: &PartitionProduceResponse) -> Result<ProduceResult, ProduceFailure> {
    let code = error_codes::code(answer.error_code);
    // A duplicate was written by an earlier attempt.
    if matches!(code, ErrorCode::None | ErrorCode::DuplicateSequenceNumber) {
        let base = answer.base_offset;
        let time = answer.log_append_time_ms;
        return Ok(ProduceResult {
            base_offset: (base >= 0).then(|| Offset::new(base)),
            log_append_time_ms: (time >= 0).then_some(time),
        });
    }
    let message = answer.error_message.as_deref();
    let error = error_codes::error(code, message, "write the record");
    Err(ProduceFailure {
        kind: FailureKind::of(&error),
        maybe_written: may_follow_a_write(code),
        reason: BatchFailure {
            records: record_errors(answer, code, &error),
            error,
        },
    })
}

/// Whether a broker may return this code for a batch that it has written. A leader that loses the partition while it
/// waits for its followers returns that it is not the leader, or does not have the partition, and the new leader may
/// have the batch.
fn may_follow_a_write(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RequestTimedOut
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::NotEnoughReplicasAfterAppend
            | ErrorCode::KafkaStorageError
            | ErrorCode::UnknownServerError
    )
}

/// The errors of records: invalid records get the broker's message, and all others of the batch a bystander error.
fn record_errors(
    answer: &PartitionProduceResponse,
    code: ErrorCode,
    whole: &Error,
) -> Vec<(u32, Error)> {
    if answer.record_errors.is_empty() {
        return Vec::new();
    }
    let bystander = error_codes::bystander(whole);
    let mut invalid: Vec<_> = answer
        .record_errors
        .iter()
        .filter_map(|record| {
            Some((
                u32::try_from(record.batch_index).ok()?,
                record.batch_index_error_message.as_deref(),
            ))
        })
        .collect();
    invalid.sort_unstable_by_key(|(index, _)| *index);
    invalid.dedup_by_key(|(index, _)| *index);
    let mut errors = Vec::with_capacity(2 * invalid.len() + 1);
    let mut next = 0;
    for (index, message) in invalid {
        if index > next {
            errors.push((next, bystander.clone()));
        }
        errors.push((index, error_codes::error(code, message, "write the record")));
        next = index + 1;
    }
    errors.push((next, bystander));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: ErrorCode) -> ProduceFailure {
        let answer = PartitionProduceResponse {
            error_code: code.code(),
            ..PartitionProduceResponse::default()
        };
        read(&answer).unwrap_err()
    }

    #[test]
    fn a_leader_that_loses_the_partition_may_have_written_the_batch() {
        let lost = failure(ErrorCode::NotLeaderOrFollower);
        assert_eq!(lost.kind, FailureKind::Retriable);
        assert!(lost.maybe_written);
        assert!(failure(ErrorCode::UnknownTopicOrPartition).maybe_written);
        // These are detected before the write.
        assert!(!failure(ErrorCode::NotEnoughReplicas).maybe_written);
        assert!(!failure(ErrorCode::InvalidTimestamp).maybe_written);
    }
}
