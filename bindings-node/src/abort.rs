//! Ends a waiting call: what an `AbortSignal` does.

use std::sync::Arc;

use napi_derive::napi;
use tokio::sync::watch;

/// Ends the call that it was passed to.
#[napi]
#[derive(Debug)]
pub struct Abort {
    aborted: Arc<watch::Sender<bool>>,
}

#[napi]
impl Abort {
    /// One for one call.
    #[napi(constructor, catch_unwind)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self {
            aborted: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Ends the call, unless it has ended.
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
                // Nobody can abort it any more.
                std::future::pending::<()>().await;
            }
        }
    }
}
