//! Updates the state of a classic member for responses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{ErrorCode, HeartbeatResponse, JoinGroupResponse, Str, SyncGroupResponse};

use super::assignors::{Assignor, PartitionCounts};
use super::member::{ClassicMember, Election, LeaderTask, Rejoin, State, WatchedTopics};
use super::protocol;
use crate::cluster::can_retry;
use crate::consumer::group::membership::refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;

impl ClassicMember {
    pub(super) fn coordinator_found(&mut self, found: Result<()>, now: Instant) {
        match found {
            // The pauses keep growing until the coordinator itself has answered.
            Ok(()) => self.has_coordinator = true,
            Err(error) if can_retry(&error) => self.backoff.failed(now),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn join_answered(&mut self, answer: Result<JoinGroupResponse>, now: Instant) {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.request_failed(error, now),
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => self.begin_generation(response),
            ErrorCode::MemberIdRequired => self.id = response.member_id,
            code => self.refused(code, now, "join the group"),
        }
    }

    fn begin_generation(&mut self, response: JoinGroupResponse) {
        self.backoff.succeeded();
        self.id = response.member_id;
        self.generation = Some(response.generation_id);
        self.watched = None;
        self.protocol.clone_from(&response.protocol_name);
        self.leader = Some(response.leader.clone());
        if response.leader != self.id {
            self.state = State::Syncing(Vec::new());
            return;
        }
        let name = response.protocol_name.unwrap_or_default();
        let Some(assignor) = Assignor::named(&name) else {
            return self.fail(protocol_error(&format!(
                "the group chose the assignor \"{name}\", which this member does not support"
            )));
        };
        let mut candidates = Vec::new();
        for member in response.members {
            let id = member.member_id.clone();
            match protocol::candidate(assignor, member) {
                Ok(candidate) => candidates.push(candidate),
                Err(error) => {
                    return self.fail(
                        protocol_error(&format!(
                            "the subscription of member {id} cannot be decoded"
                        ))
                        .caused_by(error),
                    );
                }
            }
        }
        let task = if response.skip_assignment {
            LeaderTask::KeepAssignment
        } else {
            LeaderTask::Assign
        };
        self.state = State::Leading(Election {
            assignor,
            candidates,
            task,
        });
    }

    /// Handles the partition counts of a metadata response.
    pub(super) fn metadata_fetched(&mut self, counts: Result<PartitionCounts>, now: Instant) {
        self.metadata_due = now + self.settings.metadata_max_age;
        let counts = match counts {
            Ok(counts) => counts,
            Err(error) if can_retry(&error) => return self.backoff.failed(now),
            Err(error) => return self.fail(error),
        };
        self.backoff.succeeded();
        if let State::Leading(election) = &self.state {
            match assign(election, &counts) {
                Ok((assignments, topics)) => {
                    self.metadata_due = now + self.metadata_refresh_interval(&topics, &counts);
                    self.watched = Some(WatchedTopics { topics, counts });
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
            let current_counts = counts.iter().filter(|(topic, _)| is_watched(topic));
            if !current_counts.eq(&watched.counts) {
                self.rejoin = Rejoin::Now;
            }
            self.metadata_due = now + self.metadata_refresh_interval(&watched.topics, &counts);
        }
    }

    /// When to refresh these topics: soon if one does not exist, as in the Java client.
    fn metadata_refresh_interval(
        &self,
        topics: &BTreeSet<Arc<str>>,
        counts: &PartitionCounts,
    ) -> Duration {
        let interval = self.settings.metadata_max_age;
        if topics.iter().all(|topic| counts.contains_key(topic)) {
            interval
        } else {
            interval.min(self.backoff.longest())
        }
    }

    pub(super) fn sync_answered(&mut self, answer: Result<SyncGroupResponse>, now: Instant) {
        if !matches!(self.state, State::Syncing(_)) {
            // A failed commit has ended that generation in the meantime.
            return;
        }
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.request_failed(error, now),
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => return self.prepare(),
            code => return self.refused(code, now, "join the group"),
        }
        match protocol::read_assignment(response.assignment) {
            Ok(assigned) => {
                self.backoff.succeeded();
                self.assigned = Some(assigned);
                self.state = State::Stable;
                self.heartbeat_due = now + self.config.heartbeat_interval;
            }
            Err(error) => {
                self.fail(protocol_error("the assignment cannot be decoded").caused_by(error));
            }
        }
    }

    pub(super) fn heartbeat_answered(&mut self, answer: Result<HeartbeatResponse>, now: Instant) {
        self.heartbeat_due = now + self.config.heartbeat_interval;
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                self.heartbeat_due = now;
                return self.request_failed(error, now);
            }
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => self.backoff.succeeded(),
            ErrorCode::RebalanceInProgress => {
                if matches!(self.state, State::Stable) {
                    self.prepare();
                }
            }
            code => self.refused(code, now, "stay in the group"),
        }
    }

    /// The `LeaveGroup` was answered or failed; in the latter case the session expires.
    pub(super) fn left(&mut self) {
        self.id = Str::default();
        self.reset();
    }

    /// Handles an error code that may answer any request of a member.
    pub(super) fn refused(&mut self, code: ErrorCode, now: Instant, operation: &str) {
        match code {
            ErrorCode::UnknownMemberId => {
                self.id = Str::default();
                self.reset();
            }
            ErrorCode::IllegalGeneration => self.reset(),
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.has_coordinator = false;
                self.abandon_join();
                self.backoff.failed(now);
            }
            ErrorCode::CoordinatorLoadInProgress | ErrorCode::RebalanceInProgress => {
                self.abandon_join();
                self.backoff.failed(now);
            }
            code => self.fail(refusal(
                code,
                None,
                operation,
                &self.settings.group.group_id,
            )),
        }
    }

    fn request_failed(&mut self, error: Error, now: Instant) {
        if error.kind() == ErrorKind::Closed {
            return self.fail(error);
        }
        self.has_coordinator = false;
        self.abandon_join();
        self.backoff.failed(now);
    }

    /// Rejoins if the member has not synced with its generation yet.
    fn abandon_join(&mut self) {
        if matches!(self.state, State::Leading(_) | State::Syncing(_)) {
            self.prepare();
        }
    }

    /// Stops for good.
    pub(super) fn fail(&mut self, error: Error) {
        self.reset();
        self.state = State::Failed(error);
    }
}

type EncodedAssignments = (Vec<SyncGroupRequestAssignment>, BTreeSet<Arc<str>>);

/// Computes the assignments, and returns them with the topics that they depend on.
fn assign(election: &Election, counts: &PartitionCounts) -> Result<EncodedAssignments> {
    let topics = election.candidates.iter().flat_map(|one| &one.topics);
    let topics = topics.cloned().collect();
    if election.task == LeaderTask::KeepAssignment {
        return Ok((Vec::new(), topics));
    }
    let assigned = election.assignor.assign(&election.candidates, counts);
    let mut assignments = Vec::with_capacity(assigned.len());
    for (member_id, partitions) in assigned {
        let assignment = protocol::assignment(&partitions).map_err(|error| {
            protocol_error("an assignment is too large to send").caused_by(error)
        })?;
        assignments.push(SyncGroupRequestAssignment {
            member_id,
            assignment,
            ..Default::default()
        });
    }
    Ok((assignments, topics))
}

fn protocol_error(what: &str) -> Error {
    Error::new(
        ErrorKind::Broker,
        format!(
            "The group cannot assign partitions: {what}. Use the same client and partition.assignment.strategy for all members."
        ),
    )
}
