//! The consumer's side of a classic member: todos for the consumer, and its reports.

use std::time::Instant;

use headwater_protocol::{ErrorCode, Str};

use super::assignors::Rebalancing;
use super::member::{ClassicMember, Rejoin, State};
use crate::batch::TopicPartition;
use crate::consumer::group::membership::{
    Completeness, Identity, LeaveRequest, Member, NewAssignment, Todo, is_storage_error,
};
use crate::consumer::group::subscription::Subscription;

impl Member for ClassicMember {
    fn polled(&mut self, now: Instant) -> bool {
        self.polls.polled(now)
    }

    fn subscribe(&mut self, subscription: Subscription) {
        self.topics = subscription.names();
        self.subscription = subscription;
        match self.state {
            State::Failed(_) => self.prepare(),
            State::Preparing => {}
            _ => self.rejoin = Rejoin::Now,
        }
    }

    fn failure_reported(&mut self, now: Instant) {
        if let State::Failed(error) = &self.state
            && is_storage_error(error)
        {
            self.prepare();
            self.backoff.failed(now);
        }
    }

    fn todo(&self) -> Todo {
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

    fn release(&mut self, partitions: &[TopicPartition]) {
        self.owned.retain(|owned| !partitions.contains(owned));
        if self.owned.is_empty() {
            self.is_lost = false;
        }
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::No {
            self.rejoin = Rejoin::AfterAssignment;
        }
    }

    fn accept_assignment(&mut self, version: i32) -> bool {
        if self.generation != Some(version) {
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

    fn topic_changed(&mut self, now: Instant) {
        self.metadata_due = now;
    }

    /// Leaves the generation if the error concerns it.
    fn offsets_refused(&mut self, code: ErrorCode, identity: &Identity, now: Instant) {
        let is_current = identity.generation_or_epoch == self.generation_id();
        let is_about_membership = matches!(
            code,
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedInstanceId
        );
        if is_current && is_about_membership {
            self.refused(code, now, "stay in the group");
        }
    }

    fn completeness(&self) -> Completeness {
        if self.rebalancing == Rebalancing::Eager {
            return Completeness::Always;
        }
        let is_applied = matches!(self.state, State::Stable)
            && self.assigned.is_none()
            && self.rejoin == Rejoin::No;
        let generation = self.generation.filter(|_| is_applied);
        Completeness::NothingMoves(self.id.clone(), generation)
    }

    fn committer(&self) -> Identity {
        Identity {
            member_id: self.id.clone(),
            instance_id: self.instance_id(),
            generation_or_epoch: self.generation_id(),
        }
    }

    fn election(&self) -> Option<(Str, Str)> {
        Some((self.leader.clone()?, self.protocol.clone()?))
    }

    fn reader(&self) -> Option<Identity> {
        None
    }

    /// Static members do not leave, because they may restart.
    fn leave_on_close(&self) -> Option<LeaveRequest> {
        let is_static = self.settings.group.instance_id.is_some();
        (!is_static && !self.id.is_empty()).then(|| LeaveRequest::Classic(self.leave()))
    }
}

impl ClassicMember {
    fn new_assignment(&self) -> Option<NewAssignment> {
        Some(NewAssignment {
            version: self.generation?,
            partitions: self.assigned.clone()?,
        })
    }
}
