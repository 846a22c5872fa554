//! SASL authentication with passwords.
//!
//! A client selects a mechanism in `SaslHandshake`, then exchanges messages of that mechanism with the server: in
//! `SaslAuthenticate` requests, or in bare frames after version 0 of the handshake. Passwords are verified against the
//! SCRAM credentials in the cluster's metadata, so no password is stored, not even for PLAIN. An unknown user takes as
//! much time and gets the same responses as a wrong password.

mod exchange;
mod plain;
mod scram;
mod session;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use headwater_metadata::{SCRAM_ITERATIONS_MIN, ScramCredential, ScramMechanism};

pub(crate) use session::{SaslStep, Session};

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// `PLAIN`: user name and password in clear text.
    Plain,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`: the client proves that it has the password, the server that it has the
    /// credential.
    Scram(ScramMechanism),
}

/// An unknown mechanism name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a SASL mechanism: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")]
pub struct UnknownMechanism(pub String);

impl Mechanism {
    /// All mechanisms, the strongest first.
    pub const ALL: [Self; 3] = [
        Self::Scram(ScramMechanism::Sha512),
        Self::Scram(ScramMechanism::Sha256),
        Self::Plain,
    ];

    /// The SASL name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(mechanism) => mechanism.name(),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, UnknownMechanism> {
        let found = Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name() == name);
        found.ok_or_else(|| UnknownMechanism(name.to_owned()))
    }
}

/// A store of SCRAM credentials.
pub(crate) trait Credentials {
    /// The credential of the user for `mechanism`.
    fn find(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential>;
}

impl<F: Fn(&str, ScramMechanism) -> Option<ScramCredential>> Credentials for F {
    fn find(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        self(user, mechanism)
    }
}

/// The secret from which credentials of unknown users are derived. They are constant for each name and cannot be
/// distinguished from real ones.
pub(crate) struct Decoy([u8; 32]);

impl Decoy {
    pub(crate) fn new() -> Self {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        secret[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self(secret)
    }

    /// A credential that no password matches.
    fn credential(&self, user: &str, mechanism: ScramMechanism) -> ScramCredential {
        let secret = |purpose: &[u8]| {
            let key = mechanism.hmac(&self.0, purpose);
            mechanism.hmac(&key, user.as_bytes())
        };
        ScramCredential {
            salt: secret(b"salt").slice(..SALT_BYTES),
            stored_key: secret(b"stored"),
            server_key: secret(b"server"),
            iterations: SCRAM_ITERATIONS_MIN,
        }
    }
}

impl fmt::Debug for Decoy {
    /// Omits the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoy")
    }
}

/// The length of salts that our own tools generate.
const SALT_BYTES: usize = 16;

/// A credential for a new password, with a random salt and Kafka's default number of iterations.
pub fn credential_for(mechanism: ScramMechanism, password: &[u8]) -> ScramCredential {
    let salt = Bytes::copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    ScramCredential::from_password(mechanism, password, salt, SCRAM_ITERATIONS_MIN)
}
