//! A classic group: the members agree on an assignment, the broker coordinates generations.
//!
//! ```text
//! Empty --join--> PreparingRebalance --all joined or time-out--> CompletingRebalance --assignments written--> Stable
//!   ^                |      ^                                         |                                 |
//!   +--no members----+      +----------- join, leave, time-out -------+---------------------------------+
//! ```
//!
//! Pure: each transition takes a request and a [`GroupContext`], changes the group and adds to the [`Effects`].
//! Time-outs expire only in [`ClassicGroup::fire_next`]. Kafka's state `Dead` does not exist here: it means that the
//! group does not exist.
//!
//! Protocol types, metadata and assignments are opaque, so eager and cooperative rebalances look the same to the
//! broker. It only reads the subscribed topics of members of type `consumer`, for offset retention.
//!
//! **Invariant: every pending request is answered once**: when the join or sync completes, when its member is removed
//! or fenced, or when the same member sends another request.

mod downgrade;
mod join;
mod member;
mod membership;
mod persistence;
mod protocols;
mod rebalance;
mod session;
mod static_members;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str};

use super::context::{Effects, GroupContext, PendingRequestId};
pub(crate) use join::{Join, MemberIdRule, SkipRule};
pub(crate) use member::{Member, Protocol};
pub(crate) use session::Leaver;
use static_members::Replacement;

/// The protocol type of consumers.
pub(crate) const CONSUMER: &str = "consumer";

/// A group whose members compute the assignment.
#[derive(Debug, Clone)]
pub(crate) struct ClassicGroup {
    state: State,
    generation: i32,
    protocol_type: Option<Str>,
    protocol: Option<Str>,
    leader: Option<Str>,
    members: BTreeMap<Str, Member>,
    /// Member ids by `group.instance.id`.
    static_members: BTreeMap<Str, Str>,
    /// Ids that were sent to clients that have not joined yet, with their deadlines.
    pending_members: BTreeMap<Str, Duration>,
    /// Members of this generation that have not synced yet.
    pending_sync: BTreeSet<Str>,
    /// When members that have not synced are removed.
    sync_deadline: Option<Duration>,
    /// `None` if unknown.
    subscribed_topics: Option<BTreeSet<Str>>,
    state_since_ms: Option<i64>,
    pending_write: Option<PendingWrite>,
}

/// The state of a classic group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No members. The group may have committed offsets.
    Empty,
    /// Members are expected to join.
    PreparingRebalance(JoinPhase),
    /// All members have joined; the leader has not sent the assignments.
    CompletingRebalance,
    /// The members' assignments are available.
    Stable,
}

/// How long members may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinPhase {
    /// The first generation waits for other new members, and longer if more arrive.
    First {
        until: Duration,
        delay: Duration,
        left: Duration,
        arrivals: Arrivals,
    },
    /// Until all known members have rejoined, or until this time.
    Again { until: Duration },
}

/// Whether members have joined since the last check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrivals {
    None,
    Some,
}

/// A change whose record is not written yet.
#[derive(Debug, Clone)]
enum PendingWrite {
    /// The leader's assignments.
    Assignments(BTreeMap<Str, Bytes>),
    /// A new static member that replaced its predecessor in a stable group.
    Replacement(Box<Replacement>),
    /// A generation without members.
    EmptyGeneration,
}

impl ClassicGroup {
    /// A group without members and records.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_members: BTreeMap::new(),
            pending_sync: BTreeSet::new(),
            sync_deadline: None,
            subscribed_topics: None,
            state_since_ms: None,
            pending_write: None,
        }
    }

    /// Kafka's name of the state.
    pub(crate) const fn state_name(&self) -> &'static str {
        match self.state {
            State::Empty => "Empty",
            State::PreparingRebalance(_) => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }

    /// Whether the group has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// Whether the group has neither members nor pending members.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_empty() && self.pending_members.is_empty()
    }

    /// Whether every member has an assignment of this generation.
    pub(crate) fn is_stable(&self) -> bool {
        self.state == State::Stable
    }

    /// The protocol type; `None` if the group has never had members.
    pub(crate) const fn protocol_type(&self) -> Option<&Str> {
        self.protocol_type.as_ref()
    }

    pub(crate) const fn generation(&self) -> i32 {
        self.generation
    }

    /// The protocol of this generation.
    pub(crate) const fn protocol(&self) -> Option<&Str> {
        self.protocol.as_ref()
    }

    /// The members, ordered by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Whether a member may be subscribed to the topic. Consumers with an unknown subscription may read any topic.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.has_consumer_protocol_type(),
        }
    }

    /// Whether the members are consumers.
    pub(crate) fn has_consumer_protocol_type(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether the subscribed topics are known.
    pub(crate) const fn has_known_subscription(&self) -> bool {
        self.subscribed_topics.is_some()
    }

    /// When the group entered its state; `None` if unknown.
    pub(crate) const fn state_since_ms(&self) -> Option<i64> {
        self.state_since_ms
    }

    /// Checks that `member_id` is a member and, with an instance id, the owner of that id.
    fn check_member(&self, member_id: &str, instance_id: Option<&Str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(known) if *known != member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UnknownMemberId)
        }
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    fn has_all_joined(&self) -> bool {
        self.pending_members.is_empty() && self.members.values().all(Member::is_joining)
    }

    /// The longest rebalance time-out of the members.
    fn rebalance_timeout(&self) -> Duration {
        // A rebalance time-out of zero would never expire.
        const SHORTEST: Duration = Duration::from_millis(1);
        let longest = self.members.values().map(|member| member.rebalance_timeout);
        longest.max().unwrap_or_default().max(SHORTEST)
    }

    fn enter(&mut self, state: State, context: &GroupContext) {
        self.state = state;
        self.state_since_ms = Some(context.now.wall_ms);
    }
}
