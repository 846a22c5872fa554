//! Topics that a broker which lags behind may not know. No I/O.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::mutants::{self, Mutant};

/// How long a broker may lag behind the others. Brokers apply a change of the metadata within milliseconds; a busy or restarting one takes
/// longer.
const LAG_MAX: Duration = Duration::from_secs(5);

/// Topics that are expected to exist although a broker has not named them: this client has created them, or knew them until a broker did
/// not. After [`LAG_MAX`] such a topic counts as deleted.
#[derive(Debug, Default)]
pub(super) struct ExpectedTopics(HashMap<Arc<str>, Instant>);

impl ExpectedTopics {
    /// This client has created the topic.
    pub(super) fn created(&mut self, name: &str, now: Instant) {
        self.0.retain(|_, until| *until > now);
        self.0.insert(Arc::from(name), now + LAG_MAX);
    }

    /// A broker has named the topic, or this client has deleted it.
    pub(super) fn settled(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.remove(name);
        }
    }

    /// A broker does not know the topic. Returns whether another one may; `was_known` says that the topic has been in the metadata up to now.
    pub(super) fn unknown(&mut self, name: &str, was_known: bool, now: Instant) -> bool {
        if was_known && !self.0.contains_key(name) {
            self.created(name, now);
        }
        self.is_expected(name, now)
    }

    /// Whether the topic is expected to exist.
    pub(super) fn is_expected(&self, name: &str, now: Instant) -> bool {
        let until = self.0.get(name);
        until.is_some_and(|until| *until > now)
            && !mutants::is_active(Mutant::BelieveLaggingBrokers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_was_known_or_created_is_expected_for_a_while() {
        let (mut topics, start) = (ExpectedTopics::default(), Instant::now());
        topics.created("created", start);
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
        topics.created("t", start);
        topics.settled("t");
        assert!(!topics.unknown("t", false, start));
    }
}
