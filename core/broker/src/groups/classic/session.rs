//! Signs of life, leaving, and what happens when there are none: time-outs.

use std::time::Duration;

use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{ErrorCode, Str};

use super::member::Standing;
use super::{ClassicGroup, Facts, Joining, Outbox, State};

/// Who is to leave: a member by its id, or whoever has an instance id.
#[derive(Debug, Clone)]
pub(crate) struct Leaver {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
}

/// What time brings.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Timer {
    Joining,
    Sync,
    Session(Str),
    PendingMember(Str),
}

impl ClassicGroup {
    /// A member says that it is there.
    pub(crate) fn heartbeat(
        &mut self,
        member_id: &str,
        instance_id: Option<&Str>,
        generation: i32,
        facts: &Facts,
    ) -> Result<(), ErrorCode> {
        self.check_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.member_mut(member_id).touch(facts);
        match self.state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::PreparingRebalance(_) => Err(ErrorCode::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// Whether offsets may be committed: by a member of this generation, or by anybody without one to a group without members. A commit
    /// is a sign of life.
    pub(crate) fn check_commit(
        &mut self,
        member_id: &str,
        instance_id: Option<&Str>,
        generation: i32,
        facts: &Facts,
    ) -> Result<(), ErrorCode> {
        if generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if generation < 0 && member_id.is_empty() && instance_id.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        self.check_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match self.state {
            State::CompletingRebalance => Err(ErrorCode::RebalanceInProgress),
            State::Stable | State::PreparingRebalance(_) => {
                self.member_mut(member_id).touch(facts);
                Ok(())
            }
            State::Empty => Ok(()),
        }
    }

    /// Members leave. The answers are in the order of `leavers`.
    pub(crate) fn leave(
        &mut self,
        leavers: Vec<Leaver>,
        facts: &Facts,
        out: &mut Outbox,
    ) -> Vec<MemberResponse> {
        let mut left = false;
        let mut answers = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let found = self.leaving(&leaver);
            if let Ok(id) = &found {
                self.remove(id, out);
                left = true;
            }
            answers.push(MemberResponse {
                member_id: leaver.member_id,
                group_instance_id: leaver.instance_id,
                error_code: found.err().unwrap_or(ErrorCode::None).code(),
                ..MemberResponse::default()
            });
        }
        if left && self.state != State::Empty {
            self.rebalance_or_complete(facts, out);
        }
        answers
    }

    fn leaving(&self, leaver: &Leaver) -> Result<Str, ErrorCode> {
        if leaver.member_id.is_empty() {
            let instance_id = leaver.instance_id.as_ref();
            let member = instance_id.and_then(|id| self.static_members.get(id));
            return member.cloned().ok_or(ErrorCode::UnknownMemberId);
        }
        if !self.pending_members.contains_key(&leaver.member_id) {
            self.check_member(&leaver.member_id, leaver.instance_id.as_ref())?;
        }
        Ok(leaver.member_id.clone())
    }

    /// When time next changes something.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.next_timer().map(|(deadline, _)| deadline)
    }

    /// Lets the earliest of the time-outs that are over happen. Whether there was one: the caller does what it put into `out`, then asks
    /// again.
    pub(crate) fn fire_next(&mut self, facts: &Facts, out: &mut Outbox) -> bool {
        match self.next_timer() {
            Some((deadline, timer)) if deadline <= facts.now.monotonic => {
                self.fire(&timer, facts, out);
                true
            }
            _ => false,
        }
    }

    fn next_timer(&self) -> Option<(Duration, Timer)> {
        let joining = match self.state {
            State::PreparingRebalance(Joining::First { until, .. } | Joining::Again { until }) => {
                Some((until, Timer::Joining))
            }
            _ => None,
        };
        let sync = self.sync_deadline.map(|until| (until, Timer::Sync));
        let sessions = self.members.values().filter_map(|member| {
            let deadline = member.session_deadline?;
            Some((deadline, member))
        });
        let session = sessions
            .min_by_key(|(deadline, _)| *deadline)
            .map(|(deadline, member)| (deadline, Timer::Session(member.id.clone())));
        let pending = self.pending_members.iter();
        let pending = pending
            .min_by_key(|(_, until)| **until)
            .map(|(id, until)| (*until, Timer::PendingMember(id.clone())));
        let timers = [session, pending, sync, joining];
        timers
            .into_iter()
            .flatten()
            .min_by_key(|(deadline, _)| *deadline)
    }

    fn fire(&mut self, timer: &Timer, facts: &Facts, out: &mut Outbox) {
        match timer {
            Timer::Joining => self.joining_timed_out(facts, out),
            Timer::Sync => self.sync_timed_out(facts, out),
            Timer::PendingMember(id) => {
                self.remove(id, out);
                self.complete_if_all_joined(facts, out);
            }
            Timer::Session(id) => self.session_timed_out(id, facts, out),
        }
    }

    fn session_timed_out(&mut self, id: &Str, facts: &Facts, out: &mut Outbox) {
        let member = self.member_mut(id);
        if member.waits() && member.standing == Standing::Established {
            member.session_deadline = None;
            return;
        }
        self.remove(id, out);
        self.rebalance_or_complete(facts, out);
    }

    /// Who has not synced by now is no member any more.
    fn sync_timed_out(&mut self, facts: &Facts, out: &mut Outbox) {
        self.sync_deadline = None;
        let missing: Vec<Str> = self.pending_sync.iter().cloned().collect();
        for id in &missing {
            self.remove(id, out);
        }
        if !missing.is_empty() {
            self.prepare_rebalance(facts, out);
        }
    }
}
