//! The state machine of a member of a consumer group: the next request, given the responses so far and the time. It
//! does no I/O.
//!
//! ```text
//!   Joining     ConsumerGroupHeartbeat with epoch 0
//!      v
//!   Joined      heartbeats; each assignment is applied in steps, and each step is reported at once:
//!                 the caller commits and releases the partitions that are not in the assignment
//!                 a heartbeat reports the remaining ones, so that the coordinator assigns the rest to their next
//!                 owners
//!                 the caller takes the new partitions, unless a report is not answered yet
//! ```
//!
//! The background task calls [`ConsumerMember::next`] and reports responses (`answers.rs`). The consumer calls
//! [`todo`](Member::todo) and reports their completion (`caller.rs`). The member joins after the first poll. Without a
//! poll for `max.poll.interval.ms` it leaves, and rejoins after the next. It has one id for its whole life, also after
//! it was fenced.
//!
//! **Invariant: a heartbeat reports every partition that the caller may still read**, until the membership is lost;
//! then the caller releases all partitions before the member joins again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use headwater_protocol::{ConsumerGroupHeartbeatRequest, Str};
use uuid::Uuid;

use super::partitions::{IdPartition, TopicNames};
use super::requests::Report;
use crate::chance;
use crate::config::ConsumerProtocolConfig;
use crate::consumer::group::membership::Settings;
use crate::consumer::group::subscription::Subscription;
use crate::consumer::group::timers::{Backoff, PollTimer};
use crate::error::Error;

/// The next step.
#[derive(Debug)]
pub(super) enum Step {
    FindCoordinator,
    /// Fetch the names of these topics.
    LookUpTopics(BTreeSet<Uuid>),
    Heartbeat(ConsumerGroupHeartbeatRequest),
    /// Leave with this heartbeat.
    Leave(ConsumerGroupHeartbeatRequest),
    /// Wait until this time, or until woken.
    Wait(Option<Instant>),
}

#[derive(Debug)]
pub(super) enum State {
    /// The next heartbeat joins.
    Joining,
    /// A member with this epoch.
    Joined(i32),
    /// Permanent; the error is returned to the caller.
    Failed(Error),
}

/// The last assignment of the coordinator.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// `None` before the first one since the member joined.
    pub(super) partitions: Option<BTreeSet<IdPartition>>,
    /// Increases whenever there is more to apply.
    pub(super) version: i32,
    /// The version that the caller has applied.
    pub(super) applied: i32,
}

impl Target {
    pub(super) const fn is_applied(&self) -> bool {
        self.applied == self.version
    }

    pub(super) const fn mark_applied(&mut self) {
        self.applied = self.version;
    }
}

/// One member of a group.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent parts of the state"
)]
#[derive(Debug)]
pub(in crate::consumer::group) struct ConsumerMember {
    pub(super) settings: Settings,
    pub(super) config: ConsumerProtocolConfig,
    pub(super) subscription: Subscription,
    pub(super) id: Str,
    pub(super) state: State,
    /// Whether the coordinator may count this member, because a heartbeat has joined or may have.
    pub(super) may_be_member: bool,
    pub(super) has_coordinator: bool,
    pub(super) target: Target,
    /// The topics of assignments.
    pub(super) names: TopicNames,
    /// Whether the names of newly assigned topics are not looked up yet. The assignment is applied only as a whole, so
    /// that no caller takes a part of it for the whole.
    pub(super) awaits_names: bool,
    /// The partitions that the consumer reads.
    pub(super) owned: BTreeSet<IdPartition>,
    /// Whether the owned partitions may already belong to other members.
    pub(super) is_lost: bool,
    /// The content of the last reports; `None`: report everything.
    pub(super) sent: Option<Report>,
    /// The owned partitions of the last report that was answered.
    pub(super) acknowledged: BTreeSet<IdPartition>,
    /// Whether a report of owned partitions may have reached the coordinator without an answer. The coordinator may
    /// have assigned the missing partitions to others, so the caller takes nothing until there is an answer.
    pub(super) awaits_answer: bool,
    /// The member does not join before the first poll.
    pub(super) polls: PollTimer,
    pub(super) heartbeat_due: Instant,
    pub(super) lookup_due: Instant,
    pub(super) backoff: Backoff,
}

impl ConsumerMember {
    pub(in crate::consumer::group) fn new(
        settings: Settings,
        config: ConsumerProtocolConfig,
        subscription: Subscription,
        now: Instant,
    ) -> Self {
        Self {
            polls: PollTimer::new(settings.group.max_poll_interval),
            backoff: Backoff::new(settings.retry),
            settings,
            config,
            subscription,
            id: chance::uuid().to_string().into(),
            state: State::Joining,
            may_be_member: false,
            has_coordinator: false,
            target: Target::default(),
            names: TopicNames::new(),
            awaits_names: false,
            owned: BTreeSet::new(),
            is_lost: false,
            sent: None,
            acknowledged: BTreeSet::new(),
            awaits_answer: false,
            heartbeat_due: now,
            lookup_due: now,
        }
    }

    /// The step to take now.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if matches!(self.state, State::Failed(_)) {
            return self.leave_or_wait();
        }
        if self.polls.is_expired(now) {
            return self.on_poll_timeout();
        }
        if let Some(until) = self.backoff.pending(now) {
            return Step::Wait(Some(until));
        }
        if !self.has_coordinator {
            return Step::FindCoordinator;
        }
        if self.is_lost {
            return Step::Wait(self.polls.deadline());
        }
        let unnamed = self.unnamed();
        if !unnamed.is_empty() && now >= self.lookup_due {
            return Step::LookUpTopics(unnamed);
        }
        if now >= self.heartbeat_due || self.has_news() {
            return Step::Heartbeat(self.heartbeat());
        }
        let lookup_due = (!unnamed.is_empty()).then_some(self.lookup_due);
        let due = [self.polls.deadline(), lookup_due, Some(self.heartbeat_due)];
        Step::Wait(due.into_iter().flatten().min())
    }

    /// Leaves the group until the next poll.
    fn on_poll_timeout(&mut self) -> Step {
        if self.may_be_member {
            tracing::warn!(
                group = self.settings.group.group_id,
                "no poll within max.poll.interval.ms: the consumer leaves its group until the next poll"
            );
        }
        self.leave_or_wait()
    }

    /// Leaves the group, then waits until woken.
    fn leave_or_wait(&self) -> Step {
        if self.may_be_member {
            Step::Leave(self.leave())
        } else {
            Step::Wait(None)
        }
    }

    /// The topics of the assignment whose names are not known.
    pub(super) fn unnamed(&self) -> BTreeSet<Uuid> {
        let assigned = self.target.partitions.iter().flatten();
        let topics = assigned.map(|(topic, _)| *topic);
        topics
            .filter(|topic| !self.names.contains_key(topic))
            .collect()
    }

    /// The partitions to release, because they are not in the assignment.
    pub(super) fn to_release(&self) -> BTreeSet<IdPartition> {
        match &self.target.partitions {
            Some(target) => &self.owned - target,
            None => BTreeSet::new(),
        }
    }

    /// The partitions of the assignment whose topics have known names.
    pub(super) fn takable(&self) -> BTreeSet<IdPartition> {
        let assigned = self.target.partitions.iter().flatten();
        assigned
            .filter(|(topic, _)| self.names.contains_key(topic))
            .copied()
            .collect()
    }

    /// Records a new change to apply.
    pub(super) const fn target_changed(&mut self) {
        self.target.version += 1;
    }

    /// Leaves its epoch. The owned partitions are lost.
    pub(super) fn reset(&mut self, now: Instant) {
        self.state = State::Joining;
        self.is_lost = !self.owned.is_empty();
        self.target.partitions = None;
        self.awaits_names = false;
        self.target_changed();
        self.sent = None;
        self.acknowledged.clear();
        self.heartbeat_due = now;
    }

    /// The epoch; `None` while not a member.
    pub(super) const fn epoch(&self) -> Option<i32> {
        match self.state {
            State::Joined(epoch) => Some(epoch),
            State::Joining | State::Failed(_) => None,
        }
    }

    /// The time until a topic that is unknown to all brokers is looked up again.
    pub(super) fn lookup_pause(&self) -> Duration {
        self.backoff.longest()
    }
}
