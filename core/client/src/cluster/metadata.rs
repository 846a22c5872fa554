//! What is known about topics, brokers and the controller.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use super::topic_metadata::TopicMetadata;
use crate::transport::BrokerAddress;

/// What is known about a cluster. Any number of threads may use it.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache {
    topics: RwLock<HashMap<Arc<str>, Entry>>,
    /// Grows whenever the description of a topic changes.
    generation: AtomicU64,
    brokers: RwLock<Brokers>,
    /// One lock for each topic that is being asked for, so that one request serves all who ask.
    asking: Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<()>>>>,
}

/// The brokers of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Brokers {
    pub(super) known: Vec<BrokerAddress>,
    pub(super) controller: Option<i32>,
}

#[derive(Debug)]
struct Entry {
    metadata: Arc<TopicMetadata>,
    /// When the request was sent that described it.
    asked: Instant,
    /// Whether a refresh in the background is on its way.
    refreshing: AtomicBool,
}

/// A topic that is known, and whether it should be asked for again before it is too old.
pub(super) struct Known {
    pub(super) metadata: Arc<TopicMetadata>,
    pub(super) refresh_soon: bool,
}

impl MetadataCache {
    /// The topic, if it was asked for within `max_age`. One caller is told to refresh it in the last fifth of that time.
    pub(super) fn fresh(&self, name: &str, max_age: Duration, now: Instant) -> Option<Known> {
        let topics = self.topics.read();
        let entry = topics.get(name)?;
        let age = now.saturating_duration_since(entry.asked);
        (age < max_age).then(|| Known {
            metadata: Arc::clone(&entry.metadata),
            refresh_soon: age >= max_age / 5 * 4 && !entry.refreshing.swap(true, Ordering::AcqRel),
        })
    }

    /// The topic, if it was asked for at or after `since` (`None`: ever).
    pub(super) fn asked_since(
        &self,
        name: &str,
        since: Option<Instant>,
    ) -> Option<Arc<TopicMetadata>> {
        let topics = self.topics.read();
        let entry = topics.get(name)?;
        since
            .is_none_or(|since| entry.asked >= since)
            .then(|| Arc::clone(&entry.metadata))
    }

    /// The topic, however old.
    pub(super) fn known(&self, name: &str) -> Option<Arc<TopicMetadata>> {
        let topics = self.topics.read();
        topics.get(name).map(|entry| Arc::clone(&entry.metadata))
    }

    /// Takes the description that a request sent at `asked` brought.
    pub(super) fn learn(&self, mut metadata: TopicMetadata, asked: Instant) -> Arc<TopicMetadata> {
        let mut topics = self.topics.write();
        let known = topics.get(&metadata.name);
        if let Some(known) = known {
            metadata.keep_later_leaders(&known.metadata);
        }
        let is_changed = known.is_some_and(|known| *known.metadata != metadata);
        let metadata = Arc::new(metadata);
        let entry = Entry {
            metadata: Arc::clone(&metadata),
            asked,
            refreshing: AtomicBool::new(false),
        };
        topics.insert(Arc::clone(&metadata.name), entry);
        if is_changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        metadata
    }

    pub(super) fn forget(&self, name: &str) {
        if self.topics.write().remove(name).is_some() {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn controller(&self) -> Option<i32> {
        self.brokers.read().controller
    }

    /// The ids of all brokers.
    pub(super) fn broker_ids(&self) -> Vec<i32> {
        let brokers = self.brokers.read();
        brokers.known.iter().map(|broker| broker.id).collect()
    }

    /// Takes the brokers of a response. Whether they are others than before.
    pub(super) fn learn_brokers(&self, brokers: Brokers) -> bool {
        if *self.brokers.read() == brokers {
            return false;
        }
        *self.brokers.write() = brokers;
        true
    }

    /// The lock of those who ask for the topic.
    pub(super) fn asking(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock();
        if let Some(lock) = asking.get(name) {
            return Arc::clone(lock);
        }
        asking.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = Arc::default();
        asking.insert(Arc::from(name), Arc::clone(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use headwater_protocol::metadata_response::MetadataResponseTopic;

    use super::*;

    const MAX_AGE: Duration = Duration::from_mins(5);

    fn learned_at(asked: Instant) -> MetadataCache {
        let cache = MetadataCache::default();
        let topic = TopicMetadata::read("t", MetadataResponseTopic::default()).unwrap();
        cache.learn(topic, asked);
        cache
    }

    #[test]
    fn one_caller_refreshes_metadata_before_it_expires() {
        let asked = Instant::now();
        let cache = learned_at(asked);
        let refresh_soon = |age| {
            let known = cache.fresh("t", MAX_AGE, asked + Duration::from_secs(age));
            known.map(|known| known.refresh_soon)
        };
        assert_eq!(refresh_soon(239), Some(false));
        assert_eq!(refresh_soon(240), Some(true));
        assert_eq!(refresh_soon(241), Some(false), "somebody refreshes it");
        assert_eq!(refresh_soon(300), None);
    }

    #[test]
    fn a_description_serves_those_who_asked_before_its_request_was_sent() {
        let asked = Instant::now();
        let cache = learned_at(asked);
        assert!(cache.asked_since("t", Some(asked)).is_some());
        let later = asked + Duration::from_millis(1);
        assert!(cache.asked_since("t", Some(later)).is_none());
    }

    #[test]
    fn the_generation_grows_with_changes_only() {
        let cache = learned_at(Instant::now());
        let before = cache.generation();
        let same = TopicMetadata::read("t", MetadataResponseTopic::default()).unwrap();
        cache.learn(same, Instant::now());
        assert_eq!(cache.generation(), before);
        cache.forget("t");
        assert_ne!(cache.generation(), before);
    }
}
