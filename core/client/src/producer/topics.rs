//! Which partition a record goes to.
//!
//! A record with a key goes where murmur2 of the key says, as with Java's producer; one without goes to the [sticky](super::sticky)
//! partition.

use std::sync::Arc;

use headwater_columnar::partition_for_key;
use headwater_record::PartitionId;

use super::context::ProducerContext;
use super::queue::{Choice, PartitionQueue};
use super::record::Record;
use super::sticky::Sticky;
use crate::cluster::TopicMetadata;
use crate::error::{Error, ErrorKind};

/// The partitions of one topic as a producer sees them.
#[derive(Debug)]
pub(crate) struct TopicQueues {
    /// The metadata cache's generation when this was made: older than the cache's means look again.
    pub(crate) generation: u64,
    pub(crate) queues: Vec<Arc<PartitionQueue>>,
    sticky: Sticky,
    /// How many bytes without a key a partition gets in one turn.
    share: usize,
}

impl TopicQueues {
    /// The queues for this topic; those of `before` are kept.
    pub(crate) fn new(
        context: &Arc<ProducerContext>,
        name: &Arc<str>,
        metadata: &TopicMetadata,
        generation: u64,
        before: Option<&Self>,
    ) -> Self {
        let known = before.map_or(&[][..], |before| &before.queues);
        // Partitions that are added take their turns with the others; they do not get what the others have had already.
        let had = known.iter().map(|queue| queue.keyless_bytes()).max();
        let made = |index: usize| {
            let partition = PartitionId::new(index as i32);
            let queue = PartitionQueue::new(Arc::clone(context), Arc::clone(name), partition);
            queue.count_keyless(had.unwrap_or(0));
            Arc::new(queue)
        };
        let queues: Vec<_> = (0..metadata.partitions.len())
            .map(|index| known.get(index).cloned().unwrap_or_else(|| made(index)))
            .collect();
        let sticky = match before {
            Some(before) => Sticky::after(&before.sticky, &queues),
            None => Sticky::new(&queues, context.config.batch_bytes),
        };
        Self {
            generation,
            queues,
            sticky,
            share: context.config.batch_bytes,
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

    /// The queue that this record goes to, and whether the choice was free.
    pub(crate) fn choose(
        &self,
        record: &Record<'_>,
        ignore_keys: bool,
    ) -> Result<(&Arc<PartitionQueue>, Choice), Error> {
        if let Some(partition) = record.partition {
            return self
                .require(record.topic, partition)
                .map(|queue| (queue, Choice::Given));
        }
        Ok(match record.key {
            Some(key) if !ignore_keys => {
                let partition = partition_for_key(key, self.queues.len() as i32);
                (&self.queues[partition.get() as usize], Choice::Given)
            }
            _ => (&self.queues[self.sticky()], Choice::Free),
        })
    }

    /// The partition that records without a key go to.
    pub(crate) fn sticky(&self) -> usize {
        self.sticky.partition(&self.queues, self.share)
    }

    /// So many bytes without a key went to each partition, from the first on, past the queues' own builders.
    pub(crate) fn count_keyless(&self, bytes: &[u64]) {
        for (queue, bytes) in self.queues.iter().zip(bytes) {
            queue.count_keyless(*bytes);
        }
    }
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
