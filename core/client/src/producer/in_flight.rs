//! How many requests of a producer are on their way to each broker: `max.in.flight.requests.per.connection`.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for requests, so many for each broker.
#[derive(Debug)]
pub(crate) struct InFlight {
    max: usize,
    brokers: Mutex<HashMap<i32, Arc<Semaphore>>>,
}

impl InFlight {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: max.min(Semaphore::MAX_PERMITS),
            brokers: Mutex::default(),
        }
    }

    /// A place for one request to the broker, once there is one; given back when it is dropped.
    pub(crate) async fn place(&self, broker: i32) -> OwnedSemaphorePermit {
        let places = Arc::clone(
            self.brokers
                .lock()
                .entry(broker)
                .or_insert_with(|| Arc::new(Semaphore::new(self.max))),
        );
        let place = places.acquire_owned().await;
        place.expect("nobody closes the semaphore")
    }
}
