//! Topics that exist although a lagging broker may not have them. No I/O.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::mutants::{self, Mutant};

/// The maximum time that a broker may lag behind the others. Brokers apply metadata changes within milliseconds; a busy
/// or restarting one takes longer.
const LAG_MAX: Duration = Duration::from_secs(5);
/// The time for which a topic that no broker has is not requested from all of them again.
const NOWHERE_PAUSE: Duration = Duration::from_secs(1);

/// Topics that are expected to exist although a broker does not return them: this client has created them, or they were
/// in its metadata until then and other brokers may have them. After [`LAG_MAX`] without an answer such a topic counts
/// as deleted.
#[derive(Debug, Default)]
pub(super) struct ExpectedTopics {
    expected: HashMap<Arc<str>, ExpectedTopic>,
    /// The topics that this client has deleted, or that no broker has, each until it may be requested from all brokers.
    absent: HashMap<Arc<str>, Instant>,
}

#[derive(Debug)]
struct ExpectedTopic {
    until: Instant,
    /// The number of partitions that this client has set; 0 if it has set none.
    partitions: usize,
}

impl ExpectedTopics {
    /// Records that this client has created the topic, or added partitions up to this number.
    pub(super) fn changed(&mut self, name: &str, partitions: usize, now: Instant) {
        self.expected.retain(|_, expected| expected.until > now);
        self.absent.remove(name);
        let until = now + LAG_MAX;
        self.expected
            .insert(Arc::from(name), ExpectedTopic { until, partitions });
    }

    /// Records that this client has deleted the topic.
    pub(super) fn deleted(&mut self, name: &str, now: Instant) {
        self.settled(name);
        self.mark_absent(name, now + LAG_MAX, now);
    }

    /// Records that no broker has the topic.
    pub(super) fn not_found(&mut self, name: &str, now: Instant) {
        self.mark_absent(name, now + NOWHERE_PAUSE, now);
    }

    fn mark_absent(&mut self, name: &str, until: Instant, now: Instant) {
        self.absent.retain(|_, until| *until > now);
        let known = self.absent.entry(Arc::from(name)).or_insert(until);
        *known = until.max(*known);
    }

    /// Whether a topic that one broker does not have may be on others. Not if this client has deleted it a moment ago,
    /// so that a broker that returns it lags behind, or if none of them had it a moment ago.
    pub(super) fn may_be_elsewhere(&self, name: &str, now: Instant) -> bool {
        let is_absent = self.absent.get(name).is_some_and(|until| *until > now);
        !is_absent || self.is_expected(name, now)
    }

    /// Records that a broker has returned the topic with this number of partitions.
    pub(super) fn named(&mut self, name: &str, partitions: usize) {
        let expected = self.expected.get(name);
        if expected.is_some_and(|expected| expected.partitions <= partitions) {
            self.expected.remove(name);
        }
    }

    /// Records that the topic does not exist.
    pub(super) fn settled(&mut self, name: &str) {
        self.expected.remove(name);
    }

    /// Whether a broker that returned the topic with this number of partitions (0: unknown topic) lags behind the
    /// changes of this client.
    pub(super) fn is_behind(&self, name: &str, partitions: usize, now: Instant) -> bool {
        self.current(name, now)
            .is_some_and(|expected| partitions < expected.partitions)
    }

    /// Records that the topic is unknown to a broker. Returns whether it may exist. `may_be_elsewhere`: it was in the
    /// metadata until now, and another broker may have it.
    pub(super) fn unknown(&mut self, name: &str, may_be_elsewhere: bool, now: Instant) -> bool {
        if may_be_elsewhere && !self.expected.contains_key(name) {
            self.changed(name, 0, now);
        }
        self.is_expected(name, now)
    }

    /// Whether the topic is expected to exist.
    pub(super) fn is_expected(&self, name: &str, now: Instant) -> bool {
        self.current(name, now).is_some()
    }

    fn current(&self, name: &str, now: Instant) -> Option<&ExpectedTopic> {
        let expected = self.expected.get(name)?;
        let is_current = expected.until > now && !mutants::is_active(Mutant::BelieveLaggingBrokers);
        is_current.then_some(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_was_known_or_created_is_expected_for_a_while() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        topics.changed("created", 1, start);
        assert!(topics.unknown("created", false, start));
        assert!(topics.unknown("known", true, start));
        assert!(!topics.unknown("never seen", false, start));
        assert!(topics.unknown("known", false, start + LAG_MAX / 2));
        assert!(!topics.unknown("known", false, start + LAG_MAX));
        assert!(!topics.unknown("created", false, start + LAG_MAX));
    }

    #[test]
    fn a_topic_that_was_deleted_is_not_expected() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        topics.changed("t", 1, start);
        topics.deleted("t", start);
        assert!(!topics.unknown("t", false, start));
        assert!(!topics.may_be_elsewhere("t", start) && topics.may_be_elsewhere("u", start));
        assert!(topics.may_be_elsewhere("t", start + LAG_MAX));
        topics.changed("t", 1, start);
        assert!(topics.may_be_elsewhere("t", start));
    }

    #[test]
    fn a_topic_that_no_broker_has_is_not_looked_for_again_at_once() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        topics.not_found("t", start);
        assert!(!topics.may_be_elsewhere("t", start));
        assert!(topics.may_be_elsewhere("t", start + NOWHERE_PAUSE));
        topics.changed("t", 1, start);
        assert!(topics.may_be_elsewhere("t", start));
    }

    #[test]
    fn a_broker_is_behind_until_it_returns_all_added_partitions() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        assert!(!topics.is_behind("t", 0, start));
        topics.changed("t", 3, start);
        topics.named("t", 1);
        assert!(topics.is_behind("t", 0, start) && topics.is_behind("t", 1, start));
        assert!(!topics.is_behind("t", 3, start));
        assert!(!topics.is_behind("t", 1, start + LAG_MAX));
        topics.named("t", 3);
        assert!(!topics.is_behind("t", 0, start));
    }

    #[test]
    fn a_broker_without_a_deleted_topic_is_not_behind() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        assert!(topics.unknown("t", true, start));
        assert!(!topics.is_behind("t", 0, start));
    }
}
