//! The token of a client: fetched once for all its connections, and renewed before it expires.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use headwater_env::{Env as _, RealEnv};
use parking_lot::Mutex;

use super::{Extensions, OauthToken, TokenError, TokenProvider};
use crate::error::ConnectionError;

/// A token is renewed after this share of its lifetime, as in Kafka's clients (`sasl.login.refresh.window.factor`).
const LIFETIME_USED: f64 = 0.8;
/// The pause after a failed renewal while the token is still valid.
const RETRY_MS: i64 = 10_000;

/// The current token and its provider. May be used concurrently.
pub(crate) struct Bearer {
    source: Arc<Source>,
    extensions: Extensions,
}

/// A token for one connection.
#[derive(Debug, Clone)]
pub(crate) struct BearerToken {
    token: OauthToken,
    /// Whether another connection may have used it.
    is_reused: bool,
}

impl BearerToken {
    pub(crate) fn value(&self) -> &str {
        self.token.value()
    }
}

/// A fetch that all callers wait for. It continues when they stop waiting.
type TokenFetch = Shared<BoxFuture<'static, Result<OauthToken, ConnectionError>>>;

/// Milliseconds since the Unix epoch.
type Clock = Box<dyn Fn() -> i64 + Send + Sync>;

struct Source {
    provider: Arc<dyn TokenProvider>,
    timeout: Duration,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<ValidToken>,
    fetching: Option<TokenFetch>,
}

struct ValidToken {
    token: OauthToken,
    /// When it expires.
    until_ms: i64,
    /// When the next token is fetched.
    renew_ms: i64,
}

impl Bearer {
    /// Uses the tokens of `provider`, each of which must arrive within `timeout`.
    pub(crate) fn new(
        provider: Arc<dyn TokenProvider>,
        extensions: Extensions,
        timeout: Duration,
    ) -> Self {
        Self::with_clock(
            provider,
            extensions,
            timeout,
            Box::new(|| RealEnv.wall_clock_ms()),
        )
    }

    fn with_clock(
        provider: Arc<dyn TokenProvider>,
        extensions: Extensions,
        timeout: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            source: Arc::new(Source {
                provider,
                timeout,
                clock,
                state: Mutex::default(),
            }),
            extensions,
        }
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// A token that has not expired. Waits for a new one only if there is none; the background renews a token when its
    /// lifetime is nearly used.
    pub(crate) async fn current(&self) -> Result<BearerToken, ConnectionError> {
        let (valid, fetching) = self.source.valid_or_fetch();
        if let Some(token) = valid {
            return Ok(BearerToken {
                token,
                is_reused: true,
            });
        }
        match fetching {
            Some(fetching) => Ok(BearerToken {
                token: fetching.await?,
                is_reused: false,
            }),
            None => Err(interrupted()),
        }
    }

    /// Handles a token that the broker refused with `error`. The token is not used again. If other connections had used
    /// it before, it may have been revoked, and the returned error allows an attempt with a new one.
    pub(crate) fn refused(&self, token: &BearerToken, error: &ConnectionError) -> ConnectionError {
        if !error.is_refusal() {
            return error.clone();
        }
        let mut state = self.source.state.lock();
        let is_kept = |valid: &ValidToken| valid.token == token.token;
        if state.token.as_ref().is_some_and(is_kept) {
            state.token = None;
        }
        if token.is_reused {
            ConnectionError::stale_token(error.to_string())
        } else {
            error.clone()
        }
    }
}

impl fmt::Debug for Bearer {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").finish_non_exhaustive()
    }
}

impl Source {
    /// The valid token, if there is one, and the running fetch of the next one, if that is due.
    fn valid_or_fetch(self: &Arc<Self>) -> (Option<OauthToken>, Option<TokenFetch>) {
        let now_ms = (self.clock)();
        let mut state = self.state.lock();
        let known = state.token.as_ref();
        let valid = known
            .filter(|valid| now_ms < valid.until_ms)
            .map(|valid| valid.token.clone());
        let is_due = known.is_none_or(|valid| now_ms >= valid.renew_ms.min(valid.until_ms));
        let fetching = is_due.then(|| {
            let fetching = state.fetching.take().unwrap_or_else(|| self.start());
            state.fetching = Some(fetching.clone());
            fetching
        });
        (valid, fetching)
    }

    fn start(self: &Arc<Self>) -> TokenFetch {
        let source = Arc::clone(self);
        let task = tokio::spawn(async move {
            let fetched = tokio::time::timeout(source.timeout, source.provider.token()).await;
            let fetched = fetched.unwrap_or_else(|_| Err(too_late(source.timeout)));
            source.finish(fetched)
        });
        let source = Arc::clone(self);
        let fetched = async move {
            task.await.unwrap_or_else(|_| {
                // The fetch ended without a result, so nothing else removes it.
                source.state.lock().fetching = None;
                Err(interrupted())
            })
        };
        fetched.boxed().shared()
    }

    fn finish(
        &self,
        fetched: Result<OauthToken, TokenError>,
    ) -> Result<OauthToken, ConnectionError> {
        let now_ms = (self.clock)();
        let checked = fetched.and_then(|token| check(token, now_ms));
        let mut state = self.state.lock();
        state.fetching = None;
        match checked {
            Ok(token) => {
                state.token = token.expiry_ms().map(|until_ms| ValidToken {
                    token: token.clone(),
                    until_ms,
                    renew_ms: now_ms + ((until_ms - now_ms) as f64 * LIFETIME_USED) as i64,
                });
                Ok(token)
            }
            Err(error) => {
                if let Some(valid) = &mut state.token
                    && now_ms < valid.until_ms
                {
                    tracing::warn!(%error, "the OAUTHBEARER token could not be renewed; the old one is used until it expires");
                    valid.renew_ms = now_ms + RETRY_MS;
                }
                Err(no_token(&error))
            }
        }
    }
}

fn check(token: OauthToken, now_ms: i64) -> Result<OauthToken, TokenError> {
    if !token.is_well_formed() {
        return Err(TokenError::refused(
            "it is empty, or has characters that RFC 6750 does not allow: pass the access token alone, without `Bearer`",
        ));
    }
    if token
        .expiry_ms()
        .is_some_and(|expiry_ms| expiry_ms <= now_ms)
    {
        return Err(TokenError::unavailable(
            "it has already expired: pass a new one, or check the clocks",
        ));
    }
    Ok(token)
}

fn too_late(timeout: Duration) -> TokenError {
    TokenError::unavailable(format!(
        "none arrived within {} ms: check its source, or raise socket.connection.setup.timeout.ms",
        timeout.as_millis()
    ))
}

fn no_token(error: &TokenError) -> ConnectionError {
    let message = format!("There is no token for OAUTHBEARER ({error})");
    if error.is_refusal {
        ConnectionError::authentication(message)
    } else {
        ConnectionError::no_token(message)
    }
}

/// The task ended with its runtime, or it panicked.
fn interrupted() -> ConnectionError {
    ConnectionError::no_token("The fetch of the token was interrupted: try again")
}

#[cfg(test)]
#[path = "bearer_tests.rs"]
mod tests;
