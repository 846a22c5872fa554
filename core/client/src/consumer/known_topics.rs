//! What a consumer knows about its topics: their ids, and which partitions do not exist at the moment. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::batch::TopicPartition;
use crate::config::RetryConfig;

/// The id of each topic that is read. A topic that is deleted and created again has another one.
pub(crate) type TopicIds = BTreeMap<Arc<str>, Uuid>;

/// What a consumer knows of the topics that it reads.
#[derive(Debug, Default)]
pub(super) struct KnownTopics {
    ids: TopicIds,
    missing: BTreeMap<TopicPartition, Missing>,
}

/// A partition that is not there.
#[derive(Debug, Clone, Copy)]
struct Missing {
    /// How many lookups failed.
    tries: u32,
    /// When the next lookup is due.
    retry_at: Instant,
}

impl KnownTopics {
    pub(super) fn ids(&self) -> TopicIds {
        self.ids.clone()
    }

    /// Forgets the topics and partitions that are no longer read.
    pub(super) fn retain(&mut self, assigned: &[TopicPartition]) {
        self.missing
            .retain(|partition, _| assigned.contains(partition));
        self.ids
            .retain(|topic, _| assigned.iter().any(|partition| partition.topic == *topic));
    }

    /// Whether the topic of this name has another id than the one that is read. The first id seen is the one that is read.
    pub(super) fn is_another(&mut self, topic: &Arc<str>, id: Uuid) -> bool {
        if let Some(known) = self.ids.get(topic) {
            return *known != id;
        }
        self.learn(topic, id);
        false
    }

    /// The topic with this id is read.
    pub(super) fn learn(&mut self, topic: &Arc<str>, id: Uuid) {
        self.ids.insert(Arc::clone(topic), id);
    }

    /// Notes a failed lookup of the partition. Returns whether it is the first.
    pub(super) fn lost(
        &mut self,
        partition: &TopicPartition,
        retry: &RetryConfig,
        now: Instant,
    ) -> bool {
        let tries = self
            .missing
            .get(partition)
            .map_or(1, |missing| missing.tries + 1);
        let retry_at = now + retry.pause(tries);
        self.missing
            .insert(partition.clone(), Missing { tries, retry_at });
        tries == 1
    }

    /// Notes that the partition exists.
    pub(super) fn found(&mut self, partition: &TopicPartition) {
        if !self.missing.is_empty() {
            self.missing.remove(partition);
        }
    }

    /// Whether the partition is missing and its next lookup is not due yet.
    pub(super) fn rests(&self, partition: &TopicPartition, now: Instant) -> bool {
        let missing = self.missing.get(partition);
        missing.is_some_and(|missing| now < missing.retry_at)
    }

    /// When the next partition that rests may be looked up again.
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
    fn a_missing_partition_is_asked_for_less_and_less_often() {
        let (mut topics, start) = (KnownTopics::default(), Instant::now());
        let partition = TopicPartition::new("t", 0);
        let mut pauses = Vec::new();
        for _ in 0..4 {
            let first = topics.lost(&partition, &RETRY, start);
            assert_eq!(first, pauses.is_empty());
            pauses.push((topics.next_retry(start).unwrap() - start).as_millis());
        }
        assert_eq!(pauses, [100, 200, 300, 300]);
        assert!(topics.rests(&partition, start));
        topics.found(&partition);
        assert!(!topics.rests(&partition, start));
    }

    #[test]
    fn a_topic_of_the_same_name_is_another_one() {
        let mut topics = KnownTopics::default();
        let name: Arc<str> = "t".into();
        assert!(!topics.is_another(&name, Uuid::from_u128(1)));
        assert!(!topics.is_another(&name, Uuid::from_u128(1)));
        assert!(topics.is_another(&name, Uuid::from_u128(2)));
        topics.learn(&name, Uuid::from_u128(2));
        assert!(!topics.is_another(&name, Uuid::from_u128(2)));
    }
}
