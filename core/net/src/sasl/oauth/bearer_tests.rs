//! Tests of when tokens are fetched.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::error::ConnectionErrorKind;

const LIFETIME_MS: i64 = 1_000_000;

/// A clock, and a provider that numbers its tokens.
struct Setup {
    bearer: Arc<Bearer>,
    now_ms: Arc<AtomicI64>,
    fetches: Arc<AtomicU32>,
    /// Each permit lets one fetch complete.
    permits: Arc<Semaphore>,
    is_failing: Arc<Mutex<Option<TokenError>>>,
}

impl Setup {
    fn new() -> Self {
        let now_ms = Arc::new(AtomicI64::new(1_700_000_000_000));
        let fetches = Arc::new(AtomicU32::new(0));
        let permits = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let is_failing: Arc<Mutex<Option<TokenError>>> = Arc::default();
        let provider = {
            let (now_ms, fetches) = (Arc::clone(&now_ms), Arc::clone(&fetches));
            let (permits, is_failing) = (Arc::clone(&permits), Arc::clone(&is_failing));
            move || {
                let number = fetches.fetch_add(1, Ordering::SeqCst) + 1;
                let expiry_ms = now_ms.load(Ordering::SeqCst) + LIFETIME_MS;
                let (permits, is_failing) = (Arc::clone(&permits), Arc::clone(&is_failing));
                async move {
                    permits.acquire().await.unwrap().forget();
                    match &*is_failing.lock() {
                        Some(error) => Err(error.clone()),
                        None => {
                            Ok(OauthToken::new(format!("token-{number}")).expires_at_ms(expiry_ms))
                        }
                    }
                }
            }
        };
        let clock = Arc::clone(&now_ms);
        let bearer = Bearer::with_clock(
            Arc::new(provider),
            Extensions::default(),
            Duration::from_secs(10),
            Box::new(move || clock.load(Ordering::SeqCst)),
        );
        Self {
            bearer: Arc::new(bearer),
            now_ms,
            fetches,
            permits,
            is_failing,
        }
    }

    async fn token(&self) -> String {
        self.bearer.current().await.unwrap().value().to_owned()
    }

    fn advance(&self, share: f64) {
        let step = (LIFETIME_MS as f64 * share) as i64;
        self.now_ms.fetch_add(step, Ordering::SeqCst);
    }

    fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Lets the fetches in the background complete.
    async fn settle(&self) {
        while self.bearer.source.state.lock().fetching.is_some() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn all_connections_share_one_fetch_and_its_token() {
    let setup = Setup::new();
    let tokens = (0..10).map(|_| setup.token());
    let tokens = futures_util::future::join_all(tokens).await;
    assert!(tokens.iter().all(|token| token == "token-1"), "{tokens:?}");
    setup.advance(0.7);
    assert_eq!(setup.token().await, "token-1");
    assert_eq!(setup.fetches(), 1);
}

#[tokio::test]
async fn a_new_token_is_fetched_in_the_background_before_the_old_one_expires() {
    let setup = Setup::new();
    setup.token().await;
    setup.permits.forget_permits(Semaphore::MAX_PERMITS);
    setup.advance(0.85);
    // The provider hangs, but no caller waits for it.
    assert_eq!(setup.token().await, "token-1");
    assert_eq!(setup.token().await, "token-1");
    setup.permits.add_permits(1);
    setup.settle().await;
    assert_eq!(setup.token().await, "token-2");
    assert_eq!(setup.fetches(), 2);
}

#[tokio::test]
async fn an_expired_token_is_not_used() {
    let setup = Setup::new();
    setup.token().await;
    setup.advance(1.0);
    assert_eq!(setup.token().await, "token-2");
}

#[tokio::test]
async fn a_failed_renewal_has_no_effect_before_the_token_expires() {
    let setup = Setup::new();
    setup.token().await;
    *setup.is_failing.lock() = Some(TokenError::unavailable("down"));
    setup.advance(0.9);
    assert_eq!(setup.token().await, "token-1");
    setup.settle().await;
    assert_eq!(setup.token().await, "token-1");
    assert_eq!(setup.fetches(), 2, "it pauses before it tries again");
    setup.advance(0.1);
    let error = setup.bearer.current().await.unwrap_err();
    assert!(error.to_string().contains("down"), "{error}");
    assert!(!error.is_refusal());
    *setup.is_failing.lock() = None;
    assert_eq!(setup.token().await, "token-4");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let setup = Setup::new();
    let refusal = ConnectionError::authentication("no");
    let first = setup.bearer.current().await.unwrap();
    let again = setup.bearer.current().await.unwrap();
    let error = setup.bearer.refused(&again, &refusal);
    assert_eq!(error.kind, ConnectionErrorKind::StaleToken);
    let next = setup.bearer.current().await.unwrap();
    assert_eq!(next.value(), "token-2");
    // The first connection was refused too, but that does not concern the new token.
    assert!(setup.bearer.refused(&first, &refusal).is_refusal());
    assert_eq!(setup.token().await, "token-2");
    // This token was fetched for this connection, so another one would be refused as well.
    assert!(setup.bearer.refused(&next, &refusal).is_refusal());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_stop_the_fetch() {
    let setup = Setup::new();
    setup.permits.forget_permits(Semaphore::MAX_PERMITS);
    let given_up = tokio::time::timeout(Duration::from_millis(20), setup.bearer.current()).await;
    assert!(given_up.is_err());
    setup.permits.add_permits(1);
    assert_eq!(setup.token().await, "token-1");
    assert_eq!(setup.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_token_has_a_time_limit() {
    let setup = Setup::new();
    setup.permits.forget_permits(Semaphore::MAX_PERMITS);
    let error = setup.bearer.current().await.unwrap_err();
    assert!(error.to_string().contains("within 10000 ms"), "{error}");
}

#[tokio::test]
async fn a_provider_that_panicked_can_be_called_again() {
    let is_first = Arc::new(AtomicU32::new(0));
    let provider = move || {
        let number = is_first.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(number > 0, "the first call panics");
            Ok(OauthToken::new("token"))
        }
    };
    let bearer = Bearer::new(
        Arc::new(provider),
        Extensions::default(),
        Duration::from_secs(10),
    );
    assert!(bearer.current().await.is_err());
    assert_eq!(bearer.current().await.unwrap().value(), "token");
}

#[tokio::test]
async fn a_token_without_an_expiry_is_used_once() {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let provider = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(OauthToken::new("opaque")) }
    };
    let bearer = Bearer::new(
        Arc::new(provider),
        Extensions::default(),
        Duration::from_secs(10),
    );
    bearer.current().await.unwrap();
    bearer.current().await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_with_other_characters_is_refused_and_not_repeated() {
    let provider = || async { Ok(OauthToken::new("Bearer topsecret")) };
    let bearer = Bearer::new(
        Arc::new(provider),
        Extensions::default(),
        Duration::from_secs(10),
    );
    let error = bearer.current().await.unwrap_err();
    assert!(error.is_refusal());
    let shown = format!("{error} {error:?} {bearer:?}");
    assert!(
        shown.contains("without `Bearer`") && !shown.contains("topsecret"),
        "{shown}"
    );
}
