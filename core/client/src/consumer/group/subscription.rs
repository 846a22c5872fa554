//! The topics of a member.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use super::classic::PartitionCounts;
use crate::error::{Error, ErrorKind, Result};

/// The subscription of a consumer.
#[derive(Debug, Clone)]
pub enum Subscription {
    /// These topics, whether or not they exist yet.
    Topics(BTreeSet<Arc<str>>),
    /// Every topic whose whole name matches, including topics created later.
    Pattern(TopicPattern),
}

/// A pattern of topic names.
#[derive(Debug, Clone)]
pub struct TopicPattern {
    /// The text that the user passed.
    text: String,
    whole: Regex,
}

impl Subscription {
    /// These topics.
    pub fn topics<S: AsRef<str>>(topics: impl IntoIterator<Item = S>) -> Self {
        Self::Topics(
            topics
                .into_iter()
                .map(|topic| Arc::from(topic.as_ref()))
                .collect(),
        )
    }

    /// Every topic whose whole name matches `pattern`, as in Kafka's Java client. With `group.protocol=classic` the
    /// client finds the topics, with `group.protocol=consumer` the broker.
    pub fn pattern(pattern: &str) -> Result<Self> {
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("Invalid pattern \"{pattern}\": {error}."),
            )
            .caused_by(error)
        })?;
        Ok(Self::Pattern(TopicPattern {
            text: pattern.to_owned(),
            whole,
        }))
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }

    /// The topics by name; `None` for a pattern.
    pub(super) fn names(&self) -> Option<BTreeSet<Arc<str>>> {
        match self {
            Self::Topics(topics) => Some(topics.clone()),
            Self::Pattern(_) => None,
        }
    }

    /// The pattern that the user passed; `None` for topics by name.
    pub fn pattern_text(&self) -> Option<&str> {
        match self {
            Self::Topics(_) => None,
            Self::Pattern(pattern) => Some(&pattern.text),
        }
    }

    /// The subscribed topics: the given names, or the existing topics that match the pattern.
    pub(super) fn topics_among(&self, counts: &PartitionCounts) -> BTreeSet<Arc<str>> {
        match self {
            Self::Topics(topics) => topics.clone(),
            Self::Pattern(pattern) => counts
                .keys()
                .filter(|topic| pattern.whole.is_match(topic))
                .cloned()
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names() {
        let subscription = Subscription::pattern("a|b.*").unwrap();
        let counts = ["a", "ab", "bc", "cb"].map(|topic| (Arc::from(topic), 1));
        let topics = subscription.topics_among(&counts.into());
        assert_eq!(topics, BTreeSet::from(["a".into(), "bc".into()]));
    }

    #[test]
    fn an_invalid_pattern_is_refused() {
        assert!(Subscription::pattern("(").is_err());
    }
}
