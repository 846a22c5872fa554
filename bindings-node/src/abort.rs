//! Aborts a waiting call, for an `AbortSignal`.

use std::sync::Arc;

use napi_derive::napi;
use tokio::sync::watch;

/// Aborts the call that it was passed to.
#[napi]
#[derive(Debug)]
pub struct Abort {
    aborted: Arc<watch::Sender<bool>>,
}

#[napi]
impl Abort {
    /// Creates one for a single call.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self {
            aborted: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Aborts the call, unless it has ended.
    #[napi(catch_unwind)]
    pub fn abort(&self) {
        self.aborted.send_replace(true);
    }
}

impl Abort {
    /// Completes when the call is aborted.
    pub(crate) fn aborted(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut aborted = self.aborted.subscribe();
        async move {
            if aborted.wait_for(|aborted| *aborted).await.is_err() {
                // The object was dropped: the call can no longer be aborted.
                std::future::pending::<()>().await;
            }
        }
    }
}
