//! The cache of topics, brokers and the controller.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use super::expected_topics::ExpectedTopics;
use super::named_leaders::{NamedLeader, NamedLeaders};
use super::topic_metadata::TopicMetadata;
use super::topic_names::TopicNames;
use crate::mutants::{self, Mutant};
use crate::transport::BrokerAddress;

/// Cached metadata of a cluster. May be used concurrently.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache {
    topics: RwLock<HashMap<Arc<str>, Entry>>,
    /// Increases whenever the metadata of a topic changes.
    generation: AtomicU64,
    brokers: RwLock<Brokers>,
    expected: Mutex<ExpectedTopics>,
    /// For suggestions.
    names: Mutex<TopicNames>,
    /// A lock per topic being requested, so that concurrent callers share one request.
    request_locks: Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<()>>>>,
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
    /// When the request for it was sent.
    requested_at: Instant,
    /// Whether a background refresh is in flight.
    refreshing: AtomicBool,
}

/// A cached topic, and whether the caller should refresh it.
pub(super) struct CachedTopic {
    pub(super) metadata: Arc<TopicMetadata>,
    pub(super) refresh_soon: bool,
}

impl MetadataCache {
    /// The topic, if its metadata is younger than `max_age`. In the last fifth of that time, one caller gets
    /// `refresh_soon`.
    pub(super) fn fresh(&self, name: &str, max_age: Duration, now: Instant) -> Option<CachedTopic> {
        let topics = self.topics.read();
        let entry = topics.get(name)?;
        let age = now.saturating_duration_since(entry.requested_at);
        (age < max_age).then(|| CachedTopic {
            metadata: Arc::clone(&entry.metadata),
            refresh_soon: age >= max_age / 5 * 4 && !entry.refreshing.swap(true, Ordering::AcqRel),
        })
    }

    /// The topic, if it was requested at or after `since` (`None`: at any time).
    pub(super) fn requested_since(
        &self,
        name: &str,
        since: Option<Instant>,
    ) -> Option<Arc<TopicMetadata>> {
        let topics = self.topics.read();
        let entry = topics.get(name)?;
        since
            .is_none_or(|since| entry.requested_at >= since)
            .then(|| Arc::clone(&entry.metadata))
    }

    /// The topic, regardless of its age.
    pub(super) fn known(&self, name: &str) -> Option<Arc<TopicMetadata>> {
        let topics = self.topics.read();
        topics.get(name).map(|entry| Arc::clone(&entry.metadata))
    }

    /// Records that this client has created the topic, or added partitions up to this number. A broker, even the only
    /// one, may not have it yet: the controller acknowledges the change before the brokers apply it.
    pub(super) fn changed(&self, name: &str, partitions: usize, now: Instant) {
        if !mutants::is_active(Mutant::ForgetCreatedTopics) {
            self.expected.lock().changed(name, partitions, now);
            self.names.lock().created(name);
        }
    }

    /// Whether a broker that returned the topic with this number of partitions (0: unknown topic) lags behind the
    /// changes of this client.
    pub(super) fn is_behind(&self, name: &str, partitions: usize, now: Instant) -> bool {
        self.expected.lock().is_behind(name, partitions, now)
    }

    /// Records that this client has deleted the topic.
    pub(super) fn deleted(&self, name: &str) {
        self.forget(name);
        self.names.lock().remove(name);
        self.expected.lock().deleted(name, Instant::now());
    }

    /// Records that no broker has the topic.
    pub(super) fn not_found(&self, name: &str) {
        self.expected.lock().not_found(name, Instant::now());
    }

    /// Whether a topic that one broker does not have may be on others.
    pub(super) fn may_be_elsewhere(&self, name: &str) -> bool {
        self.expected.lock().may_be_elsewhere(name, Instant::now())
    }

    /// Records that the topic is unknown to a broker. Returns true, and keeps a cached topic, if it may exist: another
    /// broker may have it, or this client has just created it. Otherwise removes it.
    pub(super) fn unknown(&self, name: &str, now: Instant) -> bool {
        // A single broker that once had the topic has it no more.
        let may_be_elsewhere = self.has_several_brokers() && self.topics.read().contains_key(name);
        let mut expected = self.expected.lock();
        let may_exist = expected.unknown(name, may_be_elsewhere, now);
        if !may_exist {
            expected.settled(name);
            drop(expected);
            self.forget(name);
            self.names.lock().remove(name);
        }
        may_exist
    }

    /// Whether the topic is expected to exist although it is unknown to a broker.
    pub(super) fn is_expected(&self, name: &str, now: Instant) -> bool {
        self.expected.lock().is_expected(name, now)
    }

    fn has_several_brokers(&self) -> bool {
        self.brokers.read().known.len() > 1
    }

    /// [`TopicNames::are_due`].
    pub(super) fn are_names_due(&self, max_age: Duration, now: Instant) -> bool {
        self.names.lock().are_due(max_age, now)
    }

    pub(super) fn set_topic_names(&self, names: Vec<Arc<str>>) {
        self.names.lock().set(names);
    }

    /// The names of the known topics, without internal topics.
    pub(super) fn topic_names(&self) -> Vec<Arc<str>> {
        let topics = self.topics.read();
        let used = topics.iter().filter(|(_, entry)| !entry.metadata.internal);
        let mut names: Vec<_> = used.map(|(name, _)| Arc::clone(name)).collect();
        names.extend(self.names.lock().iter().cloned());
        names
    }

    /// Inserts the response to a request sent at `requested_at`.
    pub(super) fn insert(
        &self,
        mut metadata: TopicMetadata,
        requested_at: Instant,
    ) -> Arc<TopicMetadata> {
        let partitions = metadata.partitions.len();
        self.expected.lock().named(&metadata.name, partitions);
        let mut topics = self.topics.write();
        let known = topics.get(&metadata.name);
        if let Some(known) = known {
            metadata.keep_later(&known.metadata);
        }
        let is_changed = known.is_some_and(|known| *known.metadata != metadata);
        let metadata = Arc::new(metadata);
        let entry = Entry {
            metadata: Arc::clone(&metadata),
            requested_at,
            refreshing: AtomicBool::new(false),
        };
        topics.insert(Arc::clone(&metadata.name), entry);
        if is_changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        metadata
    }

    /// Applies the leaders from a response that are reachable and have a later epoch than the known ones. Returns all
    /// brokers if the response has the address of a new one, or a new address.
    pub(super) fn note_leaders(&self, named: NamedLeaders) -> Option<Vec<BrokerAddress>> {
        let mut brokers = self.brokers.write();
        let is_news = brokers.add(named.brokers);
        let mut topics = self.topics.write();
        let mut is_changed = false;
        for leader in &named.leaders {
            let is_known = brokers
                .known
                .iter()
                .any(|broker| broker.id == leader.leader);
            if is_known && let Some(entry) = entry_of(&mut topics, leader) {
                is_changed |= Arc::make_mut(&mut entry.metadata).follow(leader);
            }
        }
        if is_changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        is_news.then(|| brokers.known.clone())
    }

    /// Records where a broker is. Returns all brokers.
    pub(super) fn note_address(&self, id: i32, host: &str, port: u16) -> Vec<BrokerAddress> {
        let mut brokers = self.brokers.write();
        let known = brokers.known.iter().find(|known| known.id == id);
        let broker = BrokerAddress {
            id,
            host: host.to_owned(),
            port,
            rack: known.and_then(|known| known.rack.clone()),
        };
        brokers.add(vec![broker]);
        brokers.known.clone()
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

    /// Replaces the brokers.
    pub(super) fn set_brokers(&self, brokers: Brokers) {
        *self.brokers.write() = brokers;
    }

    /// The lock to hold while requesting the topic.
    pub(super) fn request_lock(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut request_locks = self.request_locks.lock();
        if let Some(lock) = request_locks.get(name) {
            return Arc::clone(lock);
        }
        request_locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = Arc::default();
        request_locks.insert(Arc::from(name), Arc::clone(&lock));
        lock
    }
}

impl Brokers {
    /// Adds brokers, or replaces their addresses. Returns whether that changed anything.
    fn add(&mut self, brokers: Vec<BrokerAddress>) -> bool {
        let mut is_changed = false;
        for broker in brokers {
            match self.known.iter_mut().find(|known| known.id == broker.id) {
                Some(known) if *known == broker => continue,
                Some(known) => *known = broker,
                None => self.known.push(broker),
            }
            is_changed = true;
        }
        is_changed
    }
}

fn entry_of<'a>(
    topics: &'a mut HashMap<Arc<str>, Entry>,
    leader: &NamedLeader,
) -> Option<&'a mut Entry> {
    topics
        .values_mut()
        .find(|entry| entry.metadata.is_named(&leader.topic, leader.topic_id))
}

#[cfg(test)]
mod tests {
    use headwater_protocol::metadata_response::MetadataResponseTopic;

    use super::*;

    const MAX_AGE: Duration = Duration::from_mins(5);

    fn cache_with_topic(requested_at: Instant) -> MetadataCache {
        let cache = MetadataCache::default();
        let topic = TopicMetadata::read("t", MetadataResponseTopic::default()).unwrap();
        cache.insert(topic, requested_at);
        cache
    }

    #[test]
    fn one_caller_refreshes_metadata_before_it_expires() {
        let requested_at = Instant::now();
        let cache = cache_with_topic(requested_at);
        let refresh_soon = |age| {
            let known = cache.fresh("t", MAX_AGE, requested_at + Duration::from_secs(age));
            known.map(|known| known.refresh_soon)
        };
        assert_eq!(refresh_soon(239), Some(false));
        assert_eq!(refresh_soon(240), Some(true));
        assert_eq!(
            refresh_soon(241),
            Some(false),
            "another caller refreshes it"
        );
        assert_eq!(refresh_soon(300), None);
    }

    #[test]
    fn a_response_serves_callers_from_before_its_request_was_sent() {
        let requested_at = Instant::now();
        let cache = cache_with_topic(requested_at);
        assert!(cache.requested_since("t", Some(requested_at)).is_some());
        let later = requested_at + Duration::from_millis(1);
        assert!(cache.requested_since("t", Some(later)).is_none());
    }

    #[test]
    fn the_generation_increases_with_changes_only() {
        let cache = cache_with_topic(Instant::now());
        let before = cache.generation();
        let same = TopicMetadata::read("t", MetadataResponseTopic::default()).unwrap();
        cache.insert(same, Instant::now());
        assert_eq!(cache.generation(), before);
        cache.forget("t");
        assert_ne!(cache.generation(), before);
    }
}
