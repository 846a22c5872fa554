//! The consumer's side of a member: todos for the consumer, and its reports.

use std::time::Instant;

use headwater_protocol::ErrorCode;

use super::member::{ConsumerMember, State};
use super::partitions::named;
use crate::batch::TopicPartition;
use crate::consumer::group::membership::{
    Completeness, Identity, LeaveRequest, Member, NewAssignment, Todo, is_storage_error,
};
use crate::consumer::group::subscription::Subscription;

impl Member for ConsumerMember {
    fn todo(&self) -> Todo {
        if self.is_lost {
            return Todo::Lose(named(&self.owned, &self.names));
        }
        match &self.state {
            State::Failed(error) => Todo::Fail(error.clone()),
            State::Joining => Todo::Nothing,
            State::Joined(_) => {
                let to_release = self.to_release();
                if !to_release.is_empty() {
                    return Todo::Revoke(named(&to_release, &self.names));
                }
                self.new_assignment().map_or(Todo::Nothing, Todo::Assign)
            }
        }
    }

    fn polled(&mut self, now: Instant) -> bool {
        self.polls.polled(now)
    }

    fn subscribe(&mut self, subscription: Subscription) {
        self.subscription = subscription;
        if matches!(self.state, State::Failed(_)) {
            self.state = State::Joining;
        }
    }

    fn release(&mut self, partitions: &[TopicPartition]) {
        let names = &self.names;
        self.owned.retain(|owned| {
            let name = names.get(&owned.0);
            !partitions.iter().any(|released| {
                name == Some(&released.topic) && released.partition.get() == owned.1
            })
        });
        if self.owned.is_empty() {
            self.is_lost = false;
        }
        if self.epoch().is_some() && self.owned == self.takable() {
            self.target.mark_applied();
        }
    }

    fn accept_assignment(&mut self, version: i32) -> bool {
        let is_current = self.epoch().is_some()
            && self.target.version == version
            && !self.target.is_applied()
            && self.may_take();
        if is_current {
            self.owned = self.takable();
            self.target.mark_applied();
        }
        is_current
    }

    fn failure_reported(&mut self, now: Instant) {
        if let State::Failed(error) = &self.state
            && is_storage_error(error)
        {
            self.state = State::Joining;
            self.backoff.failed(now);
        }
    }

    /// The coordinator detects the change at the next heartbeat.
    fn topic_changed(&mut self, now: Instant) {
        self.heartbeat_due = now;
    }

    fn completeness(&self) -> Completeness {
        Completeness::Target(self.id.clone())
    }

    fn expect_assignment(&mut self, now: Instant) {
        self.heartbeat_due = now;
    }

    fn committer(&self) -> Identity {
        self.reader().unwrap_or_else(Identity::none)
    }

    fn reader(&self) -> Option<Identity> {
        Some(Identity {
            member_id: self.id.clone(),
            instance_id: self.instance_id(),
            generation_or_epoch: self.epoch()?,
        })
    }

    /// The next heartbeat returns the epoch, or that the member was fenced.
    fn offsets_refused(&mut self, code: ErrorCode, identity: &Identity, now: Instant) {
        let is_about_membership = matches!(
            code,
            ErrorCode::UnknownMemberId | ErrorCode::StaleMemberEpoch | ErrorCode::FencedMemberEpoch
        );
        if is_about_membership && self.epoch() == Some(identity.generation_or_epoch) {
            self.heartbeat_due = now;
        }
    }

    /// A static member leaves for a while, because it may restart.
    fn leave_on_close(&self) -> Option<LeaveRequest> {
        self.may_be_member
            .then(|| LeaveRequest::Consumer(self.leave()))
    }
}

impl ConsumerMember {
    /// Whether the coordinator has acknowledged every release and every report.
    fn may_take(&self) -> bool {
        self.to_release().is_empty()
            && self.acknowledged.is_subset(&self.owned)
            && !self.awaits_answer
    }

    /// The assignment to apply. If the names of all its topics are unknown, it is not empty but not applied yet.
    fn new_assignment(&self) -> Option<NewAssignment> {
        let assigned = self.target.partitions.as_ref()?;
        let takable = self.takable();
        let has_names = !self.awaits_names && takable.is_empty() == assigned.is_empty();
        let is_due = !self.target.is_applied() && self.may_take() && has_names;
        is_due.then(|| NewAssignment {
            version: self.target.version,
            partitions: named(&takable, &self.names),
        })
    }
}
