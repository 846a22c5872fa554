//! Starts the task of a future at its first wake.
//!
//! The thread that sends a request polls it once. With a task from then on, each request would wake a thread of the
//! runtime, only to poll the request again and wait. This way the response starts the task, in the thread that has
//! received it. A wake after the end of the runtime drops the future in the waking thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Wake, Waker};

use parking_lot::Mutex;
use tokio::runtime::Handle;

/// The waker of a future's first poll.
pub(super) struct SpawnOnWake {
    runtime: Handle,
    state: Mutex<State>,
}

enum State {
    /// The first poll runs.
    Polling,
    /// The wake came before the future.
    Woken,
    /// The future waits for its wake.
    Waiting(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// The future has its task.
    Spawned,
}

impl SpawnOnWake {
    /// For tasks of this runtime.
    pub(super) fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            state: Mutex::new(State::Polling),
        })
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Sets the future, which contains the one that was polled. If that was woken meanwhile, the task starts at once.
    pub(super) fn set(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state.lock();
        if matches!(*state, State::Woken) {
            *state = State::Spawned;
            drop(state);
            self.runtime.spawn(future);
        } else {
            *state = State::Waiting(Box::pin(future));
        }
    }
}

impl Wake for SpawnOnWake {
    fn wake(self: Arc<Self>) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Spawned) {
            State::Polling | State::Woken => *state = State::Woken,
            State::Waiting(future) => {
                drop(state);
                self.runtime.spawn(future);
            }
            State::Spawned => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rstest::rstest;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Order {
        WokenFirst,
        SetFirst,
    }

    #[rstest]
    fn the_wake_starts_the_task_whenever_it_comes(
        #[values(Order::WokenFirst, Order::SetFirst)] order: Order,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let spawn = SpawnOnWake::new(runtime.handle().clone());
        let (waker, has_run) = (spawn.waker(), Arc::new(AtomicBool::new(false)));
        let runs = || {
            runtime.block_on(tokio::task::yield_now());
            has_run.load(Ordering::SeqCst)
        };
        let set = || {
            let has_run = Arc::clone(&has_run);
            spawn.set(async move { has_run.store(true, Ordering::SeqCst) });
        };
        if order == Order::WokenFirst {
            waker.wake_by_ref();
            set();
        } else {
            set();
            assert!(!runs());
            waker.wake_by_ref();
        }
        assert!(runs());
        waker.wake();
    }

    /// The runtime has ended before the response: the future is dropped, and so fails its batches.
    #[test]
    fn a_wake_after_the_end_of_the_runtime_drops_the_future() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let spawn = SpawnOnWake::new(runtime.handle().clone());
        let held = Arc::new(());
        let in_future = Arc::clone(&held);
        spawn.set(async move { drop(in_future) });
        drop(runtime);
        assert_eq!(Arc::strong_count(&held), 2);
        spawn.waker().wake();
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
