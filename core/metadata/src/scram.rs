//! SCRAM credentials (RFC 5802, RFC 7677).
//!
//! ```text
//! salted_password = PBKDF2(password, salt, iterations)
//! stored_key      = H(HMAC(salted_password, "Client Key"))
//! server_key      = HMAC(salted_password, "Server Key")
//! ```
//!
//! Passwords are used as UTF-8 bytes without `SASLprep`, as in Kafka.

use std::fmt;

use bytes::Bytes;
use headwater_protocol::UserScramCredentialRecord;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

use crate::MetadataRecord;

/// Kafka's minimum and default number of iterations.
pub const SCRAM_ITERATIONS_MIN: u32 = 4096;

/// A SCRAM mechanism, which is a hash function.
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
    /// All mechanisms.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The mechanism with Kafka's code.
    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.code() == code)
    }

    /// Kafka's code.
    pub const fn code(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The SASL name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The length of a hash in bytes.
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
            let mac = Hmac::<Hash>::new_from_slice(key).expect("HMAC accepts keys of any length");
            Bytes::copy_from_slice(&mac.chain_update(message).finalize().into_bytes())
        })
    }

    /// Computes the salted password. The time is proportional to `iterations`.
    pub fn salted_password(self, password: &[u8], salt: &[u8], iterations: u32) -> Bytes {
        let mut salted = vec![0; self.hash_len()];
        with_hash!(self, Hash => pbkdf2::pbkdf2_hmac::<Hash>(password, salt, iterations, &mut salted));
        salted.into()
    }
}

/// The stored form of a user's password: it can verify the password, but not replace it.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// The salt.
    pub salt: Bytes,
    /// The key that verifies the client.
    pub stored_key: Bytes,
    /// The key that proves the server's identity to the client.
    pub server_key: Bytes,
    /// The number of hash iterations.
    pub iterations: u32,
}

impl ScramCredential {
    /// Derives the credential from a password.
    pub fn from_password(
        mechanism: ScramMechanism,
        password: &[u8],
        salt: Bytes,
        iterations: u32,
    ) -> Self {
        let salted = mechanism.salted_password(password, &salt, iterations);
        Self::from_salted_password(mechanism, &salted, salt, iterations)
    }

    /// Derives the credential from a salted password.
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

    /// The record that assigns the credential to `user`.
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
    /// Omits the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCredential")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}
