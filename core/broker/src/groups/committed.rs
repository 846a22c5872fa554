//! The committed offsets of a group and their retention. Pure.

use std::collections::BTreeMap;

use headwater_protocol::{OffsetCommitKey, OffsetCommitValue, Str};
use uuid::Uuid;

use super::record::GroupRecord;

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommittedOffset {
    pub(crate) offset: i64,
    /// -1 if the client sent none.
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Str,
    pub(crate) commit_timestamp_ms: i64,
    /// The expiry that the client set, if any.
    pub(crate) expire_timestamp_ms: Option<i64>,
    /// The id of the topic that the client committed for; nil if unknown.
    pub(crate) topic_id: Uuid,
}

/// When the retention of a group's offsets starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetentionStart {
    /// Offsets do not expire while the group uses them, or may use them.
    Never,
    /// At each commit.
    Commit,
    /// At this time for all offsets: when the group became empty.
    At(i64),
}

/// The offsets that a group has committed, by topic and partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommittedOffsets {
    topics: BTreeMap<Str, BTreeMap<i32, CommittedOffset>>,
}

impl CommittedOffsets {
    /// Whether the group has no committed offsets.
    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The committed offset of a partition.
    pub(crate) fn get(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.topics.get(topic)?.get(&partition)
    }

    /// All committed offsets, by topic.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&Str, &BTreeMap<i32, CommittedOffset>)> {
        self.topics.iter()
    }

    /// Sets the offset of a partition; `None` removes it.
    pub(crate) fn set(&mut self, topic: &Str, partition: i32, offset: Option<CommittedOffset>) {
        if let Some(offset) = offset {
            let partitions = self.topics.entry(topic.clone()).or_default();
            partitions.insert(partition, offset);
        } else if let Some(partitions) = self.topics.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// The partitions whose offsets have expired at `now_ms`. Offsets of subscribed topics do not expire.
    pub(crate) fn expired(
        &self,
        start: RetentionStart,
        retention_ms: i64,
        now_ms: i64,
        is_subscribed_to: impl Fn(&str) -> bool,
    ) -> Vec<(Str, i32)> {
        let is_over = |offset: &CommittedOffset| match (start, offset.expire_timestamp_ms) {
            (RetentionStart::Never, _) => false,
            (_, Some(expires_ms)) => now_ms >= expires_ms,
            (RetentionStart::Commit, None) => {
                now_ms.saturating_sub(offset.commit_timestamp_ms) >= retention_ms
            }
            (RetentionStart::At(since_ms), None) => now_ms.saturating_sub(since_ms) >= retention_ms,
        };
        let unread = self
            .topics
            .iter()
            .filter(|(topic, _)| !is_subscribed_to(topic));
        let of = |(topic, partitions): (&Str, &BTreeMap<i32, CommittedOffset>)| {
            let over = partitions.iter().filter(|(_, offset)| is_over(offset));
            let topic = topic.clone();
            over.map(|(partition, _)| (topic.clone(), *partition))
                .collect::<Vec<_>>()
        };
        unread.flat_map(of).collect()
    }

    /// The partitions with a committed offset: all of them, or those of one topic.
    pub(crate) fn partitions(&self, topic: Option<&str>) -> Vec<(Str, i32)> {
        let selected = self
            .topics
            .iter()
            .filter(|(name, _)| topic.is_none_or(|topic| **name == topic));
        selected
            .flat_map(|(name, partitions)| {
                partitions
                    .keys()
                    .map(|partition| (name.clone(), *partition))
            })
            .collect()
    }
}

impl CommittedOffset {
    /// The record that stores the offset.
    pub(crate) fn record(&self, group: &Str, topic: &Str, partition: i32) -> GroupRecord {
        let value = OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.clone(),
            commit_timestamp: self.commit_timestamp_ms,
            expire_timestamp: self.expire_timestamp_ms.unwrap_or(-1),
            topic_id: if self.expire_timestamp_ms.is_some() {
                // The value version with `expire_timestamp` has no field for `topic_id`.
                Uuid::nil()
            } else {
                self.topic_id
            },
            ..OffsetCommitValue::default()
        };
        GroupRecord::OffsetCommit(key(group, topic, partition), Some(value))
    }

    /// The offset stored by a record.
    pub(crate) fn from_record(value: OffsetCommitValue) -> Self {
        Self {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata,
            commit_timestamp_ms: value.commit_timestamp,
            expire_timestamp_ms: Some(value.expire_timestamp).filter(|expires| *expires >= 0),
            topic_id: value.topic_id,
        }
    }
}

/// The tombstone of a committed offset.
pub(crate) fn tombstone(group: &Str, topic: &Str, partition: i32) -> GroupRecord {
    GroupRecord::OffsetCommit(key(group, topic, partition), None)
}

fn key(group: &Str, topic: &Str, partition: i32) -> OffsetCommitKey {
    OffsetCommitKey {
        group: group.clone(),
        topic: topic.clone(),
        partition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(commit_timestamp_ms: i64, expire_timestamp_ms: Option<i64>) -> CommittedOffset {
        CommittedOffset {
            offset: 1,
            leader_epoch: -1,
            metadata: Str::new(),
            commit_timestamp_ms,
            expire_timestamp_ms,
            topic_id: Uuid::nil(),
        }
    }

    fn offsets() -> CommittedOffsets {
        let mut offsets = CommittedOffsets::default();
        offsets.set(&"old".into(), 0, Some(committed(100, None)));
        offsets.set(&"new".into(), 0, Some(committed(900, None)));
        offsets.set(&"own".into(), 0, Some(committed(900, Some(950))));
        offsets
    }

    fn expired(start: RetentionStart, now_ms: i64, subscribed: &str) -> Vec<Str> {
        let expired = offsets().expired(start, 500, now_ms, |topic| topic == subscribed);
        expired.into_iter().map(|(topic, _)| topic).collect()
    }

    #[test]
    fn offsets_of_unsubscribed_topics_expire_after_their_retention() {
        assert_eq!(expired(RetentionStart::Commit, 599, ""), [""; 0]);
        assert_eq!(expired(RetentionStart::Commit, 600, ""), ["old"]);
        assert_eq!(expired(RetentionStart::Commit, 600, "old"), [""; 0]);
    }

    #[test]
    fn retention_of_an_empty_group_starts_when_it_became_empty() {
        assert_eq!(expired(RetentionStart::At(1000), 1499, ""), ["own"]);
        assert_eq!(expired(RetentionStart::At(1000), 1500, "").len(), 3);
        assert_eq!(expired(RetentionStart::Never, i64::MAX, ""), [""; 0]);
    }

    #[test]
    fn a_commit_with_its_own_expiry_expires_then() {
        assert_eq!(expired(RetentionStart::Commit, 949, "old"), [""; 0]);
        assert_eq!(expired(RetentionStart::Commit, 950, "old"), ["own"]);
    }

    #[test]
    fn a_topic_without_offsets_is_not_listed() {
        let mut offsets = offsets();
        offsets.set(&"old".into(), 0, None);
        offsets.set(&"new".into(), 7, None);
        let topics: Vec<_> = offsets.topics().map(|(topic, _)| &**topic).collect();
        assert_eq!(topics, ["new", "own"]);
    }
}
