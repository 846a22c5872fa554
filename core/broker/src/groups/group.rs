//! A group of either kind.

use std::time::Duration;

use headwater_protocol::{GroupMetadataKey, GroupMetadataValue, Str};

use super::classic::ClassicGroup;
use super::consumer::ConsumerGroup;
use super::record::GroupRecord;

/// A group of one of the two kinds. An id names one group, which may change its kind.
#[derive(Debug)]
pub(crate) enum Group {
    /// Its members assign.
    Classic(ClassicGroup),
    /// The broker assigns.
    Consumer(ConsumerGroup),
}

impl Group {
    /// Kafka's name of its kind.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Classic(_) => "classic",
            Self::Consumer(_) => "consumer",
        }
    }

    /// Kafka's name of its state.
    pub(crate) fn state_name(&self) -> &'static str {
        match self {
            Self::Classic(group) => group.state_name(),
            Self::Consumer(group) => group.state_name(),
        }
    }

    /// What kind of members it has, or nothing where only offsets are kept.
    pub(crate) fn protocol_type(&self) -> Str {
        match self {
            Self::Classic(group) => group.protocol_type().cloned().unwrap_or_default(),
            Self::Consumer(_) => "consumer".into(),
        }
    }

    /// Whether it has no members.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_empty(),
            Self::Consumer(group) => group.is_empty(),
        }
    }

    /// Whether it has no members, and nobody who is about to be one.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_idle(),
            Self::Consumer(group) => group.is_empty(),
        }
    }

    /// Whether its members are consumers.
    pub(crate) fn is_of_consumers(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_of_consumers(),
            Self::Consumer(_) => true,
        }
    }

    /// Whether its members read that topic, as far as known.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match self {
            Self::Classic(group) => group.is_subscribed_to(topic),
            Self::Consumer(group) => group.is_subscribed_to(topic),
        }
    }

    /// Whether a log that says nothing of it means the same.
    pub(crate) fn is_unrecorded(&self) -> bool {
        match self {
            Self::Classic(group) => group.protocol_type().is_none(),
            Self::Consumer(group) => group.is_empty() && group.epoch() == 0,
        }
    }

    /// When time next changes it.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        match self {
            Self::Classic(group) => group.next_deadline(),
            Self::Consumer(group) => group.next_deadline(),
        }
    }

    /// The records that forget it, once it has no members.
    pub(crate) fn tombstones(&self, group_id: &Str) -> Vec<GroupRecord> {
        match self {
            Self::Classic(_) => vec![classic_record(group_id, None)],
            Self::Consumer(group) => group.tombstones(),
        }
    }
}

/// The record of a classic group, or the one that forgets it.
pub(super) fn classic_record(group_id: &Str, value: Option<GroupMetadataValue>) -> GroupRecord {
    let key = GroupMetadataKey {
        group: group_id.clone(),
    };
    GroupRecord::GroupMetadata(key, value)
}
