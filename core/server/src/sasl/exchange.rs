//! The messages of one mechanism.

use bytes::Bytes;
use headwater_metadata::ScramMechanism;

use super::{Credentials, Decoy, Mechanism, plain, scram};

/// An exchange that is not over.
#[derive(Debug)]
pub(super) enum Exchange {
    Plain,
    Scram(ScramMechanism),
    Challenged(Box<scram::Challenged>),
}

/// What a message of the client leads to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The client must answer this.
    Challenge(Bytes, Exchange),
    /// The client is `user`; `last` is the server's last message.
    Done { user: String, last: Bytes },
    /// It is not.
    Denied(Denied),
}

/// Why a client is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// There is no such user, or the password is another one: which, is not told.
    #[error("the user or the password is wrong")]
    Credentials,
    /// The message breaks the mechanism's rules.
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

    /// Answers the client's next message.
    pub(super) fn respond(
        self,
        message: &[u8],
        credentials: &impl Credentials,
        decoy: &Decoy,
    ) -> Outcome {
        match self {
            Self::Plain => plain::respond(message, credentials, decoy),
            Self::Scram(mechanism) => {
                let nonce = uuid::Uuid::new_v4().simple().to_string();
                match scram::challenge(mechanism, message, &nonce, credentials, decoy) {
                    Ok((challenge, next)) => {
                        Outcome::Challenge(challenge, Self::Challenged(Box::new(next)))
                    }
                    Err(denied) => Outcome::Denied(denied),
                }
            }
            Self::Challenged(challenged) => challenged.finish(message),
        }
    }
}
