//! The state machine of a group member: which request to send next, given the responses so far and the time. It does no I/O.
//!
//! ```text
//! Preparing   the caller releases partitions         (heartbeats continue)
//!    v
//! Joining     JoinGroup                              the coordinator holds it until all members have joined
//!    v
//! Leading     the leader fetches metadata and assigns
//!    v
//! Syncing     SyncGroup
//!    v
//! Stable      heartbeats; the caller applies the assignment
//! ```
//!
//! The background task calls [`Member::next`] and reports responses (`answers.rs`). The consumer calls [`Member::todo`] and reports what it
//! did (`caller.rs`). The member joins after the first poll. Without a poll for `max.poll.interval.ms` it leaves, and rejoins after the next.

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

/// The next step. All requests but `FindCoordinator` and `FetchMetadata` go to the coordinator.
#[derive(Debug)]
pub(super) enum Step {
    FindCoordinator,
    /// Fetch the partition counts of topics.
    FetchMetadata(MetadataTopics),
    Join(JoinGroupRequest),
    Sync(SyncGroupRequest),
    Heartbeat(HeartbeatRequest),
    Leave(LeaveGroupRequest),
    /// Wait until this time, or until woken.
    Wait(Option<Instant>),
}

/// The topics of a metadata request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MetadataTopics {
    All,
    Named(BTreeSet<Arc<str>>),
}

/// The configuration of a member.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) group: GroupConfig,
    pub(crate) retry: RetryConfig,
    /// How often to check for new partitions, and for new topics that match a pattern.
    pub(crate) metadata_max_age: Duration,
    /// Whether a pattern skips internal topics.
    pub(crate) exclude_internal_topics: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Preparing,
    Joining,
    Leading(Election),
    Syncing(Vec<SyncGroupRequestAssignment>),
    Stable,
    /// Permanent; the error is returned to the caller.
    Failed(Error),
}

/// Whether a stable member rejoins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejoin {
    No,
    /// Partitions were released: rejoin once the caller has applied this generation's assignment, so that the next one can assign them.
    AfterAssignment,
    Now,
}

/// The input of the leader's assignment.
#[derive(Debug)]
pub(super) struct Election {
    pub(super) assignor: Assignor,
    pub(super) candidates: Vec<Candidate>,
    pub(super) task: LeaderTask,
}

/// What the leader does in this generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaderTask {
    Assign,
    /// Only watch the topics: the assignment is unchanged, because a static leader rejoined (`skip_assignment`).
    KeepAssignment,
}

/// The topics and counts that the leader assigned from. A change triggers a rebalance.
#[derive(Debug, Default)]
pub(super) struct WatchedTopics {
    pub(super) topics: BTreeSet<Arc<str>>,
    pub(super) counts: PartitionCounts,
}

/// One member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) settings: Settings,
    pub(super) rebalancing: Rebalancing,
    pub(super) subscription: Subscription,
    /// The subscribed topics; `None` until a pattern is first matched.
    pub(super) topics: Option<BTreeSet<Arc<str>>>,
    pub(super) id: Str,
    /// `None` while not a member of a generation.
    pub(super) generation: Option<i32>,
    pub(super) protocol: Option<Str>,
    pub(super) state: State,
    pub(super) has_coordinator: bool,
    /// The partitions that the consumer reads.
    pub(super) owned: Vec<TopicPartition>,
    /// Whether the owned partitions may already belong to other members.
    pub(super) is_lost: bool,
    /// The last assignment that the consumer applied, and its generation.
    pub(super) last_assignment: (Vec<TopicPartition>, Option<i32>),
    /// An assignment that the consumer has not applied yet.
    pub(super) assigned: Option<Vec<TopicPartition>>,
    pub(super) rejoin: Rejoin,
    pub(super) watched: Option<WatchedTopics>,
    /// `None` before the first poll; the member does not join before it.
    pub(super) last_poll: Option<Instant>,
    pub(super) heartbeat_due: Instant,
    pub(super) metadata_due: Instant,
    pub(super) failures: u32,
    pub(super) backoff_until: Option<Instant>,
}

impl Member {
    pub(super) fn new(settings: Settings, subscription: Subscription, now: Instant) -> Self {
        let topics = named(&subscription);
        Self {
            rebalancing: Assignor::rebalancing(&settings.group.assignors),
            metadata_due: now + settings.metadata_max_age,
            settings,
            subscription,
            topics,
            id: Str::default(),
            generation: None,
            protocol: None,
            state: State::Preparing,
            has_coordinator: false,
            owned: Vec::new(),
            is_lost: false,
            last_assignment: (Vec::new(), None),
            assigned: None,
            rejoin: Rejoin::No,
            watched: None,
            last_poll: None,
            heartbeat_due: now,
            failures: 0,
            backoff_until: None,
        }
    }

    /// The step to take now.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if matches!(self.state, State::Failed(_)) {
            return Step::Wait(None);
        }
        if self.poll_timed_out(now) {
            return self.on_poll_timeout();
        }
        if let Some(until) = self.backoff_until {
            if now < until {
                return Step::Wait(Some(until));
            }
            self.backoff_until = None;
        }
        if !self.has_coordinator {
            return Step::FindCoordinator;
        }
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::Now {
            self.prepare();
        }
        match &self.state {
            State::Preparing if self.topics.is_none() => Step::FetchMetadata(MetadataTopics::All),
            State::Preparing if self.to_release().is_empty() => {
                self.state = State::Joining;
                self.join()
            }
            State::Preparing | State::Stable => self.keep_alive(now),
            State::Joining => self.join(),
            State::Leading(election) => {
                let topics = election.candidates.iter().flat_map(|one| &one.topics);
                Step::FetchMetadata(MetadataTopics::Named(topics.cloned().collect()))
            }
            State::Syncing(assignments) => {
                let assignments = assignments.clone();
                self.sync(assignments)
            }
            State::Failed(_) => Step::Wait(None),
        }
    }

    /// The partitions to release before joining the next generation.
    pub(super) fn to_release(&self) -> Vec<TopicPartition> {
        let all = self.is_lost || self.rebalancing == Rebalancing::Eager;
        let is_read = |partition: &TopicPartition| {
            self.topics
                .as_ref()
                .is_none_or(|topics| topics.contains(&partition.topic))
        };
        let to_release = self
            .owned
            .iter()
            .filter(|partition| all || !is_read(partition));
        to_release.cloned().collect()
    }

    /// Starts the next `JoinGroup`.
    pub(super) fn prepare(&mut self) {
        self.rejoin = Rejoin::No;
        self.assigned = None;
        self.state = State::Preparing;
    }

    /// Whether `max.poll.interval.ms` has passed since the last poll, or there was none.
    pub(super) fn poll_timed_out(&self, now: Instant) -> bool {
        self.poll_deadline().is_none_or(|from| now >= from)
    }

    fn poll_deadline(&self) -> Option<Instant> {
        Some(self.last_poll? + self.settings.group.max_poll_interval)
    }

    /// Leaves the group, or as a static member stops heartbeats and lets its session expire.
    fn on_poll_timeout(&mut self) -> Step {
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
        let mut until = self.poll_deadline().unwrap_or(now);
        if self.generation.is_some() {
            if now >= self.heartbeat_due {
                return self.heartbeat();
            }
            until = until.min(self.heartbeat_due);
        }
        if let Some(topics) = self.topics_to_refresh() {
            if now >= self.metadata_due {
                return Step::FetchMetadata(topics);
            }
            until = until.min(self.metadata_due);
        }
        Step::Wait(Some(until))
    }

    /// The topics to check for changes.
    fn topics_to_refresh(&self) -> Option<MetadataTopics> {
        if self.subscription.is_pattern() {
            return Some(MetadataTopics::All);
        }
        let watched = self.watched.as_ref()?;
        Some(MetadataTopics::Named(watched.topics.clone()))
    }

    /// Drops out of the generation. Its owned partitions are lost.
    pub(super) fn reset(&mut self) {
        self.generation = None;
        self.protocol = None;
        self.watched = None;
        self.is_lost = !self.owned.is_empty();
        self.prepare();
    }

    /// Backs off before the next step.
    pub(super) fn back_off(&mut self, now: Instant) {
        self.failures += 1;
        self.backoff_until = Some(now + self.settings.retry.pause(self.failures));
    }
}

/// The topics of a subscription by name; `None` for a pattern.
pub(super) fn named(subscription: &Subscription) -> Option<BTreeSet<Arc<str>>> {
    match subscription {
        Subscription::Topics(topics) => Some(topics.clone()),
        Subscription::Pattern(_) => None,
    }
}
