//! Updates the state of a member for responses.

use std::time::{Duration, Instant};

use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode};

use super::member::{ConsumerMember, State};
use super::partitions::{self, TopicNames};
use crate::cluster::can_retry;
use crate::consumer::group::membership::refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::mutants::{self, Mutant};

impl ConsumerMember {
    pub(super) fn coordinator_found(&mut self, found: Result<()>, now: Instant) {
        match found {
            // The pauses keep growing until the coordinator itself has answered.
            Ok(()) => self.has_coordinator = true,
            Err(error) if can_retry(&error) => self.backoff.failed(now),
            Err(error) => self.fail(error, now),
        }
    }

    pub(super) fn heartbeat_answered(
        &mut self,
        answer: Result<ConsumerGroupHeartbeatResponse>,
        now: Instant,
    ) {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.heartbeat_failed(error, now),
        };
        match error_codes::code(response.error_code) {
            ErrorCode::None => self.accept(response, now),
            ErrorCode::UnknownMemberId | ErrorCode::FencedMemberEpoch => self.fenced(now),
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.has_coordinator = false;
                self.repeat_heartbeat(now);
            }
            ErrorCode::CoordinatorLoadInProgress => self.repeat_heartbeat(now),
            code => {
                let reason = reason(code, response.error_message.as_deref());
                let group_id = &self.settings.group.group_id;
                let error = refusal(code, reason, "be a member of group", group_id);
                self.fail(error, now);
            }
        }
    }

    fn accept(&mut self, response: ConsumerGroupHeartbeatResponse, now: Instant) {
        self.backoff.succeeded();
        self.awaits_answer = false;
        self.state = State::Joined(response.member_epoch);
        let interval = u64::try_from(response.heartbeat_interval_ms).unwrap_or_default();
        self.heartbeat_due = now + Duration::from_millis(interval);
        if let Some(sent) = &self.sent {
            self.acknowledged.clone_from(&sent.owned);
        }
        let Some(assignment) = response.assignment else {
            return;
        };
        let partitions = Some(partitions::read(assignment));
        if self.target.partitions != partitions {
            self.target.partitions = partitions;
            self.target_changed();
            self.lookup_due = now;
            self.forget_names();
            self.awaits_names = !self.unnamed().is_empty();
        }
    }

    /// Another member may own the partitions: they are lost, and the member joins again with the same id.
    fn fenced(&mut self, now: Instant) {
        if matches!(self.state, State::Joining) {
            // The coordinator still has the member in its last epoch, until the session expires.
            self.backoff.failed(now);
        }
        self.may_be_member = false;
        self.reset(now);
        if mutants::is_active(Mutant::IgnoreFencing) {
            self.is_lost = false;
        }
    }

    /// The coordinator may not have got the heartbeat: the next one reports everything.
    fn repeat_heartbeat(&mut self, now: Instant) {
        self.sent = None;
        self.heartbeat_due = now;
        self.backoff.failed(now);
    }

    fn heartbeat_failed(&mut self, error: Error, now: Instant) {
        if error.kind() == ErrorKind::Closed {
            return self.fail(error, now);
        }
        self.has_coordinator = false;
        self.repeat_heartbeat(now);
    }

    /// Handles the names of topics from [`Step::LookUpTopics`](super::member::Step::LookUpTopics). Topics that are not
    /// known to any broker yet are looked up again.
    pub(super) fn topics_found(&mut self, found: Result<TopicNames>, now: Instant) {
        self.lookup_due = now + self.lookup_pause();
        self.awaits_names = false;
        match found {
            Ok(names) if names.is_empty() => {}
            Ok(names) => {
                self.names.extend(names);
                self.target_changed();
            }
            Err(error) if can_retry(&error) => {}
            Err(error) => self.fail(error, now),
        }
    }

    /// Drops the names of topics that are neither assigned nor owned.
    fn forget_names(&mut self) {
        let used = self.target.partitions.iter().flatten().chain(&self.owned);
        let used: Vec<_> = used.map(|(topic, _)| *topic).collect();
        self.names.retain(|topic, _| used.contains(topic));
    }

    /// The leaving heartbeat was answered or failed; in the latter case the session expires.
    pub(super) fn left(&mut self, now: Instant) {
        self.may_be_member = false;
        if !matches!(self.state, State::Failed(_)) {
            self.reset(now);
        }
    }

    /// Stops for good.
    pub(super) fn fail(&mut self, error: Error, now: Instant) {
        self.reset(now);
        self.state = State::Failed(error);
    }
}

/// The reason why the coordinator refused the member, with the remedy.
fn reason(code: ErrorCode, message: Option<&str>) -> Option<&str> {
    match code {
        ErrorCode::UnreleasedInstanceId => Some(
            "another member uses the same group.instance.id: close it first, or wait until its session has expired",
        ),
        ErrorCode::GroupIdNotFound => Some(
            "the members of the group use the classic protocol, and the brokers do not let both meet in one group \
             (group.consumer.migration.policy): end the classic members first, or set group.protocol=classic",
        ),
        ErrorCode::UnsupportedVersion => Some(
            "the brokers do not support the consumer protocol (KIP-848): set group.protocol=classic",
        ),
        _ => message,
    }
}
