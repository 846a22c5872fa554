//! The message exchange of a SASL mechanism.

use bytes::Bytes;
use headwater_metadata::ScramMechanism;

use super::{Credentials, Decoy, Mechanism, plain, scram};

/// An exchange in progress.
#[derive(Debug)]
pub(super) enum Exchange {
    Plain,
    Scram(ScramMechanism),
    ScramChallenge(Box<scram::ScramChallenge>),
}

/// The result of a client's message.
#[derive(Debug)]
pub(super) enum ExchangeStep {
    /// The server's challenge, and the exchange that waits for the client's response.
    Challenge(Bytes, Exchange),
    /// The client is authenticated as `user`; `last` is the server's final message.
    Done { user: String, last: Bytes },
    /// The client is not authenticated.
    Denied(Denial),
}

/// Why a client is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denial {
    /// Unknown user or wrong password. The response does not distinguish them.
    #[error("the user or the password is wrong")]
    Credentials,
    /// The message violates the mechanism's format.
    #[error("{0}")]
    Malformed(&'static str),
}

impl Exchange {
    pub(super) fn new(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Plain => Self::Plain,
            Mechanism::Scram(mechanism) => Self::Scram(mechanism),
        }
    }

    /// Handles the client's next message.
    pub(super) fn respond(
        self,
        message: &[u8],
        credentials: &impl Credentials,
        decoy: &Decoy,
    ) -> ExchangeStep {
        match self {
            Self::Plain => plain::respond(message, credentials, decoy),
            Self::Scram(mechanism) => {
                let nonce = uuid::Uuid::new_v4().simple().to_string();
                match scram::challenge(mechanism, message, &nonce, credentials, decoy) {
                    Ok((challenge, next)) => {
                        ExchangeStep::Challenge(challenge, Self::ScramChallenge(Box::new(next)))
                    }
                    Err(denied) => ExchangeStep::Denied(denied),
                }
            }
            Self::ScramChallenge(challenged) => challenged.finish(message),
        }
    }
}
