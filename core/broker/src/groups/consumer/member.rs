//! One member of a consumer group.

use std::collections::BTreeSet;

use headwater_protocol::Str;

use super::Assignment;

/// The epoch of a static member that has left and may come back.
pub(super) const LEFT_FOR_A_WHILE: i32 = -2;

/// How far a member is on the way to its target. The numbers are Kafka's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum MemberState {
    /// It has what it had to get in its epoch.
    Stable = 0,
    /// It has to let partitions go first.
    UnrevokedPartitions = 1,
    /// It waits for partitions that others have not let go.
    UnreleasedPartitions = 2,
}

impl MemberState {
    /// The state of that number; one that we do not know has to be reconciled anew, which this one is.
    pub(super) const fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Stable,
            1 => Self::UnrevokedPartitions,
            _ => Self::UnreleasedPartitions,
        }
    }
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) rack_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) topics: BTreeSet<Str>,
    pub(crate) regex: Option<Str>,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) assignor: Option<Str>,
    pub(crate) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    pub(crate) assigned: Assignment,
    pub(super) revoking: Assignment,
}

impl Member {
    /// Somebody who has nothing yet.
    pub(super) fn new(id: Str) -> Self {
        Self {
            id,
            instance_id: None,
            rack_id: None,
            client_id: Str::new(),
            client_host: Str::new(),
            topics: BTreeSet::new(),
            regex: None,
            rebalance_timeout_ms: -1,
            assignor: None,
            epoch: 0,
            previous_epoch: 0,
            state: MemberState::Stable,
            assigned: Assignment::new(),
            revoking: Assignment::new(),
        }
    }

    /// The bytes of what it says in its heartbeats and keeps until it leaves.
    pub(super) fn said_bytes(&self) -> usize {
        let texts = [
            &self.instance_id,
            &self.rack_id,
            &self.regex,
            &self.assignor,
        ];
        let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        let topics = self
            .topics
            .iter()
            .map(|topic| size_of::<Str>() + topic.len());
        self.id.len() + self.client_id.len() + texts + topics.sum::<usize>()
    }

    /// Whether all of `owned` is assigned to it.
    pub(super) fn is_assigned(&self, owned: &Assignment) -> bool {
        owned.iter().all(|(topic, partitions)| {
            self.assigned
                .get(topic)
                .is_some_and(|assigned| partitions.is_subset(assigned))
        })
    }
}
