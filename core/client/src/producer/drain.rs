//! Who sends: whoever filled a batch or waits for one, in its own thread, as long as the transport answers at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::deliver::deliver;
use super::queue::PartitionQueue;

/// Sends the closed batches of `queue`, unless somebody else is at it. Returns when they are answered, or when the transport needs
/// time: then a task of the runtime goes on.
pub(crate) fn drain(queue: &Arc<PartitionQueue>) {
    let runtime = queue.context.cluster.runtime();
    let mut entered = None;
    while let Some(batch) = queue.claim() {
        // Timers and notifications of the transport need the runtime's context, and this thread may not have it.
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

/// The right to send, given back also when sending panics or its task is dropped.
struct Claim(Arc<PartitionQueue>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.sent();
    }
}
