//! The part of a producer that its clones share.

use std::ops::Deref;
use std::sync::Arc;

use super::Inner;

/// Owned by all clones of a producer. Dropping the last clone sends the remaining records; until they have their
/// results, the producer still belongs to its client, which waits for them when it is closed.
#[derive(Debug)]
pub(super) struct Owner(pub(super) Arc<Inner>);

impl Deref for Owner {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.send_all();
        let queues = self.queues();
        if queues.iter().any(|queue| queue.unanswered_records() > 0) {
            let inner = Arc::clone(&self.0);
            let runtime = self.context.cluster.runtime();
            runtime.spawn(async move { drop(inner.flush(None).await) });
        }
    }
}
