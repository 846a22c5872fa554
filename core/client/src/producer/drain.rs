//! Sends closed batches in the calling thread, as long as the transport responds without waiting.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::deliver::deliver;
use super::queue::PartitionQueue;

/// Sends the closed batches of `queue`, unless another thread or task is sending. If the transport has to wait, a task in the runtime
/// continues.
pub(crate) fn drain(queue: &Arc<PartitionQueue>) {
    let runtime = queue.context.cluster.runtime();
    let mut entered = None;
    while let Some(batch) = queue.claim() {
        // The transport's timers need the runtime's context, which this thread may not have.
        entered.get_or_insert_with(|| runtime.enter());
        let claim = Claim(Arc::clone(queue));
        let mut sending: Pin<Box<dyn Future<Output = ()> + Send>> =
            Box::pin(deliver(Arc::clone(queue), batch));
        match sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(()) => drop(claim),
            Poll::Pending => {
                runtime.spawn(async move {
                    sending.await;
                    let queue = Arc::clone(&claim.0);
                    drop(claim);
                    drain(&queue);
                });
                return;
            }
        }
    }
}

/// The claim of a queue. Dropping it releases the claim, even on a panic or a dropped task.
struct Claim(Arc<PartitionQueue>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.sent();
    }
}
