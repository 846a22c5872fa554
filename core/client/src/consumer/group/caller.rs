//! The member's side of a poll: what the consumer must do, and what it reports back.

use std::time::Instant;

use headwater_protocol::{ErrorCode, LeaveGroupRequest, Str};

use super::member::{Member, Rejoin, State, named};
use super::subscription::Subscription;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind};

fn is_storage_error(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Storage | ErrorKind::CorruptLog)
        || error.code() == ErrorCode::UnknownServerError
}

/// What the consumer must do next.
#[derive(Debug, Clone)]
pub(crate) enum Todo {
    Nothing,
    /// Commit and release these partitions; the rebalance waits for it.
    Revoke(Vec<TopicPartition>),
    /// Release these partitions without a commit: they may belong to others already.
    Lose(Vec<TopicPartition>),
    /// Apply this assignment.
    Assign(NewAssignment),
    /// Return this error: the member cannot join.
    Fail(Error),
}

/// An assignment and its generation.
#[derive(Debug, Clone)]
pub(crate) struct NewAssignment {
    pub(crate) generation: i32,
    pub(crate) partitions: Vec<TopicPartition>,
}

/// The member that a commit is sent for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    /// -1 for a commit without membership.
    pub(crate) generation: i32,
}

impl Member {
    /// Records a poll. Returns whether the previous one was too long ago.
    pub(super) fn polled(&mut self, now: Instant) -> bool {
        let had_timed_out = self.poll_timed_out(now);
        self.last_poll = Some(now);
        had_timed_out
    }

    /// Replaces the subscription.
    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        self.topics = named(&subscription);
        self.subscription = subscription;
        match self.state {
            State::Failed(_) => self.prepare(),
            State::Preparing => {}
            _ => self.rejoin = Rejoin::Now,
        }
    }

    /// The failure was returned to the caller. After a storage error, which may have been repaired, the next poll joins again.
    pub(super) fn failure_reported(&mut self, now: Instant) {
        if let State::Failed(error) = &self.state
            && is_storage_error(error)
        {
            self.prepare();
            self.back_off(now);
        }
    }

    pub(super) fn todo(&self) -> Todo {
        if self.is_lost && !self.owned.is_empty() {
            return Todo::Lose(self.owned.clone());
        }
        match &self.state {
            State::Failed(error) => Todo::Fail(error.clone()),
            State::Preparing if self.topics.is_some() => {
                let to_release = self.to_release();
                if to_release.is_empty() {
                    Todo::Nothing
                } else {
                    Todo::Revoke(to_release)
                }
            }
            State::Stable => self.new_assignment().map_or(Todo::Nothing, Todo::Assign),
            _ => Todo::Nothing,
        }
    }

    fn new_assignment(&self) -> Option<NewAssignment> {
        Some(NewAssignment {
            generation: self.generation?,
            partitions: self.assigned.clone()?,
        })
    }

    /// The consumer no longer owns these partitions.
    pub(super) fn release(&mut self, partitions: &[TopicPartition]) {
        self.owned.retain(|owned| !partitions.contains(owned));
        if self.owned.is_empty() {
            self.is_lost = false;
        }
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::No {
            self.rejoin = Rejoin::AfterAssignment;
        }
    }

    /// The consumer takes its assignment over. Returns false, and the consumer must not apply it, if the generation is no longer current.
    pub(super) fn accept_assignment(&mut self, generation: i32) -> bool {
        if self.generation != Some(generation) {
            return false;
        }
        let Some(assigned) = self.assigned.take() else {
            return false;
        };
        self.owned.clone_from(&assigned);
        self.last_assignment = (assigned, self.generation);
        // Released partitions have no owner before the next generation.
        if self.rejoin == Rejoin::AfterAssignment {
            self.rejoin = Rejoin::Now;
        }
        true
    }

    /// Handles the error of a commit, if it is about the current membership.
    pub(super) fn commit_refused(&mut self, code: ErrorCode, identity: &Identity, now: Instant) {
        let is_current = identity.generation == self.generation_id();
        let is_about_membership = matches!(
            code,
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedInstanceId
        );
        if is_current && is_about_membership {
            self.refused(code, now, "stay in the group");
        }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            member_id: self.id.clone(),
            instance_id: self.instance_id(),
            generation: self.generation_id(),
        }
    }

    /// The request to send on close. Static members do not leave, because they may restart.
    pub(super) fn leave_on_close(&self) -> Option<LeaveGroupRequest> {
        let is_static = self.settings.group.instance_id.is_some();
        (!is_static && !self.id.is_empty()).then(|| self.leave())
    }
}
