//! What a member wants to read.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use super::assignors::PartitionCounts;
use crate::error::{Error, ErrorKind, Result};

/// What a consumer subscribes to.
#[derive(Debug, Clone)]
pub enum Subscription {
    /// These topics, whether they are there already or not.
    Topics(BTreeSet<Arc<str>>),
    /// Every topic whose whole name matches, now and later.
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
                format!("The pattern \"{pattern}\" cannot be used: {error}."),
            )
            .caused_by(error)
        })?;
        Ok(Self::Pattern(whole))
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }

    /// The topics it means, among those that there are.
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
    fn a_pattern_means_whole_names() {
        let subscription = Subscription::pattern("a|b.*").unwrap();
        let counts = ["a", "ab", "bc", "cb"].map(|topic| (Arc::from(topic), 1));
        let topics = subscription.topics_among(&counts.into());
        assert_eq!(topics, BTreeSet::from(["a".into(), "bc".into()]));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(Subscription::pattern("(").is_err());
    }
}
