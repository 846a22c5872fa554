//! A member of a consumer group.

use std::collections::BTreeSet;
use std::time::Duration;

use headwater_protocol::Str;

use super::Assignment;
use crate::groups::classic::Protocol;

/// The epoch of a static member that has left and may come back.
pub(super) const LEAVE_GROUP_STATIC_MEMBER_EPOCH: i32 = -2;

/// The progress of a member towards its target. The numbers are Kafka's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum MemberState {
    /// It has the partitions of its target.
    Stable = 0,
    /// It has to revoke partitions first.
    UnrevokedPartitions = 1,
    /// It waits for partitions that other members have not released.
    UnreleasedPartitions = 2,
}

impl MemberState {
    /// The state with this number. Unknown numbers map to `UnreleasedPartitions`, which is reconciled again.
    pub(super) const fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Stable,
            1 => Self::UnrevokedPartitions,
            _ => Self::UnreleasedPartitions,
        }
    }
}

/// The protocols of a classic member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassicProtocols {
    pub(crate) session_timeout_ms: i32,
    /// In order of preference; at least one.
    pub(crate) protocols: Vec<Protocol>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) rack_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) topics: BTreeSet<Str>,
    pub(crate) regex: Option<Str>,
    pub(crate) rebalance_timeout_ms: i32,
    pub(super) assignor: Option<Str>,
    /// `None` for a member of the consumer protocol.
    pub(crate) classic: Option<ClassicProtocols>,
    pub(crate) epoch: i32,
    pub(super) previous_epoch: i32,
    pub(super) state: MemberState,
    pub(crate) assigned: Assignment,
    pub(super) revoking: Assignment,
}

impl Member {
    /// A member without partitions.
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
            classic: None,
            epoch: 0,
            previous_epoch: 0,
            state: MemberState::Stable,
            assigned: Assignment::new(),
            revoking: Assignment::new(),
        }
    }

    /// The size of the member's metadata in bytes.
    pub(super) fn metadata_bytes(&self) -> usize {
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
        let classic = self.classic.iter().flat_map(|classic| &classic.protocols);
        let protocols = classic.map(|protocol| protocol.name.len() + protocol.metadata.len());
        self.id.len()
            + self.client_id.len()
            + texts
            + topics.sum::<usize>()
            + protocols.sum::<usize>()
    }

    /// The session time-out: the member's own in the classic protocol, otherwise `group.consumer.session.timeout.ms`.
    pub(super) fn session_timeout(&self, configured: Duration) -> Duration {
        match &self.classic {
            Some(classic) => milliseconds(classic.session_timeout_ms),
            None => configured,
        }
    }

    /// The time-out of one rebalance step.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        milliseconds(self.rebalance_timeout_ms)
    }

    /// Whether all of `owned` is assigned to the member.
    pub(super) fn is_assigned(&self, owned: &Assignment) -> bool {
        owned.iter().all(|(topic, partitions)| {
            self.assigned
                .get(topic)
                .is_some_and(|assigned| partitions.is_subset(assigned))
        })
    }
}

fn milliseconds(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
