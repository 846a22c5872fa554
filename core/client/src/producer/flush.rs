//! Sends the records of a producer: when the buffer is full, on flush, and on close.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Inner;
use super::partition_queue::PartitionQueue;
use super::sender::drain_all;
use super::unsent::UnsentRecords;
use crate::metrics::ProducerMetrics;

impl Inner {
    pub(crate) fn queues(&self) -> Vec<Arc<PartitionQueue>> {
        self.topics
            .read()
            .values()
            .flat_map(|topic| topic.all().cloned())
            .collect()
    }

    /// The records without a result, and their bytes.
    pub(super) fn metrics(&self) -> ProducerMetrics {
        let queues = self.queues();
        let records = queues.iter().map(|queue| queue.unanswered_records());
        ProducerMetrics {
            client_id: self.context.cluster.config().client_id.clone(),
            queued_records: records.sum(),
            queued_bytes: self.context.memory.used() as u64,
        }
    }

    /// Closes every open batch, and sends batches as far as possible without waiting.
    pub(super) fn send_all(&self) {
        let queues = self.queues();
        for queue in &queues {
            queue.close_open();
        }
        drain_all(&queues);
    }

    /// Sends all records and waits for their results, until `deadline` at the latest. Returns the records that were not
    /// written.
    pub(super) async fn flush(&self, deadline: Option<Instant>) -> UnsentRecords {
        let queues = self.queues();
        for queue in &queues {
            queue.close_open();
        }
        let unanswered: Vec<_> = queues.iter().flat_map(|queue| queue.unanswered()).collect();
        drain_all(&queues);
        let mut unsent = UnsentRecords::default();
        for (ticket, records) in unanswered {
            let done = std::future::poll_fn(|context| ticket.completion.poll_done(context));
            match deadline {
                None => done.await,
                Some(deadline) => {
                    tokio::time::timeout_at(deadline, done).await.ok();
                }
            }
            unsent.add(&ticket.queue.topic, records, ticket.completion.outcome());
        }
        unsent
    }

    /// [`Inner::flush`], after which no records are accepted.
    pub(super) async fn close(&self, deadline: Option<Instant>) -> UnsentRecords {
        self.closed.store(true, Ordering::Release);
        self.flush(deadline).await
    }
}
