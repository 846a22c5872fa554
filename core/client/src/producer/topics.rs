//! Chooses the partition of a record.
//!
//! Records with a key are partitioned by the murmur2 hash of the key, as in the Java producer. Records without a key go
//! to the [sticky](super::sticky) partition.

use std::sync::Arc;
use std::time::Instant;

use headwater_columnar::partition_for_key;
use headwater_protocol::ErrorCode;
use headwater_record::PartitionId;

use super::Producer;
use super::batch::PartitionChoice;
use super::context::ProducerContext;
use super::partition_queue::PartitionQueue;
use super::record::Record;
use super::sticky::Sticky;
use crate::cluster::TopicMetadata;
use crate::error::{self, Error, ErrorKind};
use crate::error_codes;

/// The queues of a topic's partitions.
#[derive(Debug)]
pub(crate) struct TopicQueues {
    /// The generation of the metadata cache at creation. If it is older than the cache's, the queues must be created
    /// again.
    pub(crate) generation: u64,
    pub(crate) queues: Vec<Arc<PartitionQueue>>,
    /// The queues of partitions that the topic had and that the metadata lacks now: a broker may lag behind, or the
    /// topic was recreated with fewer. Their records still need an outcome, and a partition that returns continues its
    /// sequences.
    missing: Vec<Arc<PartitionQueue>>,
    sticky: Sticky,
    /// The bytes of records without a key that a partition gets before the next one.
    turn_bytes: usize,
}

impl TopicQueues {
    /// The queues of a topic. Keeps those of `previous`.
    pub(crate) fn new(
        context: &Arc<ProducerContext>,
        name: &Arc<str>,
        metadata: &TopicMetadata,
        generation: u64,
        previous: Option<&Self>,
    ) -> Self {
        let old_queues: Vec<_> = previous.into_iter().flat_map(Self::all).collect();
        // New partitions start at the level of the others, so that they do not get all records until they have caught
        // up.
        let present = previous.into_iter().flat_map(|previous| &previous.queues);
        let most_bytes = present.map(|queue| queue.keyless_bytes()).max();
        let new_queue = |index: usize| {
            let partition = PartitionId::new(index as i32);
            let queue = PartitionQueue::new(Arc::clone(context), Arc::clone(name), partition);
            queue.count_keyless(most_bytes.unwrap_or(0));
            Arc::new(queue)
        };
        let queues: Vec<_> = (0..metadata.partitions.len())
            .map(|index| {
                let old = old_queues.get(index).copied().map(Arc::clone);
                old.unwrap_or_else(|| new_queue(index))
            })
            .collect();
        let missing = old_queues.into_iter().skip(queues.len());
        let sticky = match previous {
            Some(previous) => Sticky::after(&previous.sticky, &queues),
            None => Sticky::new(&queues, context.config.batch_bytes),
        };
        Self {
            generation,
            missing: missing.cloned().collect(),
            queues,
            sticky,
            turn_bytes: context.config.batch_bytes,
        }
    }

    /// The queues of all partitions by number, with those that the metadata lacks now.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<PartitionQueue>> {
        self.queues.iter().chain(&self.missing)
    }

    /// The queue of this partition, if the topic has it.
    pub(crate) fn queue(&self, partition: PartitionId) -> Option<&Arc<PartitionQueue>> {
        let index = usize::try_from(partition.get()).ok()?;
        self.queues.get(index)
    }

    /// The queue for a record, and how it was chosen. The error is the record's partition, if the topic does not
    /// have it.
    pub(crate) fn choose(
        &self,
        record: &Record<'_>,
        ignore_keys: bool,
    ) -> Result<(&Arc<PartitionQueue>, PartitionChoice), PartitionId> {
        if let Some(partition) = record.partition {
            let queue = self.queue(partition).ok_or(partition)?;
            return Ok((queue, PartitionChoice::Fixed));
        }
        Ok(match record.key {
            Some(key) if !ignore_keys => {
                let partition = partition_for_key(key, self.queues.len() as i32);
                (
                    &self.queues[partition.get() as usize],
                    PartitionChoice::Fixed,
                )
            }
            _ => (&self.queues[self.sticky()], PartitionChoice::Sticky),
        })
    }

    /// The partition for records without a key.
    pub(crate) fn sticky(&self) -> usize {
        self.sticky.partition(&self.queues, self.turn_bytes)
    }

    /// Adds bytes of records without a key to each partition, for batches that were encoded outside the queues.
    pub(crate) fn count_keyless(&self, bytes: &[u64]) {
        for (queue, bytes) in self.queues.iter().zip(bytes) {
            queue.count_keyless(*bytes);
        }
    }
}

impl Producer {
    /// The queues of a topic that has this partition. An unknown partition may be new, so the metadata is requested
    /// once before the error.
    pub(crate) async fn topic_with(
        &self,
        name: &str,
        partition: PartitionId,
    ) -> error::Result<Arc<TopicQueues>> {
        let known = self.topic(name).await?;
        if known.queue(partition).is_some() {
            return Ok(known);
        }
        self.inner.context.cluster.look_up_topic(name).await?;
        let current = self.topic(name).await?;
        if current.queue(partition).is_none() {
            return Err(no_such_partition(name, partition, current.queues.len()));
        }
        Ok(current)
    }

    /// The queues of a topic, created or updated if the metadata has changed. Waits up to `max.block.ms` for a broker
    /// that responds and has the topic's metadata.
    pub(crate) async fn topic(&self, name: &str) -> error::Result<Arc<TopicQueues>> {
        let context = &self.inner.context;
        let deadline = Instant::now() + context.config.max_block;
        let found = context
            .cluster
            .until_ready(deadline, || self.current_topic(name));
        match tokio::time::timeout_at(deadline.into(), found).await {
            Ok(found) => found,
            Err(_) => Err(self.inner.blocked_too_long().in_topic(name)),
        }
    }

    async fn current_topic(&self, name: &str) -> error::Result<Arc<TopicQueues>> {
        let generation = self.inner.generation();
        if let Some(known) = self
            .inner
            .topics
            .read()
            .get(name)
            .filter(|known| known.generation == generation)
        {
            return Ok(Arc::clone(known));
        }
        let metadata = self.inner.context.cluster.topic_metadata(name).await?;
        if metadata.partitions.is_empty() {
            return Err(no_partitions(name));
        }
        let mut topics = self.inner.topics.write();
        let previous = topics.get(name).map(Arc::clone);
        let name: Arc<str> = previous
            .as_ref()
            .and_then(|previous| previous.queues.first())
            .map_or_else(|| Arc::from(name), |queue| Arc::clone(&queue.topic));
        let created = Arc::new(TopicQueues::new(
            &self.inner.context,
            &name,
            &metadata,
            generation,
            previous.as_deref(),
        ));
        topics.insert(name, Arc::clone(&created));
        Ok(created)
    }
}

fn no_partitions(topic: &str) -> Error {
    let reason = "the broker returned no partitions of it";
    let operation = format!("send to topic \"{topic}\"");
    // Another attempt would find the same metadata in the cache.
    error_codes::error(ErrorCode::LeaderNotAvailable, Some(reason), &operation)
        .in_topic(topic)
        .retriable(false)
}

fn no_such_partition(topic: &str, partition: PartitionId, count: usize) -> Error {
    Error::new(
        ErrorKind::UnknownTopicOrPartition,
        format!(
            "Topic \"{topic}\" has no partition {partition}: it has {count}, numbered from 0. Choose one of them, or add partitions with \
             alter_topic."
        ),
    )
    .in_topic(topic)
    .in_partition(partition)
}
