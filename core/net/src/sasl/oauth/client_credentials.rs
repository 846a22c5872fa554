//! Fetches tokens from an identity provider with the grant `client_credentials` (RFC 6749, KIP-768).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use form_urlencoded::{Serializer, byte_serialize};
use headwater_env::{Env as _, RealEnv};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::Deserialize;

use super::endpoint::Answer;
use super::{OauthToken, TokenEndpoint, TokenError, TokenFuture, TokenProvider};
use crate::sasl::hide;

/// A client of an identity provider.
pub(crate) struct ClientCredentials {
    endpoint: TokenEndpoint,
    client_id: String,
    client_secret: String,
    scope: String,
    /// `sasl.oauthbearer.header.urlencode`
    urlencode: bool,
}

/// The success response of a token endpoint (RFC 6749, 5.1).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    /// Seconds.
    expires_in: Option<f64>,
}

/// The error response of a token endpoint (RFC 6749, 5.2).
#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

impl ClientCredentials {
    pub(crate) fn new(
        endpoint: TokenEndpoint,
        client_id: String,
        client_secret: String,
        scope: String,
        urlencode: bool,
    ) -> Self {
        Self {
            endpoint,
            client_id,
            client_secret,
            scope,
            urlencode,
        }
    }

    async fn fetch(&self) -> Result<OauthToken, TokenError> {
        let asked_ms = RealEnv.wall_clock_ms();
        let answer = self
            .endpoint
            .post(self.authorization()?, self.form())
            .await?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(&answer));
        }
        let granted: TokenResponse = serde_json::from_slice(&answer.body).map_err(|_| {
            TokenError::unavailable(format!(
                "{} answered without an access_token in JSON: check sasl.oauthbearer.token.endpoint.url",
                self.endpoint
            ))
        })?;
        let token = OauthToken::new(granted.access_token);
        Ok(match granted.expires_in {
            // `expires_in` is relative to this clock, unlike the claim `exp`, so the clocks may differ.
            Some(seconds) => token.expires_at_ms(asked_ms + (seconds * 1_000.0) as i64),
            None => token,
        })
    }

    fn authorization(&self) -> Result<HeaderValue, TokenError> {
        let encoded = |text: &str| {
            if self.urlencode {
                byte_serialize(text.as_bytes()).collect()
            } else {
                text.to_owned()
            }
        };
        let pair = format!(
            "{}:{}",
            encoded(&self.client_id),
            encoded(&self.client_secret)
        );
        let basic = format!("Basic {}", BASE64.encode(pair));
        let mut header = HeaderValue::try_from(basic).map_err(|_| {
            TokenError::refused("the client's id or secret contains characters that cannot be sent")
        })?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !self.scope.is_empty() {
            form.append_pair("scope", &self.scope);
        }
        form.finish()
    }

    fn refusal(&self, answer: &Answer) -> TokenError {
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let reasons = [refusal.error, refusal.error_description];
        let reasons: Vec<String> = reasons
            .into_iter()
            .flatten()
            .map(|reason| hide(&reason, &self.client_secret))
            .collect();
        let reason = reasons.join(": ");
        let (endpoint, status) = (&self.endpoint, answer.status.as_u16());
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return TokenError::unavailable(format!(
                "{endpoint} answered {status} {reason}: another attempt may help"
            ));
        }
        TokenError::refused(format!(
            "{endpoint} refused the client with {status} {reason}: check sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.scope and the client's id and secret"
        ))
    }
}

impl TokenProvider for ClientCredentials {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self.fetch())
    }
}
