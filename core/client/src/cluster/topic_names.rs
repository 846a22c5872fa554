//! Suggests existing topics in errors about unknown ones.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_metadata::nearest;

use super::Cluster;
use crate::error::{Error, ErrorKind};

/// The names of all topics in the last response to a request for them, without internal topics, and of the topics that
/// this client has created: the broker that answered may not have had them yet.
#[derive(Debug, Default)]
pub(super) struct TopicNames {
    requested_at: Option<Instant>,
    names: Vec<Arc<str>>,
    created: BTreeSet<Arc<str>>,
}

impl TopicNames {
    /// Whether the names should be requested: the last request was sent more than `max_age` ago. Counts as a request.
    pub(super) fn are_due(&mut self, max_age: Duration, now: Instant) -> bool {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < max_age;
        if self.requested_at.is_some_and(is_recent) {
            return false;
        }
        self.requested_at = Some(now);
        true
    }

    pub(super) fn set(&mut self, names: Vec<Arc<str>>) {
        self.names = names;
    }

    /// Adds a topic that this client has created.
    pub(super) fn created(&mut self, name: &str) {
        self.created.insert(Arc::from(name));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.names.retain(|known| **known != *name);
        self.created.remove(name);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter().chain(&self.created)
    }
}

impl Cluster {
    /// Adds the most similar topic to the error for an unknown one. The names of all topics are requested for this at
    /// most once in `metadata.max.age.ms`.
    pub(crate) async fn with_nearest_topic(&self, error: Error) -> Error {
        let is_unknown = error.kind() == ErrorKind::UnknownTopicOrPartition;
        let Some(name) = error.topic().filter(|_| is_unknown) else {
            return error;
        };
        if error.partition().is_some() || error.message().ends_with('?') {
            return error;
        }
        if self
            .metadata
            .are_names_due(self.config().metadata_max_age, Instant::now())
        {
            self.request_names().await;
        }
        let known = self.metadata.topic_names();
        match nearest(name, known.iter().map(|known| &**known)) {
            Some(similar) => {
                let sentence = error.message().trim_end_matches('.');
                let message = format!("{sentence}: did you mean \"{similar}\"?");
                error.clone().with_message(message)
            }
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_requested_once_in_their_maximum_age() {
        let (mut names, start) = (TopicNames::default(), Instant::now());
        let age = Duration::from_mins(1);
        assert!(names.are_due(age, start));
        assert!(!names.are_due(age, start + age / 2));
        assert!(names.are_due(age, start + age));
    }

    fn known(names: &TopicNames) -> Vec<&str> {
        names.iter().map(|name| &**name).collect()
    }

    #[test]
    fn a_deleted_topic_is_not_suggested() {
        let mut names = TopicNames::default();
        names.set(vec!["a".into(), "b".into()]);
        names.created("c");
        names.remove("a");
        names.remove("c");
        assert_eq!(known(&names), ["b"]);
    }

    #[test]
    fn a_created_topic_is_suggested_although_a_lagging_broker_does_not_name_it() {
        let mut names = TopicNames::default();
        names.created("a");
        names.set(vec!["b".into()]);
        assert_eq!(known(&names), ["b", "a"]);
    }
}
