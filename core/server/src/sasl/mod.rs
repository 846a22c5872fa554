//! Who a client is: SASL with passwords.
//!
//! A client names a mechanism in `SaslHandshake`, then exchanges messages of that mechanism with the server: in `SaslAuthenticate`
//! requests, or, after version 0 of the handshake, in bare frames. Passwords are checked against salted ones in the cluster's metadata,
//! so none is kept, PLAIN's neither. A user that there is not costs as much time, and gets the same answers, as a wrong password.

mod exchange;
mod plain;
mod scram;
mod session;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use headwater_metadata::{SCRAM_ITERATIONS_MIN, ScramCredential, ScramMechanism};

pub(crate) use session::{SaslStep, Session};

/// A way to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// `PLAIN`: name and password as they are.
    Plain,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`: proofs that the client knows the password and the server its salted form.
    Scram(ScramMechanism),
}

/// A name of a mechanism that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no SASL mechanism: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")]
pub struct UnknownMechanism(pub String);

impl Mechanism {
    /// All, the strongest first.
    pub const ALL: [Self; 3] = [
        Self::Scram(ScramMechanism::Sha512),
        Self::Scram(ScramMechanism::Sha256),
        Self::Plain,
    ];

    /// Its name in SASL.
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

/// Where salted passwords are kept.
pub(crate) trait Credentials {
    /// What the user has for `mechanism`.
    fn find(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential>;
}

impl<F: Fn(&str, ScramMechanism) -> Option<ScramCredential>> Credentials for F {
    fn find(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        self(user, mechanism)
    }
}

/// What a server mixes into answers about users that there are not: the same ones for the same name, and nobody can tell them from others.
pub(crate) struct Decoy([u8; 32]);

impl Decoy {
    pub(crate) fn new() -> Self {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        secret[16..].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        Self(secret)
    }

    /// A credential that no password fits.
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
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoy")
    }
}

/// How long salts are that our own tools make.
const SALT_BYTES: usize = 16;

/// A credential for a password that a person chose: with a salt of its own, and Kafka's number of iterations.
pub fn credential_for(mechanism: ScramMechanism, password: &[u8]) -> ScramCredential {
    let salt = Bytes::copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    ScramCredential::from_password(mechanism, password, salt, SCRAM_ITERATIONS_MIN)
}
