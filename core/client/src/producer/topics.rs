//! Which partition a record goes to.
//!
//! A record with a key goes where murmur2 of the key says, as with Java's producer. Records without a key stick to one partition until
//! `batch.size` bytes have gone there, then to the next: full batches instead of many small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_columnar::partition_for_key;
use headwater_record::PartitionId;

use super::queue::{Closed, PartitionQueue};
use super::record::Record;
use super::shared::Shared;
use crate::error::{Error, ErrorKind};
use crate::metadata_cache::TopicMetadata;

/// The partitions of one topic as a producer sees them.
#[derive(Debug)]
pub(crate) struct TopicQueues {
    /// The metadata cache's generation when this was made: older than the cache's means look again.
    pub(crate) generation: u64,
    pub(crate) queues: Vec<Arc<PartitionQueue>>,
    sticky: Sticky,
}

/// The partition for records without a key.
#[derive(Debug, Default)]
struct Sticky {
    at: AtomicUsize,
    bytes: AtomicUsize,
}

impl TopicQueues {
    /// The queues for this topic; those of `before` are kept.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        name: &Arc<str>,
        metadata: &TopicMetadata,
        generation: u64,
        before: Option<&Self>,
    ) -> Self {
        let known = before.map_or(&[][..], |before| &before.queues);
        let made = |index: usize| {
            let partition = PartitionId::new(index as i32);
            Arc::new(PartitionQueue::new(
                Arc::clone(shared),
                Arc::clone(name),
                partition,
            ))
        };
        let queues: Vec<_> = (0..metadata.partitions.len())
            .map(|index| known.get(index).cloned().unwrap_or_else(|| made(index)))
            .collect();
        let at = before.map_or_else(
            || first_sticky(queues.len()),
            |before| before.sticky.at.load(Ordering::Relaxed),
        );
        Self {
            generation,
            queues,
            sticky: Sticky {
                at: AtomicUsize::new(at),
                bytes: AtomicUsize::default(),
            },
        }
    }

    /// The queue of a partition that the caller named.
    pub(crate) fn require(
        &self,
        topic: &str,
        partition: PartitionId,
    ) -> Result<&Arc<PartitionQueue>, Error> {
        let queue = usize::try_from(partition.get())
            .ok()
            .and_then(|index| self.queues.get(index));
        queue.ok_or_else(|| no_such_partition(topic, partition, self.queues.len()))
    }

    /// The queue that this record goes to. The flag says that the choice was free.
    pub(crate) fn choose(
        &self,
        record: &Record<'_>,
        ignore_keys: bool,
    ) -> Result<(&Arc<PartitionQueue>, bool), Error> {
        if let Some(partition) = record.partition {
            return self
                .require(record.topic, partition)
                .map(|queue| (queue, false));
        }
        let (index, free) = match record.key {
            Some(key) if !ignore_keys => (
                partition_for_key(key, self.queues.len() as i32).get() as usize,
                false,
            ),
            _ => (
                self.sticky.at.load(Ordering::Relaxed) % self.queues.len(),
                true,
            ),
        };
        Ok((&self.queues[index], free))
    }

    /// The partition that a run of rows without keys goes to: the sticky one.
    pub(crate) fn sticky(&self) -> usize {
        self.sticky.at.load(Ordering::Relaxed) % self.queues.len()
    }

    /// A batch of records without a key was closed: moves on when the partition has had its share.
    pub(crate) fn closed(&self, closed: Closed, share: usize) {
        // A batch is closed when the next record does not fit, so it counts as its whole share from nine tenths on.
        let share = share - share / 10;
        let bytes = self.sticky.bytes.fetch_add(closed.bytes, Ordering::Relaxed) + closed.bytes;
        if bytes >= share {
            self.sticky.bytes.store(0, Ordering::Relaxed);
            self.sticky.at.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Producers that start together should not all start with partition 0.
fn first_sticky(partitions: usize) -> usize {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as usize % partitions.max(1)
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
