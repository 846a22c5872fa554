//! Kafka's error codes as kinds of [`Error`], with what to do, and what the client itself does about them.

use std::error::Error as _;

use headwater_protocol::ErrorCode;

use crate::error::{Error, ErrorKind};
use crate::transport::TransportError;

/// What the client does about a code before its caller sees an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Send the same request again, later.
    Retry,
    /// Ask who leads the partition, then send it again.
    FindLeader,
    /// Ask who leads the partition; send it again only if that is another broker than before.
    FindAnotherLeader,
    /// Ask which broker is the controller, then send it again.
    FindController,
    /// Begin new sequences under the next producer epoch.
    RenewProducer,
    /// Nothing helps.
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
        // The same broker would answer the same again.
        ErrorCode::KafkaStorageError => Remedy::FindAnotherLeader,
        ErrorCode::NotController => Remedy::FindController,
        ErrorCode::UnknownProducerId | ErrorCode::InvalidProducerEpoch => Remedy::RenewProducer,
        code if code.is_retriable() => Remedy::Retry,
        _ => Remedy::None,
    }
}

/// The code of a number on the wire; one that is newer than this client is an unknown error.
pub(crate) fn code(wire: i16) -> ErrorCode {
    ErrorCode::from_code(wire)
}

/// The error for a code that a broker answered. `told` is what the broker said about it, `doing` what was tried ("delete the topic").
pub(crate) fn error(code: ErrorCode, told: Option<&str>, doing: &str) -> Error {
    let kind = ErrorKind::of_code(code);
    let what = match told.map(str::trim).filter(|told| !told.is_empty()) {
        Some(told) => sentence(told),
        None => sentence(code.message()),
    };
    let advice = advice(code).map_or_else(String::new, |advice| format!(" {advice}"));
    Error::with_code(kind, code, format!("Cannot {doing}: {what}{advice}"))
}

/// [`error`] for a code in the answer to a read. Damage that was read from a disk stays: reading it again does not help, unlike sending a
/// batch again that was damaged on its way.
pub(crate) fn read_error(code: ErrorCode, told: Option<&str>, doing: &str) -> Error {
    let error = error(code, told, doing);
    if code == ErrorCode::CorruptMessage {
        return error.retriable(false);
    }
    error
}

/// The error for a response that lacks the part that was asked for.
pub(crate) fn no_answer(api: &str) -> Error {
    Error::with_code(
        ErrorKind::Broker,
        ErrorCode::UnknownServerError,
        format!(
            "The broker's answer to {api} says nothing about what was asked. Please report this."
        ),
    )
}

/// The error for a request that got no answer.
pub(crate) fn transport(error: TransportError) -> Error {
    if error.closed {
        return Error::new(ErrorKind::Closed, sentence(&error.reason)).caused_by(error);
    }
    Error::new(
        ErrorKind::Transport,
        format!("{} Trying again may help.", sentence(&error.reason)),
    )
    .caused_by(error)
    .retriable(true)
}

/// Whether the broker may have seen the request that failed with this error.
pub(crate) fn may_have_been_sent(error: &Error) -> bool {
    let transport = error
        .source()
        .and_then(|source| source.downcast_ref::<TransportError>());
    transport.is_none_or(|transport| transport.sent)
}

const BYSTANDER: &str = "The record is not written because another record of its batch is invalid: send it again without that one.";

/// The error of a record that is fine and was in a batch with one that is not.
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

/// What the user can do, where the broker's own words do not say.
fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId => {
            "Create it first with create_topic, or correct the name."
        }
        ErrorCode::TopicAlreadyExists => {
            "Take it as it is with if_exists=\"ignore\", or choose another name."
        }
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
            "Send smaller records, or raise the topic's max.message.bytes."
        }
        ErrorCode::KafkaStorageError => {
            "Free space on the disk or repair it; what was acknowledged is safe."
        }
        ErrorCode::CorruptMessage => {
            "If it comes again when nothing but reading is done, stored bytes are damaged."
        }
        ErrorCode::OutOfOrderSequenceNumber => {
            "Records sent before it may be missing; check, then make a new producer."
        }
        ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => {
            "Another producer with the same identity took over: stop this one."
        }
        ErrorCode::NotEnoughReplicas | ErrorCode::NotEnoughReplicasAfterAppend => {
            "Bring brokers back, or lower the topic's min.insync.replicas."
        }
        ErrorCode::InvalidPartitions => {
            "Ask for at least one partition, and never for fewer than there are."
        }
        ErrorCode::InvalidReplicationFactor => "Ask for no more replicas than there are brokers.",
        _ => return None,
    })
}
