//! A member of a group as a state machine: what to send next, given the answers so far and the time. Pure.
//!
//! ```text
//! Preparing   the caller gives up what it must       (heartbeats go on)
//!    v
//! Joining     JoinGroup                              the coordinator holds it until all have joined
//!    v
//! Leading     the leader looks at the topics, and assigns
//!    v
//! Syncing     SyncGroup
//!    v
//! Stable      heartbeats; the caller takes the assignment over
//! ```
//!
//! Two sides use it: the background task asks [`Member::next`] and brings answers (`answers.rs`), the caller asks [`Member::todo`] and
//! tells what it did (`caller.rs`). A member that the caller does not poll for `max.poll.interval.ms` leaves, and comes back with the next
//! poll; it joins with the first one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, Str, SyncGroupRequest,
};

use super::assignors::{Assignor, Candidate, PartitionCounts, Rebalancing};
use super::subscription::Subscription;
use crate::batch::TopicPartition;
use crate::config::{GroupConfig, RetryConfig};
use crate::error::Error;

/// What to do next. All but `FindCoordinator`, `Look` and `Wait` go to the coordinator.
#[derive(Debug)]
pub(super) enum Step {
    FindCoordinator,
    /// Ask how many partitions topics have.
    Look(Look),
    Join(JoinGroupRequest),
    Sync(SyncGroupRequest),
    Heartbeat(HeartbeatRequest),
    Leave(LeaveGroupRequest),
    /// Nothing before this time, or before somebody says that something has changed.
    Wait(Option<Instant>),
}

/// Which topics to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    All,
    Named(BTreeSet<Arc<str>>),
}

/// How the member is told of its group.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) group: GroupConfig,
    pub(crate) retry: RetryConfig,
    /// How often topics are looked at for new partitions, and for new topics of a pattern.
    pub(crate) look_interval: Duration,
    /// A pattern leaves out Kafka's own topics.
    pub(crate) exclude_internal_topics: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Preparing,
    Joining,
    Leading(Election),
    Syncing(Vec<SyncGroupRequestAssignment>),
    Stable,
    /// For good; the caller is told.
    Failed(Error),
}

/// Whether a stable member joins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejoin {
    No,
    /// Something was given up for others, who get it in the next generation: as soon as the caller has taken over what it got in this one.
    AfterTaking,
    Now,
}

/// What a leader knows before it assigns.
#[derive(Debug)]
pub(super) struct Election {
    pub(super) assignor: Assignor,
    pub(super) candidates: Vec<Candidate>,
    pub(super) task: Task,
}

/// What the leader is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Assign,
    /// The assignment of the generation stands (a static leader came back).
    Watch,
}

/// What a leader assigned from: when that changes, the group rebalances.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) topics: BTreeSet<Arc<str>>,
    pub(super) counts: PartitionCounts,
}

/// One member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) settings: Settings,
    pub(super) rebalancing: Rebalancing,
    pub(super) subscription: Subscription,
    /// The topics of the subscription, as far as they are known.
    pub(super) topics: Option<BTreeSet<Arc<str>>>,
    pub(super) id: Str,
    /// `None`: no member of the group.
    pub(super) generation: Option<i32>,
    pub(super) protocol: Option<Str>,
    pub(super) state: State,
    pub(super) knows_coordinator: bool,
    /// What the caller reads.
    pub(super) owned: Vec<TopicPartition>,
    /// What is owned belongs to others by now.
    pub(super) is_lost: bool,
    /// What the caller was last given, and when.
    pub(super) had: (Vec<TopicPartition>, Option<i32>),
    /// An assignment that the caller has not taken over yet.
    pub(super) assigned: Option<Vec<TopicPartition>>,
    pub(super) rejoin: Rejoin,
    pub(super) watched: Option<Watched>,
    /// `None`: the caller has not polled yet, so it does not join.
    pub(super) last_poll: Option<Instant>,
    pub(super) heartbeat_due: Instant,
    pub(super) look_due: Instant,
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
}

impl Member {
    pub(super) fn new(settings: Settings, subscription: Subscription, now: Instant) -> Self {
        let topics = named(&subscription);
        Self {
            rebalancing: Assignor::rebalancing(&settings.group.assignors),
            look_due: now + settings.look_interval,
            settings,
            subscription,
            topics,
            id: Str::default(),
            generation: None,
            protocol: None,
            state: State::Preparing,
            knows_coordinator: false,
            owned: Vec::new(),
            is_lost: false,
            had: (Vec::new(), None),
            assigned: None,
            rejoin: Rejoin::No,
            watched: None,
            last_poll: None,
            heartbeat_due: now,
            failures: 0,
            not_before: None,
        }
    }

    /// What to do now.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if matches!(self.state, State::Failed(_)) {
            return Step::Wait(None);
        }
        if self.is_silent(now) {
            return self.stand_back();
        }
        if let Some(until) = self.not_before {
            if now < until {
                return Step::Wait(Some(until));
            }
            self.not_before = None;
        }
        if !self.knows_coordinator {
            return Step::FindCoordinator;
        }
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::Now {
            self.prepare();
        }
        match &self.state {
            State::Preparing if self.topics.is_none() => Step::Look(Look::All),
            State::Preparing if self.to_give_up().is_empty() => {
                self.state = State::Joining;
                self.join()
            }
            State::Preparing | State::Stable => self.keep_alive(now),
            State::Joining => self.join(),
            State::Leading(election) => {
                let topics = election.candidates.iter().flat_map(|one| &one.topics);
                Step::Look(Look::Named(topics.cloned().collect()))
            }
            State::Syncing(assignments) => {
                let assignments = assignments.clone();
                self.sync(assignments)
            }
            State::Failed(_) => Step::Wait(None),
        }
    }

    /// What the caller must give up before the next generation, or has lost.
    pub(super) fn to_give_up(&self) -> Vec<TopicPartition> {
        let all = self.is_lost || self.rebalancing == Rebalancing::Eager;
        let is_read = |partition: &TopicPartition| {
            self.topics
                .as_ref()
                .is_none_or(|topics| topics.contains(&partition.topic))
        };
        let given_up = self
            .owned
            .iter()
            .filter(|partition| all || !is_read(partition));
        given_up.cloned().collect()
    }

    /// To the next generation.
    pub(super) fn prepare(&mut self) {
        self.rejoin = Rejoin::No;
        self.assigned = None;
        self.state = State::Preparing;
    }

    /// The caller does not poll, or not any more.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.silent_from().is_none_or(|from| now >= from)
    }

    fn silent_from(&self) -> Option<Instant> {
        Some(self.last_poll? + self.settings.group.max_poll_interval)
    }

    /// The caller does not poll: others are to read its partitions. A static member is only silent, until its session ends.
    fn stand_back(&mut self) -> Step {
        if self.id.is_empty() {
            return Step::Wait(None);
        }
        if self.settings.group.instance_id.is_none() {
            tracing::warn!(
                group = self.settings.group.group_id,
                "no poll within max.poll.interval.ms: the consumer leaves its group until the next poll"
            );
            return Step::Leave(self.leave());
        }
        if self.generation.is_some() {
            self.reset();
        }
        Step::Wait(None)
    }

    fn keep_alive(&self, now: Instant) -> Step {
        let mut until = self.silent_from().unwrap_or(now);
        if self.generation.is_some() {
            if now >= self.heartbeat_due {
                return self.heartbeat();
            }
            until = until.min(self.heartbeat_due);
        }
        if let Some(look) = self.looks_at() {
            if now >= self.look_due {
                return Step::Look(look);
            }
            until = until.min(self.look_due);
        }
        Step::Wait(Some(until))
    }

    /// What this member watches.
    fn looks_at(&self) -> Option<Look> {
        if self.subscription.is_pattern() {
            return Some(Look::All);
        }
        let watched = self.watched.as_ref()?;
        Some(Look::Named(watched.topics.clone()))
    }

    /// It is no member of the generation any more, and what it had goes to others.
    pub(super) fn reset(&mut self) {
        self.generation = None;
        self.protocol = None;
        self.watched = None;
        self.is_lost = !self.owned.is_empty();
        self.prepare();
    }

    /// Tries again after a pause.
    pub(super) fn later(&mut self, now: Instant) {
        self.failures += 1;
        self.not_before = Some(now + self.settings.retry.pause(self.failures));
    }
}

/// The topics of a subscription that names them.
pub(super) fn named(subscription: &Subscription) -> Option<BTreeSet<Arc<str>>> {
    match subscription {
        Subscription::Topics(topics) => Some(topics.clone()),
        Subscription::Pattern(_) => None,
    }
}
