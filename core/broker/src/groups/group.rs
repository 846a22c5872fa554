//! A classic group or a consumer group.

use std::time::Duration;

use headwater_protocol::{GroupMetadataKey, GroupMetadataValue, Str};

use super::classic::ClassicGroup;
use super::consumer::ConsumerGroup;
use super::record::GroupRecord;

/// A classic group or a consumer group. Group ids are shared by both types, and a group may change its type.
#[derive(Debug)]
pub(crate) enum Group {
    /// Members assign partitions.
    Classic(ClassicGroup),
    /// The broker assigns partitions.
    Consumer(ConsumerGroup),
}

impl Group {
    /// Kafka's name of the group type.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Classic(_) => "classic",
            Self::Consumer(_) => "consumer",
        }
    }

    /// Kafka's name of the group state.
    pub(crate) fn state_name(&self) -> &'static str {
        match self {
            Self::Classic(group) => group.state_name(),
            Self::Consumer(group) => group.state_name(),
        }
    }

    /// The protocol type; empty if the group only stores offsets.
    pub(crate) fn protocol_type(&self) -> Str {
        match self {
            Self::Classic(group) => group.protocol_type().cloned().unwrap_or_default(),
            Self::Consumer(_) => "consumer".into(),
        }
    }

    /// Whether the group has no members.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_empty(),
            Self::Consumer(group) => group.is_empty(),
        }
    }

    /// Whether the group has neither members nor pending members.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_idle(),
            Self::Consumer(group) => group.is_empty(),
        }
    }

    /// Whether the members are consumers.
    pub(crate) fn has_consumer_protocol_type(&self) -> bool {
        match self {
            Self::Classic(group) => group.has_consumer_protocol_type(),
            Self::Consumer(_) => true,
        }
    }

    /// Whether a member may be subscribed to the topic.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match self {
            Self::Classic(group) => group.is_subscribed_to(topic),
            Self::Consumer(group) => group.is_subscribed_to(topic),
        }
    }

    /// Whether the group is in the state that it would have without any record.
    pub(crate) fn is_unrecorded(&self) -> bool {
        match self {
            Self::Classic(group) => group.protocol_type().is_none(),
            Self::Consumer(group) => group.is_empty() && group.epoch() == 0,
        }
    }

    /// The next deadline of the group.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        match self {
            Self::Classic(group) => group.next_deadline(),
            Self::Consumer(group) => group.next_deadline(),
        }
    }

    /// The tombstones of an empty group.
    pub(crate) fn tombstones(&self, group_id: &Str) -> Vec<GroupRecord> {
        match self {
            Self::Classic(_) => vec![classic_record(group_id, None)],
            Self::Consumer(group) => group.tombstones(),
        }
    }
}

/// The record of a classic group; a tombstone without a value.
pub(super) fn classic_record(group_id: &Str, value: Option<GroupMetadataValue>) -> GroupRecord {
    let key = GroupMetadataKey {
        group: group_id.clone(),
    };
    GroupRecord::GroupMetadata(key, value)
}
