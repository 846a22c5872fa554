//! Maps Kafka's error codes to [`Error`]s with advice, and to the client's own recovery.

use std::error::Error as _;

use headwater_protocol::ErrorCode;

use crate::error::{Error, ErrorKind, Result};
use crate::transport::{TransportError, TransportErrorKind};

/// How the client recovers from a code before it returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Retry after a backoff.
    Retry,
    /// Refresh the leader, then retry.
    FindLeader,
    /// Refresh the leader; retry only if it has changed.
    FindAnotherLeader,
    /// Refresh the controller, then retry.
    FindController,
    /// Restart the sequences with the next producer epoch.
    RenewProducer,
    /// Not recoverable.
    None,
}

pub(crate) fn remedy(code: ErrorCode) -> Remedy {
    match code {
        ErrorCode::NotLeaderOrFollower
        | ErrorCode::FencedLeaderEpoch
        | ErrorCode::UnknownLeaderEpoch
        | ErrorCode::LeaderNotAvailable
        | ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::InconsistentTopicId
        | ErrorCode::ReplicaNotAvailable
        | ErrorCode::ListenerNotFound
        | ErrorCode::PreferredLeaderNotAvailable
        | ErrorCode::NetworkException => Remedy::FindLeader,
        // The same broker would fail again.
        ErrorCode::KafkaStorageError => Remedy::FindAnotherLeader,
        ErrorCode::NotController => Remedy::FindController,
        ErrorCode::UnknownProducerId | ErrorCode::InvalidProducerEpoch => Remedy::RenewProducer,
        // The next heartbeat returns the member's epoch, or that it was fenced. The transport has returned to its
        // bootstrap addresses.
        ErrorCode::StaleMemberEpoch
        | ErrorCode::UnknownMemberId
        | ErrorCode::RebootstrapRequired => Remedy::Retry,
        code if code.is_retriable() => Remedy::Retry,
        _ => Remedy::None,
    }
}

/// The code with this wire number; unknown numbers are `UnknownServerError`.
pub(crate) fn code(wire: i16) -> ErrorCode {
    ErrorCode::from_code(wire)
}

/// The error for a code in a response. `reason` is the broker's message, `operation` the attempted operation ("delete
/// the topic").
pub(crate) fn error(code: ErrorCode, reason: Option<&str>, operation: &str) -> Error {
    let kind = ErrorKind::of_code(code);
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let what = sentence(reason.unwrap_or(code.message()));
    // The reasons of brokers for these codes contain the remedy.
    let advice = match (code, reason) {
        (
            ErrorCode::KafkaStorageError
            | ErrorCode::InvalidPartitions
            | ErrorCode::InvalidReplicationFactor
            | ErrorCode::MessageTooLarge
            | ErrorCode::RecordListTooLarge,
            Some(_),
        ) => None,
        _ => advice(code),
    };
    let advice = advice.map_or_else(String::new, |advice| format!(" {advice}"));
    Error::with_code(kind, code, format!("Cannot {operation}: {what}{advice}"))
}

/// [`error`] for the response to a read. Unlike for a write, a corrupt batch is not retriable: it is corrupt on disk.
pub(crate) fn read_error(code: ErrorCode, reason: Option<&str>, operation: &str) -> Error {
    let error = error(code, reason, operation);
    if code == ErrorCode::CorruptMessage {
        return error.retriable(false);
    }
    error
}

/// The only result of a response about a single item.
pub(crate) fn only<T>(results: Vec<T>, api: &str) -> Result<T> {
    results.into_iter().next().ok_or_else(|| no_answer(api))
}

/// The error for a response without the requested part.
pub(crate) fn no_answer(api: &str) -> Error {
    Error::with_code(
        ErrorKind::Broker,
        ErrorCode::UnknownServerError,
        format!("The broker's {api} response lacks the requested part. Please report this."),
    )
}

/// The error for a request without a response.
pub(crate) fn transport(error: TransportError) -> Error {
    let reason = sentence(&error.reason);
    let (kind, message) = match error.kind {
        TransportErrorKind::Unsupported => {
            let message = format!("Cannot send the request: {reason}");
            return Error::with_code(ErrorKind::Broker, ErrorCode::UnsupportedVersion, message)
                .caused_by(error);
        }
        TransportErrorKind::Unreachable => (
            ErrorKind::Transport,
            format!("{reason} Another attempt may help."),
        ),
        TransportErrorKind::Protocol => (ErrorKind::Transport, reason),
        TransportErrorKind::Authentication => (ErrorKind::Authentication, reason),
        TransportErrorKind::Closed => (ErrorKind::Closed, reason),
    };
    let is_retriable = error.kind == TransportErrorKind::Unreachable;
    Error::new(kind, message)
        .caused_by(error)
        .retriable(is_retriable)
}

/// Whether the broker may have seen the request that failed with this error.
pub(crate) fn may_have_been_sent(error: &Error) -> bool {
    let transport = error
        .source()
        .and_then(|source| source.downcast_ref::<TransportError>());
    transport.is_none_or(|transport| transport.sent)
}

const BYSTANDER: &str = "The record is not written because another record of its batch is invalid: send it again without the invalid one.";

/// The error for a valid record in a batch with an invalid record.
pub(crate) fn bystander(whole: &Error) -> Error {
    Error::with_code(whole.kind(), whole.code(), BYSTANDER).retriable(true)
}

/// Whether the error is one of [`bystander`].
pub(crate) fn is_bystander(error: &Error) -> bool {
    error.message() == BYSTANDER
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{text}{end}")
}

/// Advice for the user.
fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId => {
            "Create it first, or correct the name."
        }
        ErrorCode::TopicAlreadyExists => {
            "Use the existing topic with if_exists=\"ignore\", or choose another name."
        }
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
            "Send smaller records, or raise the topic's max.message.bytes."
        }
        ErrorCode::KafkaStorageError => {
            "Free space on the disk or repair it; acknowledged records are safe."
        }
        ErrorCode::CorruptMessage => "If reads fail repeatedly, stored data is damaged.",
        ErrorCode::OutOfOrderSequenceNumber => {
            "Records sent before it may be missing; check, then create a new producer."
        }
        ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => {
            "Another producer with the same identity took over: stop this one."
        }
        ErrorCode::NotEnoughReplicas | ErrorCode::NotEnoughReplicasAfterAppend => {
            "Bring brokers back, or lower the topic's min.insync.replicas."
        }
        ErrorCode::InvalidPartitions => {
            "Request at least one partition, and not fewer than the topic has."
        }
        ErrorCode::TopicAuthorizationFailed
        | ErrorCode::GroupAuthorizationFailed
        | ErrorCode::ClusterAuthorizationFailed
        | ErrorCode::TransactionalIdAuthorizationFailed => {
            "The client's user needs an access rule (ACL) of the cluster that allows it."
        }
        ErrorCode::InvalidReplicationFactor => {
            "Request at most as many replicas as there are brokers."
        }
        _ => return None,
    })
}
