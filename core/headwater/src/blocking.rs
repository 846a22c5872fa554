//! Blocks a thread on a future.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future in this thread until it is ready. Unlike [`Handle::block_on`] it may also be called in a thread of a
/// runtime. `runtime` drives the timers of the future.
pub(crate) fn block_on<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll_until(runtime, future.as_mut(), None) {
            return output;
        }
    }
}

/// Polls a future in this thread until it is ready or `limit` has passed; then it is still pending and may be polled
/// again.
///
/// It sets no timer in `runtime`, which would wake one of its threads: for a short call that would cost as much as the
/// call. `runtime` drives the timers of the future.
pub fn block_on_for<F: Future>(
    runtime: &Handle,
    future: Pin<&mut F>,
    limit: Duration,
) -> Poll<F::Output> {
    poll_until(runtime, future, Instant::now().checked_add(limit))
}

fn poll_until<F: Future>(
    runtime: &Handle,
    mut future: Pin<&mut F>,
    deadline: Option<Instant>,
) -> Poll<F::Output> {
    let _entered = runtime.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Poll::Ready(output);
        }
        let Some(deadline) = deadline else {
            thread::park();
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Pending;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_a_runtime_can_block() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .expect("the system can start two threads");
        let handle = runtime.handle().clone();
        let blocked = async move {
            block_on(&handle, tokio::time::sleep(Duration::from_millis(1)));
            7
        };
        let task = runtime.spawn(blocked);
        assert_eq!(runtime.block_on(task).ok(), Some(7));
    }

    #[test]
    fn a_future_that_is_not_ready_in_time_can_be_polled_again() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("the system can start a thread");
        let (send, received) = tokio::sync::oneshot::channel();
        let mut received = pin!(received);
        let mut wait =
            |limit| block_on_for(runtime.handle(), received.as_mut(), limit).map(Result::ok);
        assert_eq!(wait(Duration::ZERO), Poll::Pending);
        assert_eq!(wait(Duration::from_millis(1)), Poll::Pending);
        let sender = thread::spawn(move || send.send(7));
        assert_eq!(wait(Duration::MAX), Poll::Ready(Some(7)));
        assert_eq!(sender.join().ok(), Some(Ok(())));
    }
}
