//! Blocks a thread on a future.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::Handle;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future in this thread until it is ready. Unlike [`Handle::block_on`] it may be called in a thread of a runtime too. `runtime`
/// drives the timers of the future.
pub(crate) fn block_on<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let _entered = runtime.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_of_a_runtime_can_block() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .expect("the system has two threads left");
        let handle = runtime.handle().clone();
        let blocked = async move {
            block_on(&handle, tokio::time::sleep(Duration::from_millis(1)));
            7
        };
        let task = runtime.spawn(blocked);
        assert_eq!(runtime.block_on(task).ok(), Some(7));
    }
}
