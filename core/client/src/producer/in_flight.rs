//! Limits the requests in flight to each broker: `max.in.flight.requests.per.connection`.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A semaphore for each broker.
#[derive(Debug)]
pub(crate) struct InFlightLimit {
    max: usize,
    brokers: Mutex<HashMap<i32, Arc<Semaphore>>>,
}

impl InFlightLimit {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: max.min(Semaphore::MAX_PERMITS),
            brokers: Mutex::default(),
        }
    }

    /// Waits for a permit for one request to the broker. Dropping the permit releases it.
    pub(crate) async fn acquire(&self, broker: i32) -> OwnedSemaphorePermit {
        let permits = Arc::clone(
            self.brokers
                .lock()
                .entry(broker)
                .or_insert_with(|| Arc::new(Semaphore::new(self.max))),
        );
        let permit = permits.acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }
}
