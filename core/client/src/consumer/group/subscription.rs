//! The topics of a member.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use super::assignors::PartitionCounts;
use crate::error::{Error, ErrorKind, Result};

/// What a consumer subscribes to.
#[derive(Debug, Clone)]
pub enum Subscription {
    /// These topics, whether or not they exist yet.
    Topics(BTreeSet<Arc<str>>),
    /// Every topic whose whole name matches, including topics created later.
    Pattern(Regex),
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

    /// Every topic whose whole name matches `pattern`, as in Kafka's Java client.
    pub fn pattern(pattern: &str) -> Result<Self> {
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("Invalid pattern \"{pattern}\": {error}."),
            )
            .caused_by(error)
        })?;
        Ok(Self::Pattern(whole))
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }

    /// The subscribed topics: the given names, or the existing topics that match the pattern.
    pub(super) fn topics_among(&self, counts: &PartitionCounts) -> BTreeSet<Arc<str>> {
        match self {
            Self::Topics(topics) => topics.clone(),
            Self::Pattern(pattern) => counts
                .keys()
                .filter(|topic| pattern.is_match(topic))
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
