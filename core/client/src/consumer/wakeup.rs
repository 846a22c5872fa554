//! Ends a call that waits, from another thread.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::cluster::Cluster;
use crate::error::{Error, ErrorKind, Result};

/// Ends a waiting call of a [`Consumer`](super::Consumer). Any thread may use it at any time; clones belong to the same consumer.
#[derive(Debug, Clone, Default)]
pub struct WakeupHandle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    woken: AtomicBool,
    closed: AtomicBool,
    changed: Notify,
}

impl WakeupHandle {
    /// The call that waits fails with [`ErrorKind::Wakeup`]; if none waits, the next one that may does. As Java's `wakeup()`.
    pub fn wakeup(&self) {
        self.0.woken.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// The call that waits fails with [`ErrorKind::Closed`], and so does every later one: [`Consumer::close`](super::Consumer::close)
    /// can follow.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }

    /// Takes [`WakeupHandle::close`] back: calls that were waiting have failed, and later ones work again. For a caller that closes in steps,
    /// and whose own calls in between must not fail.
    pub fn reopen(&self) {
        self.0.closed.store(false, Ordering::Release);
    }

    /// Fails if the consumer was woken since the last failure, or closed.
    pub fn check(&self) -> Result<()> {
        if self.is_closed() {
            return Err(closed());
        }
        // A load is cheaper than a swap, and mostly there is nothing to take.
        if self.0.woken.load(Ordering::Acquire) && self.0.woken.swap(false, Ordering::AcqRel) {
            return Err(woken());
        }
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    async fn raised(&self) -> Error {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            self.0.changed.notified().await;
        }
    }

    /// `work`, unless the consumer is woken or closed, or its client is closed, before it is done. Work that is given up must lose
    /// nothing.
    pub(super) async fn end<T>(
        &self,
        cluster: &Cluster,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            error = self.raised() => Err(error),
            () = cluster.closed() => Err(client_closed()),
            result = work => result,
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The consumer is closed: make a new one to read on.",
    )
}

fn client_closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The client of the consumer is closed: open it again to read on.",
    )
}

fn woken() -> Error {
    Error::new(
        ErrorKind::Wakeup,
        "The consumer was woken with wakeup(): nothing is lost, and the next call goes on.",
    )
}
