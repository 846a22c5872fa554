//! Authenticates a connection (SASL, KIP-152).

mod plain;
mod scram;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use headwater_client::Result;
use headwater_metadata::ScramMechanism;
use headwater_protocol::{
    ApiKey, ErrorCode, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};

use crate::config::config_error;
use crate::connect::Handshake;
use crate::error::{ConnectionError, authentication_refused};
use scram::ScramClient;

/// A user with a password, and the mechanism that proves it.
pub(crate) struct Credentials {
    mechanism: Mechanism,
    username: String,
    password: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Plain,
    Scram(ScramMechanism),
}

impl Credentials {
    /// `mechanism` as SASL names it.
    pub(crate) fn new(mechanism: &str, username: String, password: String) -> Result<Self> {
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
        Ok(Self {
            mechanism,
            username,
            password,
        })
    }
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(mechanism) => mechanism.name(),
        }
    }
}

/// Authenticates. Returns how long the authentication is valid; `None`: as long as the connection (KIP-368).
pub(crate) async fn authenticate(
    handshake: &mut Handshake,
    credentials: &Credentials,
) -> Result<Option<Duration>, ConnectionError> {
    choose_mechanism(handshake, credentials.mechanism.name()).await?;
    match credentials.mechanism {
        Mechanism::Plain => {
            let token = plain::token(&credentials.username, &credentials.password);
            let answer = exchange(handshake, token).await?;
            Ok(lifetime(&answer))
        }
        Mechanism::Scram(mechanism) => {
            let client = ScramClient::new(mechanism, &credentials.username, &scram::nonce());
            let challenge = exchange(handshake, client.first_message()).await?;
            let password = credentials.password.clone();
            // Thousands of hashes: not in a thread that drives connections.
            let proving =
                tokio::task::spawn_blocking(move || client.prove(&password, &challenge.auth_bytes));
            let proof = proving.await.map_err(|_| {
                ConnectionError::unreachable("The authentication was interrupted")
            })??;
            let answer = exchange(handshake, proof.message.clone()).await?;
            proof.verify(&answer.auth_bytes)?;
            Ok(lifetime(&answer))
        }
    }
}

/// Names the mechanism. Version 1: the messages follow in `SaslAuthenticate` requests.
async fn choose_mechanism(
    handshake: &mut Handshake,
    mechanism: &'static str,
) -> Result<(), ConnectionError> {
    let supported = handshake.versions().common(ApiKey::SaslHandshake);
    if supported.is_none_or(|versions| !versions.contains(1)) {
        return Err(no_sasl());
    }
    let request = SaslHandshakeRequest {
        mechanism: mechanism.into(),
    };
    let response = handshake.call(request).await?;
    match ErrorCode::from_code(response.error_code) {
        ErrorCode::None => Ok(()),
        ErrorCode::IllegalSaslState => Err(no_sasl()),
        ErrorCode::UnsupportedSaslMechanism => {
            let offered: Vec<&str> = response.mechanisms.iter().map(|name| &**name).collect();
            Err(ConnectionError::authentication(format!(
                "The broker does not accept {mechanism}: set sasl.mechanism to one that it accepts ({})",
                offered.join(", ")
            )))
        }
        code => Err(authentication_refused(code, None)),
    }
}

fn no_sasl() -> ConnectionError {
    ConnectionError::protocol(
        "The broker has no SASL on this listener: set security.protocol to PLAINTEXT or SSL, or use the port of its SASL listener",
    )
}

async fn exchange(
    handshake: &mut Handshake,
    message: Bytes,
) -> Result<SaslAuthenticateResponse, ConnectionError> {
    let request = SaslAuthenticateRequest {
        auth_bytes: message,
        ..SaslAuthenticateRequest::default()
    };
    let response = handshake.call(request).await?;
    match ErrorCode::from_code(response.error_code) {
        ErrorCode::None => Ok(response),
        code => Err(authentication_refused(
            code,
            response.error_message.as_deref(),
        )),
    }
}

fn lifetime(answer: &SaslAuthenticateResponse) -> Option<Duration> {
    let lifetime_ms = u64::try_from(answer.session_lifetime_ms).ok()?;
    (lifetime_ms > 0).then(|| Duration::from_millis(lifetime_ms))
}
