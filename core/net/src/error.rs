//! Connection errors.

use std::fmt;
use std::sync::Arc;

use headwater_client::{TransportError, TransportErrorKind};
use headwater_protocol::ErrorCode;

/// The reason why a connection could not be opened, or was lost. The message is a sentence without a full stop and
/// includes the remedy.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionError {
    pub(crate) kind: ConnectionErrorKind,
    message: Arc<str>,
}

/// The cause of an error, which decides whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionErrorKind {
    /// A failure of the network or the broker: another attempt may help.
    Unreachable,
    /// The peer does not speak the expected protocol, or no version that both sides support.
    Protocol,
    /// The authentication of one of the sides failed.
    Authentication,
    /// The broker refused a token that other connections have used: a new token may be accepted.
    StaleToken,
    /// No token is available: another attempt may help, another broker does not.
    NoToken,
    /// The client was closed.
    Closed,
}

impl ConnectionError {
    pub(crate) fn unreachable(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::Unreachable, message)
    }

    pub(crate) fn protocol(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::Protocol, message)
    }

    pub(crate) fn authentication(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::Authentication, message)
    }

    pub(crate) fn stale_token(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::StaleToken, message)
    }

    pub(crate) fn no_token(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::NoToken, message)
    }

    pub(crate) fn closed(message: impl Into<Arc<str>>) -> Self {
        Self::of(ConnectionErrorKind::Closed, message)
    }

    fn of(kind: ConnectionErrorKind, message: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Whether other brokers would answer the same way.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(
            self.kind,
            ConnectionErrorKind::Unreachable | ConnectionErrorKind::Protocol
        )
    }

    /// Whether one side refused to authenticate the other.
    pub(crate) fn is_refusal(&self) -> bool {
        self.kind == ConnectionErrorKind::Authentication
    }

    /// The error of a request. `sent`: whether the broker may have received it.
    pub(crate) fn of_request(&self, sent: bool) -> TransportError {
        let kind = match self.kind {
            ConnectionErrorKind::Unreachable | ConnectionErrorKind::NoToken => {
                TransportErrorKind::Unreachable
            }
            ConnectionErrorKind::Protocol => TransportErrorKind::Protocol,
            ConnectionErrorKind::Authentication | ConnectionErrorKind::StaleToken => {
                TransportErrorKind::Authentication
            }
            ConnectionErrorKind::Closed => TransportErrorKind::Closed,
        };
        TransportError {
            reason: self.message.to_string(),
            sent,
            kind,
        }
    }

    /// The same error with another message.
    pub(crate) fn with_message(&self, message: impl Into<Arc<str>>) -> Self {
        Self::of(self.kind, message)
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectionError {}

/// The error of a SASL request that the broker refused with `code`.
pub(crate) fn authentication_refused(code: ErrorCode, message: Option<&str>) -> ConnectionError {
    let reason = message.map(str::trim).filter(|message| !message.is_empty());
    let reason = reason.unwrap_or_else(|| code.message());
    ConnectionError::authentication(format!(
        "The broker refused the authentication ({}): check sasl.mechanism and the user and password, or the token",
        reason.trim_end_matches('.')
    ))
}
