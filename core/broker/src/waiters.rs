//! Who waits for a partition to grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// One waiting fetch. It is woken by any of the partitions it registered with, and a wake-up before it waits is not lost.
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

/// The fetches that wait for one partition. Waking none costs one load.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    count: AtomicUsize,
    list: Mutex<Vec<Arc<Waiter>>>,
}

impl Waiters {
    /// From now on `waiter` is woken here. Whoever registers looks at the partition again afterwards.
    pub(crate) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock();
        list.push(Arc::clone(waiter));
        self.count.store(list.len(), Ordering::SeqCst);
    }

    /// `waiter` is not woken here any more.
    pub(crate) fn remove(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock();
        if let Some(at) = list.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            list.swap_remove(at);
        }
        self.count.store(list.len(), Ordering::SeqCst);
    }

    /// Wakes all. The caller has published what they wait for, with sequential consistency, before.
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
    fn who_left_is_not_woken() {
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
