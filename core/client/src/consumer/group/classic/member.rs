//! The state machine of a classic member: the next request, given the responses so far and the time. It does no I/O.
//!
//! ```text
//!   Preparing   the caller releases partitions         (heartbeats continue)
//!      v
//!   Joining     JoinGroup                              the coordinator answers when all members have joined
//!      v
//!   Leading     the leader fetches metadata and assigns
//!      v
//!   Syncing     SyncGroup
//!      v
//!   Stable      heartbeats; the caller applies the assignment
//! ```
//!
//! The background task calls [`ClassicMember::next`] and reports responses (`answers.rs`). The consumer calls
//! [`todo`](Member::todo) and reports their completion (`caller.rs`). The member joins after the first poll. Without a
//! poll for `max.poll.interval.ms` it leaves, and rejoins after the next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, Str, SyncGroupRequest,
};

use super::assignors::{Assignor, Candidate, PartitionCounts, Rebalancing};
use crate::batch::TopicPartition;
use crate::config::ClassicConfig;
use crate::consumer::group::membership::Settings;
use crate::consumer::group::subscription::Subscription;
use crate::consumer::group::timers::{Backoff, PollTimer};
use crate::error::Error;

/// The next step. All requests except `FindCoordinator` and `FetchMetadata` go to the coordinator.
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
    AllButInternal,
    Named(BTreeSet<Arc<str>>),
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
    /// Partitions were released: rejoin once the caller has applied this generation's assignment, so that the next one
    /// can assign them.
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

/// The leader's task in this generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaderTask {
    Assign,
    /// Only watch the topics: the assignment is unchanged, because a static leader rejoined (`skip_assignment`).
    KeepAssignment,
}

/// The topics and partition counts of the leader's assignment. A change triggers a rebalance.
#[derive(Debug, Default)]
pub(super) struct WatchedTopics {
    pub(super) topics: BTreeSet<Arc<str>>,
    pub(super) counts: PartitionCounts,
}

/// One member of a group.
#[derive(Debug)]
pub(in crate::consumer::group) struct ClassicMember {
    pub(super) settings: Settings,
    pub(super) config: ClassicConfig,
    pub(super) rebalancing: Rebalancing,
    pub(super) subscription: Subscription,
    /// The subscribed topics; `None` until a pattern is first matched.
    pub(super) topics: Option<BTreeSet<Arc<str>>>,
    pub(super) id: Str,
    /// `None` while not a member of a generation.
    pub(super) generation: Option<i32>,
    pub(super) protocol: Option<Str>,
    /// The id of the member that assigns in this generation.
    pub(super) leader: Option<Str>,
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
    /// The member does not join before the first poll.
    pub(super) polls: PollTimer,
    pub(super) heartbeat_due: Instant,
    pub(super) metadata_due: Instant,
    pub(super) backoff: Backoff,
}

impl ClassicMember {
    pub(in crate::consumer::group) fn new(
        settings: Settings,
        config: ClassicConfig,
        subscription: Subscription,
        now: Instant,
    ) -> Self {
        let topics = subscription.names();
        Self {
            rebalancing: Assignor::rebalancing(&config.assignors),
            metadata_due: now + settings.metadata_max_age,
            polls: PollTimer::new(settings.group.max_poll_interval),
            backoff: Backoff::new(settings.retry),
            settings,
            config,
            subscription,
            topics,
            id: Str::default(),
            generation: None,
            protocol: None,
            leader: None,
            state: State::Preparing,
            has_coordinator: false,
            owned: Vec::new(),
            is_lost: false,
            last_assignment: (Vec::new(), None),
            assigned: None,
            rejoin: Rejoin::No,
            watched: None,
            heartbeat_due: now,
        }
    }

    /// The step to take now.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if matches!(self.state, State::Failed(_)) {
            return Step::Wait(None);
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
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::Now {
            self.prepare();
        }
        match &self.state {
            State::Preparing if self.topics.is_none() => Step::FetchMetadata(self.all_topics()),
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
        let mut until = self.polls.deadline().unwrap_or(now);
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
            return Some(self.all_topics());
        }
        let watched = self.watched.as_ref()?;
        Some(MetadataTopics::Named(watched.topics.clone()))
    }

    /// The topics to match the pattern with.
    fn all_topics(&self) -> MetadataTopics {
        if self.settings.exclude_internal_topics {
            MetadataTopics::AllButInternal
        } else {
            MetadataTopics::All
        }
    }

    /// Leaves its generation. Its owned partitions are lost.
    pub(super) fn reset(&mut self) {
        self.generation = None;
        self.protocol = None;
        self.leader = None;
        self.watched = None;
        self.is_lost = !self.owned.is_empty();
        self.prepare();
    }
}
