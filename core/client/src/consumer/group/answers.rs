//! What the answers of the coordinator make of a member.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{ErrorCode, HeartbeatResponse, JoinGroupResponse, Str, SyncGroupResponse};

use super::assignors::{Assignor, PartitionCounts};
use super::member::{Election, Member, Rejoin, State, Task, Watched};
use super::protocol;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;

impl Member {
    pub(super) fn coordinator_found(&mut self, found: Result<()>, now: Instant) {
        match found {
            Ok(()) => {
                self.knows_coordinator = true;
                self.failures = 0;
            }
            Err(error) if error.is_retriable() => self.later(now),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn joined(&mut self, answer: Result<JoinGroupResponse>, now: Instant) {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.unanswered(error, now),
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => self.begin_generation(response),
            ErrorCode::MemberIdRequired => self.id = response.member_id,
            code => self.refused(code, now, "join the group"),
        }
    }

    fn begin_generation(&mut self, response: JoinGroupResponse) {
        self.failures = 0;
        self.id = response.member_id;
        self.generation = Some(response.generation_id);
        self.watched = None;
        self.protocol.clone_from(&response.protocol_name);
        if response.leader != self.id {
            self.state = State::Syncing(Vec::new());
            return;
        }
        let name = response.protocol_name.unwrap_or_default();
        let Some(assignor) = Assignor::named(&name) else {
            return self.fail(strange(&format!(
                "the group chose the assignor \"{name}\", which this member did not offer"
            )));
        };
        let mut candidates = Vec::new();
        for member in response.members {
            let id = member.member_id.clone();
            match protocol::candidate(assignor, member) {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => {
                    return self.fail(
                        strange(&format!("the subscription of member {id} cannot be read"))
                            .caused_by(error),
                    );
                }
            }
        }
        let task = if response.skip_assignment {
            Task::Watch
        } else {
            Task::Assign
        };
        self.state = State::Leading(Election {
            assignor,
            candidates,
            task,
        });
    }

    /// How many partitions the topics have that were looked at.
    pub(super) fn looked(&mut self, counts: Result<PartitionCounts>, now: Instant) {
        self.look_due = now + self.settings.look_interval;
        let counts = match counts {
            Ok(counts) => counts,
            Err(error) if error.is_retriable() => return self.later(now),
            Err(error) => return self.fail(error),
        };
        self.failures = 0;
        if let State::Leading(election) = &self.state {
            match assign(election, &counts) {
                Ok((assignments, topics)) => {
                    self.look_due = now + self.look_pause(&topics, &counts);
                    self.watched = Some(Watched { topics, counts });
                    self.state = State::Syncing(assignments);
                }
                Err(error) => self.fail(error),
            }
            return;
        }
        if self.subscription.is_pattern() {
            let topics = self.subscription.topics_among(&counts);
            let before = self.topics.replace(topics);
            if before.is_some() && before != self.topics {
                self.rejoin = Rejoin::Now;
            }
        }
        if let Some(watched) = &self.watched {
            let is_watched = |topic: &Arc<str>| watched.topics.contains(topic);
            let now_there = counts.iter().filter(|(topic, _)| is_watched(topic));
            if !now_there.eq(&watched.counts) {
                self.rejoin = Rejoin::Now;
            }
            self.look_due = now + self.look_pause(&watched.topics, &counts);
        }
    }

    /// When to look at these topics again: soon if one is not there, as Java's client.
    fn look_pause(&self, topics: &BTreeSet<Arc<str>>, counts: &PartitionCounts) -> Duration {
        let interval = self.settings.look_interval;
        if topics.iter().all(|topic| counts.contains_key(topic)) {
            interval
        } else {
            interval.min(self.settings.retry.backoff_max)
        }
    }

    pub(super) fn synced(&mut self, answer: Result<SyncGroupResponse>, now: Instant) {
        if !matches!(self.state, State::Syncing(_)) {
            // A commit was refused meanwhile: that generation is over.
            return;
        }
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.unanswered(error, now),
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => return self.prepare(),
            code => return self.refused(code, now, "join the group"),
        }
        match protocol::read_assignment(response.assignment) {
            Ok(assigned) => {
                self.failures = 0;
                self.assigned = Some(assigned);
                self.state = State::Stable;
                self.heartbeat_due = now + self.settings.group.heartbeat_interval;
            }
            Err(error) => self.fail(strange("the assignment cannot be read").caused_by(error)),
        }
    }

    pub(super) fn heard(&mut self, answer: Result<HeartbeatResponse>, now: Instant) {
        self.heartbeat_due = now + self.settings.group.heartbeat_interval;
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                self.heartbeat_due = now;
                return self.unanswered(error, now);
            }
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => self.failures = 0,
            ErrorCode::RebalanceInProgress => {
                if matches!(self.state, State::Stable) {
                    self.prepare();
                }
            }
            code => self.refused(code, now, "stay in the group"),
        }
    }

    /// It has left, or tried to: the coordinator will miss it in any case.
    pub(super) fn left(&mut self) {
        self.id = Str::default();
        self.reset();
    }

    /// What a code means for a member, whatever it had asked for.
    pub(super) fn refused(&mut self, code: ErrorCode, now: Instant, doing: &str) {
        match code {
            ErrorCode::UnknownMemberId => {
                self.id = Str::default();
                self.reset();
            }
            ErrorCode::IllegalGeneration => self.reset(),
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.knows_coordinator = false;
                self.start_over();
                self.later(now);
            }
            ErrorCode::CoordinatorLoadInProgress | ErrorCode::RebalanceInProgress => {
                self.start_over();
                self.later(now);
            }
            code => self.fail(refusal(code, doing, &self.settings.group.group_id)),
        }
    }

    fn unanswered(&mut self, error: Error, now: Instant) {
        if error.kind() == ErrorKind::Closed {
            return self.fail(error);
        }
        self.knows_coordinator = false;
        self.start_over();
        self.later(now);
    }

    /// A generation that has begun without this member having synchronised is not its own.
    fn start_over(&mut self) {
        if matches!(self.state, State::Leading(_) | State::Syncing(_)) {
            self.prepare();
        }
    }

    /// Gives up for good.
    pub(super) fn fail(&mut self, error: Error) {
        self.reset();
        self.state = State::Failed(error);
    }
}

/// The error of a member that the coordinator does not want.
pub(super) fn refusal(code: ErrorCode, doing: &str, group_id: &str) -> Error {
    let error = error_codes::error(code, None, &format!("{doing} \"{group_id}\""));
    match code {
        ErrorCode::FencedInstanceId => error.fatal(),
        // The same broker would say the same again.
        ErrorCode::KafkaStorageError | ErrorCode::CorruptMessage => error.retriable(false),
        _ => error,
    }
}

type Assigned = (Vec<SyncGroupRequestAssignment>, BTreeSet<Arc<str>>);

/// The assignments of all members, and the topics that they depend on.
fn assign(election: &Election, counts: &PartitionCounts) -> Result<Assigned> {
    let topics = election.candidates.iter().flat_map(|one| &one.topics);
    let topics = topics.cloned().collect();
    if election.task == Task::Watch {
        return Ok((Vec::new(), topics));
    }
    let assigned = election.assignor.assign(&election.candidates, counts);
    let mut assignments = Vec::with_capacity(assigned.len());
    for (member_id, partitions) in assigned {
        let assignment = protocol::assignment(&partitions)
            .map_err(|error| strange("an assignment is too large to be told").caused_by(error))?;
        assignments.push(SyncGroupRequestAssignment {
            member_id,
            assignment,
            ..Default::default()
        });
    }
    Ok((assignments, topics))
}

fn strange(what: &str) -> Error {
    Error::new(
        ErrorKind::Broker,
        format!(
            "The group cannot agree: {what}. Give all members the same kind of client and strategy."
        ),
    )
}
