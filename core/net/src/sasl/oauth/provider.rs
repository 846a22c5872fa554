//! Token providers.

use std::future::Future;
use std::pin::Pin;

use super::OauthToken;

/// A token that is being fetched.
pub type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<OauthToken, TokenError>> + Send + 'a>>;

/// Provides the access tokens with which a client authenticates (`sasl.mechanism=OAUTHBEARER`).
///
/// Any function that returns a future of a token is a provider:
///
/// ```
/// # use headwater_net::{OauthToken, TokenError, TokenProvider};
/// # async fn ask_the_identity_provider() -> Result<String, std::io::Error> { Ok("eyJhbGciOiJub25lIn0.e30.".to_owned()) }
/// async fn token() -> Result<OauthToken, TokenError> {
///     let token = ask_the_identity_provider().await;
///     Ok(OauthToken::new(token.map_err(|error| TokenError::unavailable(error.to_string()))?))
/// }
/// let provider: std::sync::Arc<dyn TokenProvider> = std::sync::Arc::new(token);
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// Fetches a new token. All connections of a client share it. The client calls this again before the token expires,
    /// and when a broker refuses it.
    ///
    /// The client makes one call at a time, in its runtime, and gives up after `socket.connection.setup.timeout.ms`.
    fn token(&self) -> TokenFuture<'_>;
}

impl<F, T> TokenProvider for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<OauthToken, TokenError>> + Send + 'static,
{
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self())
    }
}

/// The reason why there is no token. The message must not contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TokenError {
    message: String,
    pub(super) is_refusal: bool,
}

impl TokenError {
    /// No token is available now; another attempt may help.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_refusal: false,
        }
    }

    /// The identity provider refused the request; another attempt does not help.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_refusal: true,
        }
    }
}
