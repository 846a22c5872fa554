//! Fetches that wait for a partition to grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A waiting fetch. Any of its partitions can wake it; a wake-up before the wait is not lost.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    notify: Notify,
}

impl Waiter {
    /// Returns at the first wake-up since the last return.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}

/// The fetches that wait for one partition. Without fetches `wake` costs one load.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    count: AtomicUsize,
    list: Mutex<Vec<Arc<Waiter>>>,
}

impl Waiters {
    /// Registers `waiter`. The caller checks the partition again afterwards.
    pub(crate) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock();
        list.push(Arc::clone(waiter));
        self.count.store(list.len(), Ordering::SeqCst);
    }

    /// Unregisters `waiter`.
    pub(crate) fn remove(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock();
        if let Some(at) = list.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            list.swap_remove(at);
        }
        self.count.store(list.len(), Ordering::SeqCst);
    }

    /// Wakes all waiters. The caller has published the new records with sequential consistency before.
    pub(crate) fn wake(&self) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        for waiter in self.list.lock().iter() {
            waiter.notify.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_woken(waiter: &Waiter) -> bool {
        let mut woken = pin!(waiter.woken());
        woken.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn a_wake_up_before_the_wait_is_not_lost() {
        let (waiters, waiter) = (Waiters::default(), Arc::new(Waiter::default()));
        waiters.add(&waiter);
        waiters.wake();
        waiters.wake();
        assert!(is_woken(&waiter));
        assert!(
            !is_woken(&waiter),
            "many wake-ups before a wait count as one"
        );
    }

    #[test]
    fn an_unregistered_waiter_is_not_woken() {
        let waiters = Waiters::default();
        let (gone, stays) = (Arc::new(Waiter::default()), Arc::new(Waiter::default()));
        waiters.add(&gone);
        waiters.add(&stays);
        waiters.remove(&gone);
        waiters.wake();
        assert!(!is_woken(&gone));
        assert!(is_woken(&stays));
    }
}
