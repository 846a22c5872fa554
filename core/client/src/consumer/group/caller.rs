//! What a member has to do with who polls.

use std::time::Instant;

use headwater_protocol::{ErrorCode, LeaveGroupRequest, Str};

use super::member::{Member, Rejoin, State, named};
use super::subscription::Subscription;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind};

fn is_of_storage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Storage | ErrorKind::CorruptLog)
        || error.code() == ErrorCode::UnknownServerError
}

/// What the caller must do.
#[derive(Debug, Clone)]
pub(crate) enum Todo {
    Nothing,
    /// Finish with these partitions and give them up: then the group goes on.
    Revoke(Vec<TopicPartition>),
    /// These partitions are read by others already.
    Lose(Vec<TopicPartition>),
    /// Read these partitions and no others.
    Take(Taking),
    /// The group does not want this member.
    Fail(Error),
}

/// An assignment, and the generation that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    pub(crate) generation: i32,
    pub(crate) partitions: Vec<TopicPartition>,
}

/// Who commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    /// -1: nobody in particular.
    pub(crate) generation: i32,
}

impl Member {
    /// The caller polls. Whether it was silent before.
    pub(super) fn polled(&mut self, now: Instant) -> bool {
        let was_silent = self.is_silent(now);
        self.last_poll = Some(now);
        was_silent
    }

    /// Reads something else from now on.
    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        self.topics = named(&subscription);
        self.subscription = subscription;
        match self.state {
            State::Failed(_) => self.prepare(),
            State::Preparing => {}
            _ => self.rejoin = Rejoin::Now,
        }
    }

    /// The caller knows why it failed. Where storage was the reason it tries again with the next poll: somebody may have mended it.
    pub(super) fn failure_told(&mut self, now: Instant) {
        if let State::Failed(error) = &self.state
            && is_of_storage(error)
        {
            self.prepare();
            self.later(now);
        }
    }

    pub(super) fn todo(&self) -> Todo {
        if self.is_lost && !self.owned.is_empty() {
            return Todo::Lose(self.owned.clone());
        }
        match &self.state {
            State::Failed(error) => Todo::Fail(error.clone()),
            State::Preparing if self.topics.is_some() => {
                let given_up = self.to_give_up();
                if given_up.is_empty() {
                    Todo::Nothing
                } else {
                    Todo::Revoke(given_up)
                }
            }
            State::Stable => self.taking().map_or(Todo::Nothing, Todo::Take),
            _ => Todo::Nothing,
        }
    }

    fn taking(&self) -> Option<Taking> {
        Some(Taking {
            generation: self.generation?,
            partitions: self.assigned.clone()?,
        })
    }

    /// The caller does not read these any more.
    pub(super) fn gave_up(&mut self, partitions: &[TopicPartition]) {
        self.owned.retain(|owned| !partitions.contains(owned));
        if self.owned.is_empty() {
            self.is_lost = false;
        }
        if matches!(self.state, State::Stable) && self.rejoin == Rejoin::No {
            self.rejoin = Rejoin::AfterTaking;
        }
    }

    /// The caller reads what it was given. Whether the generation is still that one: if not, it reads nothing new.
    pub(super) fn took(&mut self, generation: i32) -> bool {
        if self.generation != Some(generation) {
            return false;
        }
        let Some(assigned) = self.assigned.take() else {
            return false;
        };
        self.owned.clone_from(&assigned);
        self.had = (assigned, self.generation);
        // What was given up has no reader before the next generation.
        if self.rejoin == Rejoin::AfterTaking {
            self.rejoin = Rejoin::Now;
        }
        true
    }

    /// A commit was refused because the member is not what it thinks.
    pub(super) fn commit_refused(&mut self, code: ErrorCode, identity: &Identity, now: Instant) {
        let is_about_now = identity.generation == self.generation_id();
        let is_about_it = matches!(
            code,
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::FencedInstanceId
        );
        if is_about_now && is_about_it {
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

    /// Ends it. What is to be sent so that the group need not wait: static members come back, so they say nothing.
    pub(super) fn end(&self) -> Option<LeaveGroupRequest> {
        let is_static = self.settings.group.instance_id.is_some();
        (!is_static && !self.id.is_empty()).then(|| self.leave())
    }
}
