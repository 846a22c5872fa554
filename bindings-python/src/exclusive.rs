//! A value for one call at a time. A call takes it, also across waits, and returns it at its end; or a thread uses it
//! in place.
//!
//! Using a free value in place costs two atomic operations, which matters for every message of a consumer.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A value for one call at a time.
#[derive(Debug)]
pub(crate) struct Exclusive<T> {
    /// Empty while a call has the value. Locked only briefly, or while the value is used in place. Calls only try to
    /// lock it: Python code may run while the value is used, and may make calls in the same thread.
    value: Mutex<Option<Box<T>>>,
    returned: Notify,
}

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Arc<Self> {
        Arc::new(Self {
            value: Mutex::new(Some(Box::new(value))),
            returned: Notify::new(),
        })
    }

    /// Uses the value in place; returns `None` if a call has it.
    #[inline]
    pub(crate) fn use_in_place<R>(&self, function: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut value = self.value.try_lock()?;
        value.as_deref_mut().map(function)
    }

    /// Takes the value, unless another call or thread has it.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<ExclusiveGuard<T>> {
        let value = self.value.try_lock()?.take()?;
        Some(self.taken(value))
    }

    /// Takes the value after the calls that have it.
    pub(crate) async fn take(self: &Arc<Self>) -> ExclusiveGuard<T> {
        loop {
            let returned = self.returned.notified();
            match self.value.try_lock().map(|mut value| value.take()) {
                Some(Some(value)) => return self.taken(value),
                // A call has the value, and notifies when it returns it.
                Some(None) => returned.await,
                // A thread is using the value in place, briefly.
                None => tokio::task::yield_now().await,
            }
        }
    }

    fn taken(self: &Arc<Self>, value: Box<T>) -> ExclusiveGuard<T> {
        ExclusiveGuard {
            value: Some(value),
            owner: Arc::clone(self),
        }
    }
}

/// A value that a call has taken.
#[derive(Debug)]
pub(crate) struct ExclusiveGuard<T> {
    value: Option<Box<T>>,
    owner: Arc<Exclusive<T>>,
}

const UNTIL_DROPPED: &str = "the value is set until the drop";

impl<T> Deref for ExclusiveGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(UNTIL_DROPPED)
    }
}

impl<T> DerefMut for ExclusiveGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(UNTIL_DROPPED)
    }
}

impl<T> Drop for ExclusiveGuard<T> {
    fn drop(&mut self) {
        // This waits only briefly: a taken value is not used in place.
        *self.owner.value.lock() = self.value.take();
        self.owner.returned.notify_one();
    }
}
