//! Authenticates a connection (SASL, KIP-152).

mod credentials;
mod oauth;
mod plain;
mod salted;
mod scram;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_metadata::ScramMechanism;
use headwater_protocol::{
    ApiKey, ErrorCode, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};

use crate::connect::Handshake;
use crate::error::{ConnectionError, authentication_refused};
use credentials::{Mechanism, UserPassword};
use oauth::message;
use scram::ScramClient;

pub(crate) use credentials::Credentials;
pub(crate) use oauth::{Bearer, ClientCredentials, Extensions, TokenEndpoint};
pub use oauth::{OauthToken, TokenError, TokenFuture, TokenProvider};

/// Replaces a secret in a broker's text.
const HIDDEN: &str = "***";

/// Authenticates a connection. Returns the lifetime of the authentication; `None`: unlimited (KIP-368). `step` is set
/// to the current step, for messages.
pub(crate) async fn authenticate(
    handshake: &mut Handshake,
    credentials: &Credentials,
    step: &mut &'static str,
) -> Result<Option<Duration>, ConnectionError> {
    match credentials {
        Credentials::Bearer(bearer) => {
            *step = "authenticating";
            choose_mechanism(handshake, message::MECHANISM).await?;
            *step = "waiting for the OAUTHBEARER token";
            let token = bearer.current().await?;
            *step = "authenticating";
            let shown = authenticate_with_token(handshake, bearer, token.value()).await;
            shown.map_err(|error| bearer.refused(&token, &error))
        }
        Credentials::Password(password) => {
            *step = "authenticating";
            choose_mechanism(handshake, password.mechanism.name()).await?;
            match password.mechanism {
                Mechanism::Plain => {
                    let token = plain::token(&password.username, &password.password);
                    let answer = exchange(handshake, token, &password.password).await?;
                    Ok(lifetime(&answer))
                }
                Mechanism::Scram(mechanism) => scram(handshake, password, mechanism).await,
            }
        }
    }
}

async fn scram(
    handshake: &mut Handshake,
    password: &Arc<UserPassword>,
    mechanism: ScramMechanism,
) -> Result<Option<Duration>, ConnectionError> {
    let client = ScramClient::new(mechanism, &password.username, &scram::nonce());
    let challenge = exchange(handshake, client.first_message(), &password.password).await?;
    let salting = Arc::clone(password);
    // Thousands of hashes: keep them out of the threads that drive connections.
    let proving = tokio::task::spawn_blocking(move || {
        client.prove(&challenge.auth_bytes, |salt, iterations| {
            salting.salted(mechanism, salt, iterations)
        })
    });
    let proof = proving
        .await
        .map_err(|_| ConnectionError::unreachable("The authentication was interrupted"))??;
    let answer = exchange(handshake, proof.message.clone(), &password.password).await?;
    proof.verify(&answer.auth_bytes)?;
    Ok(lifetime(&answer))
}

/// OAUTHBEARER (RFC 7628): sends the token and, after a refusal, one more message.
async fn authenticate_with_token(
    handshake: &mut Handshake,
    bearer: &Bearer,
    token: &str,
) -> Result<Option<Duration>, ConnectionError> {
    let first = message::first(token, bearer.extensions());
    let answer = exchange(handshake, first, token).await?;
    if answer.auth_bytes.is_empty() {
        return Ok(lifetime(&answer));
    }
    let reason = message::status(&answer.auth_bytes);
    // After this message the broker fails the exchange, with or without its own reason.
    match exchange(handshake, message::END, token).await {
        Err(error) if reason.is_none() => Err(error),
        _ => Err(authentication_refused(
            ErrorCode::SaslAuthenticationFailed,
            reason.map(|reason| hide(&reason, token)).as_deref(),
        )),
    }
}

/// Requests the mechanism, in version 1: then the messages follow in `SaslAuthenticate` requests.
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

/// Sends one message to the broker and returns its answer. Removes `secret` from a broker's error text.
async fn exchange(
    handshake: &mut Handshake,
    message: Bytes,
    secret: &str,
) -> Result<SaslAuthenticateResponse, ConnectionError> {
    let request = SaslAuthenticateRequest {
        auth_bytes: message,
        ..SaslAuthenticateRequest::default()
    };
    let response = handshake.call(request).await?;
    match ErrorCode::from_code(response.error_code) {
        ErrorCode::None => Ok(response),
        code => {
            let reason = response.error_message.as_deref();
            let reason = reason.map(|reason| hide(reason, secret));
            Err(authentication_refused(code, reason.as_deref()))
        }
    }
}

/// Removes a secret from a text of the other side.
fn hide(text: &str, secret: &str) -> String {
    text.replace(secret, HIDDEN)
}

fn lifetime(answer: &SaslAuthenticateResponse) -> Option<Duration> {
    let lifetime_ms = u64::try_from(answer.session_lifetime_ms).ok()?;
    (lifetime_ms > 0).then(|| Duration::from_millis(lifetime_ms))
}
