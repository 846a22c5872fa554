//! The credentials of a client.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use headwater_client::Result;
use headwater_metadata::ScramMechanism;

use super::oauth::Bearer;
use super::salted::SaltedPassword;
use crate::config::config_error;

/// The credentials of a client, shared by all its connections.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// A user with a password.
    Password(Arc<UserPassword>),
    /// A token.
    Bearer(Bearer),
}

/// A user, a password and the mechanism.
pub(crate) struct UserPassword {
    pub(super) mechanism: Mechanism,
    pub(super) username: String,
    pub(super) password: String,
    salted: SaltedPassword,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Scram(ScramMechanism),
}

impl Credentials {
    /// Password credentials. `mechanism` is the SASL name.
    pub(crate) fn password(mechanism: &str, username: String, password: String) -> Result<Self> {
        let mechanism = match mechanism {
            "PLAIN" => Mechanism::Plain,
            name => match ScramMechanism::ALL
                .into_iter()
                .find(|scram| scram.name() == name)
            {
                Some(scram) => Mechanism::Scram(scram),
                None => {
                    return Err(config_error(&format!(
                        "sasl.mechanism={name} is not supported."
                    )));
                }
            },
        };
        if username.contains('\0') || password.contains('\0') {
            return Err(config_error(
                "sasl.username and sasl.password must not contain NUL.",
            ));
        }
        Ok(Self::Password(Arc::new(UserPassword {
            mechanism,
            username,
            password,
            salted: SaltedPassword::default(),
        })))
    }
}

impl UserPassword {
    /// The salted password, computed once for each salt. Blocks.
    pub(super) fn salted(&self, mechanism: ScramMechanism, salt: &[u8], iterations: u32) -> Bytes {
        let compute = || mechanism.salted_password(self.password.as_bytes(), salt, iterations);
        self.salted.get(salt, iterations, compute)
    }
}

impl fmt::Debug for UserPassword {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPassword")
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(mechanism) => mechanism.name(),
        }
    }
}
