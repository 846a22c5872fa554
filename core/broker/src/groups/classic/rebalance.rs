//! Rebalances: from one generation to the next.

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str};

use super::member::MemberPhase;
use super::{
    Arrivals, ClassicGroup, Effects, GroupContext, JoinPhase, Member, PendingWrite, State,
};

impl ClassicGroup {
    /// Starts a rebalance, or completes the current one if it can be completed.
    pub(super) fn rebalance_or_complete(&mut self, context: &GroupContext, effects: &mut Effects) {
        match self.state {
            State::PreparingRebalance(_) => self.complete_if_all_joined(context, effects),
            State::Empty | State::CompletingRebalance | State::Stable => {
                self.prepare_rebalance(context, effects);
            }
        }
    }

    /// Completes the join phase if all members have joined. The first generation always waits.
    pub(super) fn complete_if_all_joined(&mut self, context: &GroupContext, effects: &mut Effects) {
        let may_end = matches!(
            self.state,
            State::PreparingRebalance(JoinPhase::Again { .. })
        );
        if may_end && self.has_all_joined() {
            self.complete_join(context, effects);
        }
    }

    /// Starts a rebalance: all members have to join.
    pub(in crate::groups) fn prepare_rebalance(
        &mut self,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        if self.state == State::CompletingRebalance {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
            }
            self.answer_syncs(ErrorCode::RebalanceInProgress, context, effects);
        }
        self.pending_sync.clear();
        self.sync_deadline = None;
        let now = context.now.monotonic;
        if self.state == State::Empty {
            let delay = context.limits.initial_rebalance_delay;
            let first = JoinPhase::First {
                until: now.saturating_add(delay),
                delay,
                left: self.rebalance_timeout().saturating_sub(delay),
                arrivals: Arrivals::None,
            };
            self.enter(State::PreparingRebalance(first), context);
        } else {
            let until = now.saturating_add(self.rebalance_timeout());
            self.enter(
                State::PreparingRebalance(JoinPhase::Again { until }),
                context,
            );
            self.complete_if_all_joined(context, effects);
        }
    }

    /// The time-out of the join phase: the first generation waits longer while members arrive and time is left;
    /// otherwise the join phase completes.
    pub(super) fn join_phase_timed_out(&mut self, context: &GroupContext, effects: &mut Effects) {
        let State::PreparingRebalance(joining) = self.state else {
            return;
        };
        match joining {
            JoinPhase::First {
                delay,
                left,
                arrivals: Arrivals::Some,
                ..
            } if !left.is_zero() => {
                let next = delay.min(left);
                self.state = State::PreparingRebalance(JoinPhase::First {
                    until: context.now.monotonic.saturating_add(next),
                    delay: next,
                    left: left.saturating_sub(delay),
                    arrivals: Arrivals::None,
                });
            }
            JoinPhase::First { .. } | JoinPhase::Again { .. } => {
                self.complete_join(context, effects);
            }
        }
    }

    /// Completes the join phase. Dynamic members that have not joined are removed; the remaining members form the next
    /// generation.
    fn complete_join(&mut self, context: &GroupContext, effects: &mut Effects) {
        let absent = |member: &&Member| !member.is_joining() && member.instance_id.is_none();
        let absent = self.members.values().filter(absent);
        let absent: Vec<_> = absent.map(|member| member.id.clone()).collect();
        for id in absent {
            self.remove(&id, effects);
        }
        if !self.members.is_empty() && !self.elect_joined_leader() {
            // Only static members are left, and none has joined. They may join until their sessions expire.
            let until = context
                .now
                .monotonic
                .saturating_add(self.rebalance_timeout());
            self.state = State::PreparingRebalance(JoinPhase::Again { until });
            return;
        }
        self.next_generation(context, effects);
    }

    fn next_generation(&mut self, context: &GroupContext, effects: &mut Effects) {
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol = self.elected_protocol();
        self.subscribed_topics = self.subscription();
        self.pending_sync.clear();
        if self.members.is_empty() {
            self.enter(State::Empty, context);
            self.pending_write = Some(PendingWrite::EmptyGeneration);
            effects.record = Some(self.record(None));
            return;
        }
        self.enter(State::CompletingRebalance, context);
        let ids: Vec<Str> = self.members.keys().cloned().collect();
        for id in ids {
            let response = self.generation_of(&id);
            let member = self.member_mut(&id);
            if let Some(request_id) = member.join.take() {
                effects.joins.push((request_id, response));
            }
            member.touch(context);
            member.phase = MemberPhase::Established;
            self.pending_sync.insert(id);
        }
        let until = context.now.monotonic;
        self.sync_deadline = Some(until.saturating_add(self.rebalance_timeout()));
    }

    /// Keeps the leader if it has joined, otherwise elects a member that has. Returns whether there is one.
    fn elect_joined_leader(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|id| self.members.get(id));
        if leader.is_some_and(Member::is_joining) {
            return true;
        }
        let joined = self.members.values().find(|member| member.is_joining());
        let Some(joined) = joined else { return false };
        self.leader = Some(joined.id.clone());
        true
    }

    /// Removes a member or a pending member id. Its pending requests fail with `UNKNOWN_MEMBER_ID`.
    pub(super) fn remove(&mut self, id: &str, effects: &mut Effects) {
        if let Some(member) = self.members.remove(id) {
            if let Some(request_id) = member.join {
                effects.refuse_join(request_id, Str::new(), ErrorCode::UnknownMemberId);
            }
            if let Some(request_id) = member.sync {
                effects.refuse_sync(request_id, ErrorCode::UnknownMemberId);
            }
            if let Some(instance_id) = &member.instance_id {
                self.static_members.remove(instance_id);
            }
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_members.remove(id);
        self.pending_sync.remove(id);
    }
}
