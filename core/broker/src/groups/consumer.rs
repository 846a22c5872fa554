//! A consumer group (KIP-848): the broker assigns, and members reconcile towards their targets one by one.
//!
//! Three epochs measure the progress. A change of members, subscriptions or topics raises the *group epoch*. The
//! *target assignment* is computed for that epoch. Each *member epoch* follows when the member has revoked the
//! partitions outside its target. A partition is assigned only after its previous owner has revoked it.
//!
//! Pure and event-sourced: a transition builds a [`GroupUpdate`] of records and applies each of them at once, so
//! loading the log gives the same state. The caller writes the records and then replaces the group.
//!
//! The group may contain members of the classic protocol during a migration ([`classic_members`], [`upgrade`]).
//!
//! **Invariant: no partition is held by two members**, either assigned or being revoked.

mod assignors;
mod classic_members;
mod embedded;
mod heartbeat;
mod leave;
mod member;
pub(crate) mod membership;
mod reconcile;
mod replay;
mod subscription;
#[cfg(test)]
mod tests;
mod update;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use super::context::Now;
use crate::memory::{MemoryReservation, RequestMemory};
pub(crate) use classic_members::requires_member_id;
pub(in crate::groups) use embedded::assignment_bytes;
pub(crate) use heartbeat::{Heartbeat, MemberIds};
pub(crate) use member::{Member, MemberState};
pub(crate) use subscription::Catalogue;
use subscription::ResolvedRegex;
pub(crate) use update::GroupUpdate;

/// Partitions by topic id, without topics that have none.
pub(crate) type Assignment = BTreeMap<Uuid, BTreeSet<i32>>;

/// The assignor of a group whose members set no preference.
const DEFAULT_ASSIGNOR: &str = assignors::UNIFORM;

/// The context of a transition of a consumer group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsumerGroupContext {
    pub(crate) now: Now,
    /// `group.consumer.session.timeout.ms`
    pub(crate) session_timeout: Duration,
    /// `group.consumer.heartbeat.interval.ms`
    pub(crate) heartbeat_interval_ms: i32,
    /// `group.consumer.max.size`
    pub(crate) members_max: usize,
    /// Grows whenever a topic may have changed.
    pub(crate) cluster_version: i64,
}

/// A group whose assignment the broker computes.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerGroup {
    id: Str,
    epoch: i32,
    /// The hash of the subscribed topics when the epoch was raised last.
    metadata_hash: i64,
    target_epoch: i32,
    target: BTreeMap<Str, Assignment>,
    members: BTreeMap<Str, Member>,
    regexes: BTreeMap<Str, ResolvedRegex>,
    timers: BTreeMap<Str, Timers>,
    /// The `cluster_version` at which the subscribed topics were compared last; not stored.
    seen_cluster: Option<i64>,
    /// Memory reserved for the members' metadata; not stored.
    memory: Option<Arc<MemoryReservation>>,
}

/// The deadlines after which a member is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timers {
    session: Duration,
    /// Set while the member has to revoke partitions or, as a classic member, has to join or sync.
    step: Option<Duration>,
}

/// Kafka's error code with a message.
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

    /// Kafka's name of the state.
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

    /// Whether the group has no members.
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

    /// The members, ordered by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The target assignment of a member.
    pub(crate) fn target_of(&self, member_id: &str) -> Option<&Assignment> {
        self.target.get(member_id)
    }

    /// The assignor that most members prefer; ties go to the first name.
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

    /// Whether the group has members and all of them use the classic protocol.
    pub(crate) fn has_only_classic_members(&self) -> bool {
        let mut members = self.members.values();
        !self.members.is_empty() && members.all(|member| member.classic.is_some())
    }

    /// Whether the member exists and uses the classic protocol.
    pub(crate) fn is_classic_member(&self, member_id: &str) -> bool {
        let member = self.members.get(member_id);
        member.is_some_and(|member| member.classic.is_some())
    }

    /// Checks an offset commit: from a member with its epoch, or from a non-member if the group is empty.
    pub(crate) fn check_commit(&self, member_id: &str, epoch: i32) -> Result<(), ErrorCode> {
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        self.check_epoch(member_id, epoch)
    }

    /// Checks an offset fetch: from a member with its epoch, or from a non-member.
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

    /// Reserves memory for the members' metadata. Returns false if the pool is exhausted. `earlier` is the group whose
    /// reservation is replaced.
    pub(crate) fn reserve_for_members(
        &mut self,
        memory: &Arc<RequestMemory>,
        earlier: Option<&Self>,
    ) -> bool {
        let counted = earlier.and_then(|earlier| earlier.memory.as_ref());
        let counted = counted.map_or(0, |held| held.bytes());
        let held = memory.reserve_for_members(self.members_bytes(), counted);
        self.memory = held.map(Arc::new);
        self.memory.is_some()
    }

    /// Reserves memory for the metadata of loaded members.
    pub(crate) fn reserve_for_loaded_members(&mut self, memory: &Arc<RequestMemory>) {
        let held = memory.reserve_for_loaded_members(self.members_bytes());
        self.memory = Some(Arc::new(held));
    }

    fn members_bytes(&self) -> usize {
        self.members.values().map(Member::metadata_bytes).sum()
    }

    fn static_member(&self, instance_id: &str) -> Option<&Member> {
        let has_it = |member: &&Member| member.instance_id.as_deref() == Some(instance_id);
        self.members.values().find(has_it)
    }
}
