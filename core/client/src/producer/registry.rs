//! The producers of a client, for metrics and for closing the client.

use std::sync::{Arc, Weak};

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::unsent::UnsentRecords;
use super::{Inner, Producer};
use crate::error::Result;
use crate::metrics::ProducerMetrics;

/// The producers in use of a client. Does not keep them alive. May be used concurrently.
#[derive(Debug, Default)]
pub(crate) struct ProducerRegistry(Mutex<Vec<Weak<Inner>>>);

impl ProducerRegistry {
    /// Adds a producer.
    pub(crate) fn add(&self, producer: &Producer) {
        let mut producers = self.0.lock();
        producers.retain(|other| other.strong_count() > 0);
        producers.push(Arc::downgrade(&producer.inner.0));
    }

    /// The metrics of each producer.
    pub(crate) fn metrics(&self) -> Vec<ProducerMetrics> {
        let producers: Vec<_> = self.0.lock().iter().filter_map(Weak::upgrade).collect();
        producers
            .iter()
            .map(|producer| producer.metrics())
            .collect()
    }

    /// Closes all producers concurrently, until `deadline` at the latest. The error has the number of records that
    /// could not be sent.
    pub(crate) async fn close(&self, deadline: Option<Instant>) -> Result<()> {
        let producers: Vec<_> = self.0.lock().iter().filter_map(Weak::upgrade).collect();
        let closing = producers.iter().map(|producer| producer.close(deadline));
        let unsent = join_all(closing).await;
        let unsent = unsent.into_iter().reduce(UnsentRecords::merge);
        unsent.unwrap_or_default().into_result()
    }
}
