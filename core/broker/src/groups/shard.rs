//! The groups and offsets of one partition of `__consumer_offsets`. Pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::Str;

use super::classic::ClassicGroup;
use super::committed::{CommittedOffset, CommittedOffsets, RetentionStart};
use super::consumer::ConsumerGroup;
use super::context::GroupContext;
use super::group::Group;
use super::record::GroupRecord;
use crate::memory::RequestMemory;

/// A group with its offsets.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) group: Group,
    pub(crate) offsets: CommittedOffsets,
}

impl Entry {
    /// A group without records.
    fn new() -> Self {
        Self {
            group: Group::Classic(ClassicGroup::new()),
            offsets: CommittedOffsets::default(),
        }
    }

    /// When the retention of the group's offsets starts.
    pub(crate) fn retention_start(&self) -> RetentionStart {
        let group = match &self.group {
            Group::Classic(group) => group,
            Group::Consumer(_) => return RetentionStart::Commit,
        };
        match group.protocol_type() {
            // The group only stores offsets.
            None => RetentionStart::Commit,
            Some(_) if group.is_empty() => group
                .state_since_ms()
                .map_or(RetentionStart::Commit, RetentionStart::At),
            Some(_)
                if group.has_consumer_protocol_type()
                    && group.has_known_subscription()
                    && group.is_stable() =>
            {
                RetentionStart::Commit
            }
            Some(_) => RetentionStart::Never,
        }
    }
}

/// The groups of one partition.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    groups: HashMap<Str, Entry>,
}

impl Shard {
    /// Returns a group.
    pub(crate) fn get(&self, group_id: &str) -> Option<&Entry> {
        self.groups.get(group_id)
    }

    /// Returns a group.
    pub(crate) fn get_mut(&mut self, group_id: &str) -> Option<&mut Entry> {
        self.groups.get_mut(group_id)
    }

    /// Returns a group; creates it if it does not exist.
    pub(crate) fn get_or_new(&mut self, group_id: &Str) -> &mut Entry {
        self.groups
            .entry(group_id.clone())
            .or_insert_with(Entry::new)
    }

    /// Removes a group.
    pub(crate) fn remove(&mut self, group_id: &str) {
        self.groups.remove(group_id);
    }

    /// All groups, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Str, &Entry)> {
        self.groups.iter()
    }

    /// The earliest deadline of all groups.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let deadlines = self
            .groups
            .values()
            .map(|entry| entry.group.next_deadline());
        deadlines.flatten().min()
    }

    /// The groups whose deadline has passed.
    pub(crate) fn due(&self, now: Duration) -> Vec<Str> {
        let is_due = |entry: &Entry| {
            entry
                .group
                .next_deadline()
                .is_some_and(|deadline| deadline <= now)
        };
        let due = self.groups.iter().filter(|(_, entry)| is_due(entry));
        due.map(|(id, _)| id.clone()).collect()
    }

    /// Applies one record. Records must come in log order; compaction may have removed some of them.
    pub(crate) fn replay(&mut self, record: GroupRecord, context: &GroupContext) {
        match record {
            GroupRecord::OffsetCommit(key, value) => {
                let offset = value.map(CommittedOffset::from_record);
                let entry = self.get_or_new(&key.group);
                entry.offsets.set(&key.topic, key.partition, offset);
            }
            GroupRecord::GroupMetadata(key, value) => {
                let entry = self.get_or_new(&key.group);
                match value {
                    Some(value) => {
                        let group = ClassicGroup::from_record(value, context);
                        entry.group = Group::Classic(group);
                    }
                    // The tombstone belongs to a classic group that a consumer group has replaced.
                    None if matches!(entry.group, Group::Consumer(_)) => {}
                    None => entry.group = Group::Classic(ClassicGroup::new()),
                }
            }
            record => self.replay_consumer(record),
        }
    }

    fn replay_consumer(&mut self, record: GroupRecord) {
        let group_id = record.group_id().clone();
        let entry = self.get_or_new(&group_id);
        if let Group::Consumer(group) = &mut entry.group {
            group.replay(record);
        } else if !record.is_tombstone() {
            let mut group = ConsumerGroup::new(group_id);
            group.replay(record);
            entry.group = Group::Consumer(group);
        }
    }

    /// Reserves memory for the metadata of loaded members.
    pub(crate) fn reserve_for_loaded_members(&mut self, memory: &Arc<RequestMemory>) {
        for entry in self.groups.values_mut() {
            match &mut entry.group {
                Group::Classic(group) => group.reserve_for_loaded_members(memory),
                Group::Consumer(group) => group.reserve_for_loaded_members(memory),
            }
        }
    }

    /// Completes the replay: removes groups without members and offsets.
    pub(crate) fn finish_replay(&mut self, now: Duration, consumer_session_timeout: Duration) {
        self.groups
            .retain(|_, entry| !entry.group.is_unrecorded() || !entry.offsets.is_empty());
        for entry in self.groups.values_mut() {
            if let Group::Consumer(group) = &mut entry.group {
                group.finish_replay(now, consumer_session_timeout);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::committed;
    use crate::groups::context::{Limits, Now};
    use headwater_protocol::{GroupMetadataKey, GroupMetadataValue, OffsetCommitValue};

    const CONTEXT: GroupContext = GroupContext {
        now: Now {
            monotonic: Duration::from_secs(9),
            wall_ms: 1000,
        },
        limits: Limits {
            initial_rebalance_delay: Duration::ZERO,
            members_max: 9,
        },
    };

    fn commit(offset: i64) -> GroupRecord {
        let value = OffsetCommitValue {
            offset,
            ..OffsetCommitValue::default()
        };
        CommittedOffset::from_record(value).record(&"g".into(), &"t".into(), 0)
    }

    fn group(generation: Option<i32>) -> GroupRecord {
        let key = GroupMetadataKey { group: "g".into() };
        let value = generation.map(|generation| GroupMetadataValue {
            protocol_type: "consumer".into(),
            generation,
            ..GroupMetadataValue::default()
        });
        GroupRecord::GroupMetadata(key, value)
    }

    fn replayed(records: Vec<GroupRecord>) -> Shard {
        let mut shard = Shard::default();
        for record in records {
            shard.replay(record, &CONTEXT);
        }
        shard.finish_replay(CONTEXT.now.monotonic, Duration::from_secs(45));
        shard
    }

    #[test]
    fn the_last_record_of_a_key_wins_with_or_without_earlier_ones() {
        for records in [vec![commit(1), commit(2)], vec![commit(2)]] {
            let shard = replayed(records);
            let offset = shard.get("g").unwrap().offsets.get("t", 0).unwrap();
            assert_eq!(offset.offset, 2);
        }
    }

    #[test]
    fn a_group_is_removed_after_tombstones_for_all_its_records() {
        let forget = committed::tombstone(&"g".into(), &"t".into(), 0);
        let only_offsets = replayed(vec![commit(1), group(Some(3)), group(None)]);
        assert!(only_offsets.get("g").unwrap().group.is_unrecorded());
        let only_group = replayed(vec![commit(1), group(Some(3)), forget.clone()]);
        assert!(only_group.get("g").unwrap().offsets.is_empty());
        let nothing = replayed(vec![commit(1), group(Some(3)), forget.clone(), group(None)]);
        assert!(nothing.get("g").is_none());
        assert!(replayed(vec![forget]).get("g").is_none());
    }
}
