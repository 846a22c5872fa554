//! The ids of a consumer's topics, and its missing partitions. No I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use crate::batch::TopicPartition;
use crate::cluster::is_recreated;
use crate::config::RetryConfig;

/// The id of each topic that is read. A recreated topic has a different id.
pub(crate) type TopicIds = BTreeMap<Arc<str>, Uuid>;

/// The topics that a consumer reads.
#[derive(Debug, Default)]
pub(super) struct KnownTopics {
    ids: TopicIds,
    missing: BTreeMap<TopicPartition, Missing>,
}

/// A missing partition.
#[derive(Debug, Clone, Copy)]
struct Missing {
    /// The number of failed lookups.
    tries: u32,
    /// When the next lookup is due.
    retry_at: Instant,
}

impl KnownTopics {
    pub(super) fn ids(&self) -> TopicIds {
        self.ids.clone()
    }

    /// Removes topics and partitions that are no longer assigned.
    pub(super) fn retain(&mut self, assigned: &[TopicPartition]) {
        self.missing
            .retain(|partition, _| assigned.contains(partition));
        self.ids
            .retain(|topic, _| assigned.iter().any(|partition| partition.topic == *topic));
    }

    /// Whether the topic has a different id than the one being read. The first id seen is the one being read.
    pub(super) fn is_recreated(&mut self, topic: &Arc<str>, id: Uuid) -> bool {
        let known = self.ids.get(topic).copied().unwrap_or_default();
        if known.is_nil() {
            self.set_id(topic, id);
        }
        is_recreated(known, id)
    }

    /// Sets the id being read.
    pub(super) fn set_id(&mut self, topic: &Arc<str>, id: Uuid) {
        self.ids.insert(Arc::clone(topic), id);
    }

    /// Records a failed lookup of the partition. Returns whether it is the first.
    pub(super) fn lookup_failed(
        &mut self,
        partition: &TopicPartition,
        retry: &RetryConfig,
        now: Instant,
    ) -> bool {
        let tries = self
            .missing
            .get(partition)
            .map_or(1, |missing| missing.tries + 1);
        let retry_at = now + retry.jittered_pause(tries);
        self.missing
            .insert(partition.clone(), Missing { tries, retry_at });
        tries == 1
    }

    /// Records that the partition exists.
    pub(super) fn mark_found(&mut self, partition: &TopicPartition) {
        if !self.missing.is_empty() {
            self.missing.remove(partition);
        }
    }

    /// Whether the partition is missing and its next lookup is not due yet.
    pub(super) fn is_backing_off(&self, partition: &TopicPartition, now: Instant) -> bool {
        let missing = self.missing.get(partition);
        missing.is_some_and(|missing| now < missing.retry_at)
    }

    /// When the next missing partition may be looked up again.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        let due = self.missing.values().map(|missing| missing.retry_at);
        due.filter(|retry_at| *retry_at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RETRY: RetryConfig = RetryConfig {
        backoff: Duration::from_millis(100),
        backoff_max: Duration::from_millis(300),
    };

    #[test]
    fn lookups_of_a_missing_partition_back_off() {
        let (mut topics, start) = (KnownTopics::default(), Instant::now());
        let partition = TopicPartition::new("t", 0);
        let mut pauses = Vec::new();
        for _ in 0..4 {
            let first = topics.lookup_failed(&partition, &RETRY, start);
            assert_eq!(first, pauses.is_empty());
            pauses.push(topics.next_retry(start).unwrap() - start);
        }
        for (pause, expected) in pauses.into_iter().zip([100, 200, 300, 300]) {
            let expected = Duration::from_millis(expected);
            assert!(pause >= expected.mul_f64(0.8) && pause <= expected.mul_f64(1.2));
        }
        assert!(topics.is_backing_off(&partition, start));
        topics.mark_found(&partition);
        assert!(!topics.is_backing_off(&partition, start));
    }

    #[test]
    fn a_recreated_topic_has_another_id() {
        let mut topics = KnownTopics::default();
        let name: Arc<str> = "t".into();
        assert!(!topics.is_recreated(&name, Uuid::from_u128(1)));
        assert!(!topics.is_recreated(&name, Uuid::from_u128(1)));
        assert!(topics.is_recreated(&name, Uuid::from_u128(2)));
        topics.set_id(&name, Uuid::from_u128(2));
        assert!(!topics.is_recreated(&name, Uuid::from_u128(2)));
    }
}
