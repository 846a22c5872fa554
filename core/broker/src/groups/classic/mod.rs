//! A classic group: the members agree on an assignment among themselves, the broker holds them to one generation at a time.
//!
//! ```text
//! Empty --join--> PreparingRebalance --all joined, or time is up--> CompletingRebalance --leader's sync stored--> Stable
//!   ^                |      ^                                            |                                         |
//!   +--nobody left---+      +------------- join, leave, time-out --------+-----------------------------------------+
//! ```
//!
//! Pure: each transition takes a request and [`Facts`], changes the group and puts what is to be done into an [`Outbox`]. Time passes
//! only through [`ClassicGroup::fire_next`]. A group that is not there is what Kafka's answers call `Dead`: there is no such state here.
//!
//! Protocol type, protocol metadata and assignments are the clients' business and opaque, so eager and cooperative rebalances look the
//! same from here. Only the topics that members of type `consumer` subscribe to are looked at, for the sake of offset retention.
//!
//! **Invariant: every ticket is answered once**: when the join or sync is done, when its member is removed or fenced, or when the same
//! member asks again.

mod downgrade;
mod join;
mod member;
#[cfg(test)]
mod properties;
mod protocols;
mod rebalance;
mod session;
mod static_members;
mod stored;
mod sync;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str};

use super::facts::{Facts, Outbox, Ticket};
pub(crate) use join::{Join, MemberIdRule, SkipRule};
pub(crate) use member::{Member, Protocol};
pub(crate) use session::Leaver;
use static_members::Replacement;

/// The protocol type of consumers.
pub(crate) const CONSUMER: &str = "consumer";

/// A group of members that assign among themselves.
#[derive(Debug, Clone)]
pub(crate) struct ClassicGroup {
    state: State,
    generation: i32,
    protocol_type: Option<Str>,
    protocol: Option<Str>,
    leader: Option<Str>,
    members: BTreeMap<Str, Member>,
    /// By `group.instance.id`, the member that has it.
    static_members: BTreeMap<Str, Str>,
    /// Ids that were given out and that nobody has joined with yet, until when.
    pending_members: BTreeMap<Str, Duration>,
    /// Members of this generation that have not synced yet.
    pending_sync: BTreeSet<Str>,
    /// When members that have not synced are removed.
    sync_deadline: Option<Duration>,
    /// `None`: not known.
    subscribed_topics: Option<BTreeSet<Str>>,
    state_since_ms: Option<i64>,
    unstored: Option<Unstored>,
}

/// Where a group is in its circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No members. It may hold offsets.
    Empty,
    /// Members are expected to join (again).
    PreparingRebalance(Joining),
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Everybody has, or may fetch, an assignment.
    Stable,
}

/// Until when members may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    /// The first generation after emptiness waits a while for members that start at the same time, and longer while they come.
    First {
        until: Duration,
        delay: Duration,
        left: Duration,
        arrivals: Arrivals,
    },
    /// Until all known members have joined again, or this time.
    Again { until: Duration },
}

/// Whether members came since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrivals {
    None,
    Some,
}

/// What waits for its record to be written.
#[derive(Debug, Clone)]
enum Unstored {
    /// The leader's assignments.
    Assignments(BTreeMap<Str, Bytes>),
    /// A static member that took its predecessor's place in a stable group.
    Replacement(Box<Replacement>),
    /// A generation without members.
    EmptyGeneration,
}

impl ClassicGroup {
    /// A group without members that nobody has joined yet.
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
            unstored: None,
        }
    }

    /// Kafka's name of its state.
    pub(crate) const fn state_name(&self) -> &'static str {
        match self.state {
            State::Empty => "Empty",
            State::PreparingRebalance(_) => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }

    /// Whether it has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// Whether it has no members, and nobody who is about to be one.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_empty() && self.pending_members.is_empty()
    }

    /// Whether every member has an assignment of this generation.
    pub(crate) fn is_stable(&self) -> bool {
        self.state == State::Stable
    }

    /// What kind of members it has; `None` before the first, and where only offsets are kept.
    pub(crate) const fn protocol_type(&self) -> Option<&Str> {
        self.protocol_type.as_ref()
    }

    /// The generation.
    pub(crate) const fn generation(&self) -> i32 {
        self.generation
    }

    /// The protocol of this generation.
    pub(crate) const fn protocol(&self) -> Option<&Str> {
        self.protocol.as_ref()
    }

    /// Its members by id.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Whether its members read that topic, as far as known: consumers of an unknown subscription may read anything.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.is_of_consumers(),
        }
    }

    /// Whether its members are consumers.
    pub(crate) fn is_of_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Whether the topics that its members read are known.
    pub(crate) const fn knows_subscription(&self) -> bool {
        self.subscribed_topics.is_some()
    }

    /// Since when it is in its state, if a record or a transition told.
    pub(crate) const fn state_since_ms(&self) -> Option<i64> {
        self.state_since_ms
    }

    /// Whether `member_id` is a member, and the one that has `instance_id` if it claims one.
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

    /// The longest time that a member asks for to join again.
    fn rebalance_timeout(&self) -> Duration {
        // A wait of nothing would never end.
        const SHORTEST: Duration = Duration::from_millis(1);
        let longest = self.members.values().map(|member| member.rebalance_timeout);
        longest.max().unwrap_or_default().max(SHORTEST)
    }

    fn enter(&mut self, state: State, facts: &Facts) {
        self.state = state;
        self.state_since_ms = Some(facts.now.wall_ms);
    }
}
