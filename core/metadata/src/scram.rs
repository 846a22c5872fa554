//! Salted passwords (RFC 5802, RFC 7677): what a broker keeps of a password, and how it comes about.
//!
//! ```text
//! salted_password = PBKDF2(password, salt, iterations)
//! stored_key      = H(HMAC(salted_password, "Client Key"))
//! server_key      = HMAC(salted_password, "Server Key")
//! ```
//!
//! Passwords are taken as their UTF-8 bytes, as Kafka does, without `SASLprep`.

use std::fmt;

use bytes::Bytes;
use headwater_protocol::UserScramCredentialRecord;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

use crate::MetadataRecord;

/// Kafka's least number of iterations, and its default.
pub const SCRAM_ITERATIONS_MIN: u32 = 4096;

/// A hash function for SCRAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramMechanism {
    /// `SCRAM-SHA-256`.
    Sha256,
    /// `SCRAM-SHA-512`.
    Sha512,
}

macro_rules! with_hash {
    ($mechanism:expr, $hash:ident => $body:expr) => {
        match $mechanism {
            ScramMechanism::Sha256 => {
                type $hash = Sha256;
                $body
            }
            ScramMechanism::Sha512 => {
                type $hash = Sha512;
                $body
            }
        }
    };
}

impl ScramMechanism {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The mechanism with Kafka's number.
    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.code() == code)
    }

    /// Kafka's number.
    pub const fn code(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// Its name in SASL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// How many bytes a hash has.
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// `H(bytes)`.
    pub fn hash(self, bytes: &[u8]) -> Bytes {
        with_hash!(self, Hash => Bytes::copy_from_slice(&Hash::digest(bytes)))
    }

    /// `HMAC(key, message)`.
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Bytes {
        with_hash!(self, Hash => {
            let mac = Hmac::<Hash>::new_from_slice(key).expect("a key of any length is allowed");
            Bytes::copy_from_slice(&mac.chain_update(message).finalize().into_bytes())
        })
    }

    /// The password, salted: the slow part, in proportion to `iterations`.
    pub fn salted_password(self, password: &[u8], salt: &[u8], iterations: u32) -> Bytes {
        let mut salted = vec![0; self.hash_len()];
        with_hash!(self, Hash => pbkdf2::pbkdf2_hmac::<Hash>(password, salt, iterations, &mut salted));
        salted.into()
    }
}

/// What a broker keeps of a user's password: enough to check it, not enough to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// What was mixed with the password.
    pub salt: Bytes,
    /// Checks the client.
    pub stored_key: Bytes,
    /// Proves the broker to the client.
    pub server_key: Bytes,
    /// How often the password was hashed.
    pub iterations: u32,
}

impl ScramCredential {
    /// From a password.
    pub fn from_password(
        mechanism: ScramMechanism,
        password: &[u8],
        salt: Bytes,
        iterations: u32,
    ) -> Self {
        let salted = mechanism.salted_password(password, &salt, iterations);
        Self::from_salted_password(mechanism, &salted, salt, iterations)
    }

    /// From a password that was salted elsewhere.
    pub fn from_salted_password(
        mechanism: ScramMechanism,
        salted_password: &[u8],
        salt: Bytes,
        iterations: u32,
    ) -> Self {
        let client_key = mechanism.hmac(salted_password, b"Client Key");
        Self {
            salt,
            stored_key: mechanism.hash(&client_key),
            server_key: mechanism.hmac(salted_password, b"Server Key"),
            iterations,
        }
    }

    /// The record that gives it to `user`.
    pub fn record(&self, user: &str, mechanism: ScramMechanism) -> MetadataRecord {
        MetadataRecord::UserScramCredential(UserScramCredentialRecord {
            name: user.into(),
            mechanism: mechanism.code(),
            salt: self.salt.clone(),
            stored_key: self.stored_key.clone(),
            server_key: self.server_key.clone(),
            iterations: i32::try_from(self.iterations).unwrap_or(i32::MAX),
            ..Default::default()
        })
    }
}

impl From<&UserScramCredentialRecord> for ScramCredential {
    fn from(record: &UserScramCredentialRecord) -> Self {
        Self {
            salt: record.salt.clone(),
            stored_key: record.stored_key.clone(),
            server_key: record.server_key.clone(),
            iterations: u32::try_from(record.iterations).unwrap_or(0),
        }
    }
}

impl fmt::Debug for ScramCredential {
    /// Without its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCredential")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}
