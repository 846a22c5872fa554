//! Interrupts a waiting call from another thread.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::cluster::Cluster;
use crate::error::{Error, ErrorKind, Result};

/// Interrupts a waiting call of a [`Consumer`](super::Consumer). Any thread may use it at any time; clones refer to the
/// same consumer.
#[derive(Debug, Clone, Default)]
pub struct WakeupHandle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    woken: AtomicBool,
    closed: AtomicBool,
    changed: Notify,
}

impl WakeupHandle {
    /// Fails the waiting call with [`ErrorKind::Wakeup`], or else the next call that may wait. Like `wakeup()` in the
    /// Java client.
    pub fn wakeup(&self) {
        self.0.woken.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// Fails the waiting call and every later one with [`ErrorKind::Closed`].
    /// [`Consumer::close`](super::Consumer::close) can follow.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// Undoes [`WakeupHandle::close`]: waiting calls have failed, and later ones work again.
    pub(super) fn reopen(&self) {
        self.0.closed.store(false, Ordering::Release);
    }

    /// Fails if the consumer is closed, or has an unreported wakeup.
    pub fn check(&self) -> Result<()> {
        if self.is_closed() {
            return Err(closed());
        }
        // A load is cheaper than a swap, and is usually false.
        if self.0.woken.load(Ordering::Acquire) && self.0.woken.swap(false, Ordering::AcqRel) {
            return Err(woken());
        }
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    async fn woken_or_closed(&self) -> Error {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            self.0.changed.notified().await;
        }
    }

    /// Runs `work` until it completes, the consumer is woken or closed, or its client is closed. `work` must be
    /// cancel-safe.
    pub(super) async fn interruptible<T>(
        &self,
        cluster: &Cluster,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            error = self.woken_or_closed() => Err(error),
            () = cluster.closed() => Err(client_closed()),
            result = work => result,
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The consumer is closed: create a new one to continue.",
    )
}

fn client_closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The consumer's client is closed: open it again to continue.",
    )
}

fn woken() -> Error {
    Error::new(
        ErrorKind::Wakeup,
        "The consumer was woken with wakeup(): no records were lost, and the next call continues.",
    )
}
