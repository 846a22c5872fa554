//! A value for one call at a time. A call takes it, also across waits, and returns it at its end; or a thread uses it
//! in place.
//!
//! Calls that wait get the value in the order in which they were made. Using a free value in place costs two atomic
//! operations, which matters for every message of a consumer.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// A value for one call at a time.
#[derive(Debug)]
pub(crate) struct Exclusive<T> {
    /// Empty while a call has the value. Locked only briefly, or while the value is used in place. Calls only try to
    /// lock it: Python code may run while the value is used, and may make calls in the same thread.
    value: Mutex<Option<Box<T>>>,
    /// The calls that wait for the value. Locked only briefly, and before `value`.
    waiting: Mutex<VecDeque<oneshot::Sender<ExclusiveGuard<T>>>>,
}

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Arc<Self> {
        Arc::new(Self {
            value: Mutex::new(Some(Box::new(value))),
            waiting: Mutex::default(),
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

    /// Takes the value after the calls that have it or wait for it. The call gets its place now, not when the future is
    /// polled.
    pub(crate) fn take(self: &Arc<Self>) -> impl Future<Output = ExclusiveGuard<T>> + Send + use<T>
    where
        T: Send + 'static,
    {
        let (sender, turn) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        waiting.retain(|other| !other.is_closed());
        waiting.push_back(sender);
        drop(waiting);
        let owner = Arc::clone(self);
        let mut is_offered = owner.offer();
        async move {
            while !is_offered {
                // A thread is using the value in place, briefly.
                tokio::task::yield_now().await;
                is_offered = owner.offer();
            }
            turn.await.expect("every call passes the value on")
        }
    }

    /// Passes a free value to the first call that waits. Returns false if a thread is using it in place.
    fn offer(self: &Arc<Self>) -> bool {
        let mut waiting = self.waiting.lock();
        let Some(mut value) = self.value.try_lock() else {
            return false;
        };
        if let Some(free) = value.take() {
            *value = self.pass_on(&mut waiting, free);
        }
        true
    }

    /// Passes the value to the first call that waits. Returns it if there is none.
    fn pass_on(
        self: &Arc<Self>,
        waiting: &mut VecDeque<oneshot::Sender<ExclusiveGuard<T>>>,
        value: Box<T>,
    ) -> Option<Box<T>> {
        let mut guard = self.taken(value);
        while let Some(next) = waiting.pop_front() {
            match next.send(guard) {
                Ok(()) => return None,
                // The call was cancelled.
                Err(returned) => guard = returned,
            }
        }
        guard.value.take()
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
        let Some(value) = self.value.take() else {
            return;
        };
        let mut waiting = self.owner.waiting.lock();
        if let Some(free) = self.owner.pass_on(&mut waiting, value) {
            // This waits only briefly: a taken value is not used in place.
            *self.owner.value.lock() = Some(free);
        }
    }
}
