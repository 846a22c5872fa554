//! Heartbeats, leaving and time-outs.

use std::time::Duration;

use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{ErrorCode, Str};

use super::member::MemberPhase;
use super::{ClassicGroup, Effects, GroupContext, JoinPhase, State};

/// A member to remove: by its id, or by its instance id.
#[derive(Debug, Clone)]
pub(crate) struct Leaver {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
}

/// The events that time-outs cause.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Timer {
    JoinPhase,
    Sync,
    Session(Str),
    PendingMember(Str),
}

impl ClassicGroup {
    /// Handles a heartbeat.
    pub(crate) fn heartbeat(
        &mut self,
        member_id: &str,
        instance_id: Option<&Str>,
        generation: i32,
        context: &GroupContext,
    ) -> Result<(), ErrorCode> {
        self.check_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.member_mut(member_id).touch(context);
        match self.state {
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::PreparingRebalance(_) => Err(ErrorCode::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// Checks an offset commit: from a member of this generation, or from a non-member if the group is empty. A commit
    /// extends the session like a heartbeat.
    pub(crate) fn check_commit(
        &mut self,
        member_id: &str,
        instance_id: Option<&Str>,
        generation: i32,
        context: &GroupContext,
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
                self.member_mut(member_id).touch(context);
                Ok(())
            }
            State::Empty => Ok(()),
        }
    }

    /// Removes members. The results are in the order of `leavers`.
    pub(crate) fn leave(
        &mut self,
        leavers: Vec<Leaver>,
        context: &GroupContext,
        effects: &mut Effects,
    ) -> Vec<MemberResponse> {
        let mut left = false;
        let mut answers = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let found = self.leaving(&leaver);
            if let Ok(id) = &found {
                self.remove(id, effects);
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
            self.rebalance_or_complete(context, effects);
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

    /// The next deadline.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.next_timer().map(|(deadline, _)| deadline)
    }

    /// Expires the earliest time-out that is due. Returns whether there was one: the caller then performs the effects
    /// and calls again.
    pub(crate) fn fire_next(&mut self, context: &GroupContext, effects: &mut Effects) -> bool {
        match self.next_timer() {
            Some((deadline, timer)) if deadline <= context.now.monotonic => {
                self.fire(&timer, context, effects);
                true
            }
            _ => false,
        }
    }

    fn next_timer(&self) -> Option<(Duration, Timer)> {
        let joining = match self.state {
            State::PreparingRebalance(
                JoinPhase::First { until, .. } | JoinPhase::Again { until },
            ) => Some((until, Timer::JoinPhase)),
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

    fn fire(&mut self, timer: &Timer, context: &GroupContext, effects: &mut Effects) {
        match timer {
            Timer::JoinPhase => self.join_phase_timed_out(context, effects),
            Timer::Sync => self.sync_timed_out(context, effects),
            Timer::PendingMember(id) => {
                self.remove(id, effects);
                self.complete_if_all_joined(context, effects);
            }
            Timer::Session(id) => self.session_timed_out(id, context, effects),
        }
    }

    fn session_timed_out(&mut self, id: &Str, context: &GroupContext, effects: &mut Effects) {
        let member = self.member_mut(id);
        if member.waits() && member.phase == MemberPhase::Established {
            member.session_deadline = None;
            return;
        }
        self.remove(id, effects);
        self.rebalance_or_complete(context, effects);
    }

    /// Removes the members that have not synced.
    fn sync_timed_out(&mut self, context: &GroupContext, effects: &mut Effects) {
        self.sync_deadline = None;
        let missing: Vec<Str> = self.pending_sync.iter().cloned().collect();
        for id in &missing {
            self.remove(id, effects);
        }
        if !missing.is_empty() {
            self.prepare_rebalance(context, effects);
        }
    }
}
