//! A consumer group (KIP-848): the broker assigns, and members come to their targets one by one.
//!
//! Three epochs tell how far everybody is. A change of members, subscriptions or topics raises the *group epoch*. The *target assignment*
//! is computed for that epoch. Each *member epoch* follows when the member has given up what its target does not have; a partition that
//! somebody else still holds is given only when that one has let go.
//!
//! Pure, and its own log: a transition works on a [`Draft`], where every change is a record that is replayed at once, so that what is read
//! back after a restart is what was there. The caller writes the records, and only then puts the draft's group in the place of the old.
//!
//! Members of the classic protocol may be among the others while a group changes its protocol ([`classic_members`], [`upgrade`]).
//!
//! **Invariant: no partition is held by two members**, assigned or on its way out.

mod assignors;
mod classic_members;
mod draft;
mod embedded;
mod heartbeat;
mod leave;
mod member;
#[cfg(test)]
mod properties;
mod reconcile;
mod replay;
mod subscription;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use super::facts::Now;
use crate::memory::{Held, Memory};
pub(crate) use classic_members::requires_member_id;
pub(crate) use draft::Draft;
pub(in crate::groups) use embedded::assignment_bytes;
pub(crate) use heartbeat::{Heartbeat, MemberIds};
pub(crate) use member::{Member, MemberState};
pub(crate) use subscription::Catalogue;
use subscription::ResolvedRegex;

/// Partitions by topic id. A topic without partitions is not in it.
pub(crate) type Assignment = BTreeMap<Uuid, BTreeSet<i32>>;

/// The assignor of a group whose members prefer none.
const DEFAULT_ASSIGNOR: &str = assignors::UNIFORM;

/// What a transition is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsumerFacts {
    pub(crate) now: Now,
    /// `group.consumer.session.timeout.ms`
    pub(crate) session_timeout: Duration,
    /// `group.consumer.heartbeat.interval.ms`
    pub(crate) heartbeat_interval_ms: i32,
    /// `group.consumer.max.size`
    pub(crate) members_max: usize,
    /// Changes whenever a topic may have changed.
    pub(crate) cluster_version: i64,
}

/// A group whose assignment the broker makes.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerGroup {
    id: Str,
    epoch: i32,
    /// What the subscribed topics were like when the epoch was raised last.
    metadata_hash: i64,
    target_epoch: i32,
    target: BTreeMap<Str, Assignment>,
    members: BTreeMap<Str, Member>,
    regexes: BTreeMap<Str, ResolvedRegex>,
    timers: BTreeMap<Str, Timers>,
    /// The `cluster_version` at which the subscribed topics were looked at last; not kept.
    seen_cluster: Option<i64>,
    /// Counts what its members say; not kept.
    memory: Option<Arc<Held>>,
}

/// When a member is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timers {
    session: Duration,
    /// While it has to release partitions, or as a classic member to join or to sync.
    step: Option<Duration>,
}

/// Kafka's code, and a sentence.
pub(crate) type Refusal = crate::refusal::Refusal;

impl ConsumerGroup {
    /// A group without members.
    pub(crate) fn new(id: Str) -> Self {
        Self {
            id,
            epoch: 0,
            metadata_hash: 0,
            target_epoch: 0,
            target: BTreeMap::new(),
            members: BTreeMap::new(),
            regexes: BTreeMap::new(),
            timers: BTreeMap::new(),
            seen_cluster: None,
            memory: None,
        }
    }

    /// Kafka's name of its state.
    pub(crate) fn state_name(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.target_epoch {
            "Assigning"
        } else if self
            .members
            .values()
            .all(|member| self.is_reconciled(member))
        {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    /// Whether it has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The group epoch.
    pub(crate) const fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The epoch of the target assignment.
    pub(crate) const fn target_epoch(&self) -> i32 {
        self.target_epoch
    }

    /// Its members by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// What a member is to have.
    pub(crate) fn target_of(&self, member_id: &str) -> Option<&Assignment> {
        self.target.get(member_id)
    }

    /// The assignor that most members prefer; of several the first by name.
    pub(crate) fn assignor(&self) -> &str {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(assignor) = &member.assignor {
                *votes.entry(assignor).or_default() += 1;
            }
        }
        let most = votes.values().copied().max();
        let preferred = votes.iter().find(|(_, count)| Some(**count) == most);
        preferred.map_or(DEFAULT_ASSIGNOR, |(name, _)| name)
    }

    /// Whether all of its members, of which there are some, use the classic protocol.
    pub(crate) fn is_left_to_classic_members(&self) -> bool {
        let mut members = self.members.values();
        !self.members.is_empty() && members.all(|member| member.classic.is_some())
    }

    /// Whether it is a member that uses the classic protocol.
    pub(crate) fn is_classic_member(&self, member_id: &str) -> bool {
        let member = self.members.get(member_id);
        member.is_some_and(|member| member.classic.is_some())
    }

    /// Whether offsets may be committed: by a member in its epoch, or by anybody without one while there are no members.
    pub(crate) fn check_commit(&self, member_id: &str, epoch: i32) -> Result<(), ErrorCode> {
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        self.check_epoch(member_id, epoch)
    }

    /// Whether offsets may be fetched: by a member in its epoch, or by anybody who claims to be none.
    pub(crate) fn check_fetch(&self, member_id: Option<&str>, epoch: i32) -> Result<(), ErrorCode> {
        match member_id {
            None if epoch < 0 => Ok(()),
            member_id => self.check_epoch(member_id.unwrap_or_default(), epoch),
        }
    }

    fn check_epoch(&self, member_id: &str, epoch: i32) -> Result<(), ErrorCode> {
        match self.members.get(member_id) {
            None => Err(ErrorCode::UnknownMemberId),
            Some(member) if member.epoch == epoch => Ok(()),
            Some(member) if member.classic.is_some() => Err(ErrorCode::IllegalGeneration),
            Some(_) => Err(ErrorCode::StaleMemberEpoch),
        }
    }

    fn is_reconciled(&self, member: &Member) -> bool {
        member.state == MemberState::Stable && member.epoch == self.target_epoch
    }

    /// Counts what the members say; false if members of all groups hold too much already. `earlier` is the group as it was counted before.
    pub(crate) fn count_members(&mut self, memory: &Arc<Memory>, earlier: Option<&Self>) -> bool {
        let counted = earlier.and_then(|earlier| earlier.memory.as_ref());
        let counted = counted.map_or(0, |held| held.bytes());
        let held = memory.hold_for_members(self.members_bytes(), counted);
        self.memory = held.map(Arc::new);
        self.memory.is_some()
    }

    /// Counts what members say who joined before a restart.
    pub(crate) fn count_loaded_members(&mut self, memory: &Arc<Memory>) {
        let held = memory.hold_for_loaded_members(self.members_bytes());
        self.memory = Some(Arc::new(held));
    }

    fn members_bytes(&self) -> usize {
        self.members.values().map(Member::said_bytes).sum()
    }

    fn static_member(&self, instance_id: &str) -> Option<&Member> {
        let has_it = |member: &&Member| member.instance_id.as_deref() == Some(instance_id);
        self.members.values().find(has_it)
    }
}
