//! From one generation to the next.

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str};

use super::member::Standing;
use super::{Arrivals, ClassicGroup, Facts, Joining, Member, Outbox, State, Unstored};

impl ClassicGroup {
    /// After a change of the members: a new rebalance, or the end of the one that goes on.
    pub(super) fn rebalance_or_complete(&mut self, facts: &Facts, out: &mut Outbox) {
        match self.state {
            State::PreparingRebalance(_) => self.complete_if_all_joined(facts, out),
            State::Empty | State::CompletingRebalance | State::Stable => {
                self.prepare_rebalance(facts, out);
            }
        }
    }

    /// Ends the joining when nobody is missing; a first rebalance always takes its time.
    pub(super) fn complete_if_all_joined(&mut self, facts: &Facts, out: &mut Outbox) {
        let may_end = matches!(self.state, State::PreparingRebalance(Joining::Again { .. }));
        if may_end && self.has_all_joined() {
            self.complete_join(facts, out);
        }
    }

    /// All members have to join (again).
    pub(in crate::groups) fn prepare_rebalance(&mut self, facts: &Facts, out: &mut Outbox) {
        if self.state == State::CompletingRebalance {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
            }
            self.answer_syncs(ErrorCode::RebalanceInProgress, facts, out);
        }
        self.pending_sync.clear();
        self.sync_deadline = None;
        let now = facts.now.monotonic;
        if self.state == State::Empty {
            let delay = facts.limits.initial_rebalance_delay;
            let first = Joining::First {
                until: now.saturating_add(delay),
                delay,
                left: self.rebalance_timeout().saturating_sub(delay),
                arrivals: Arrivals::None,
            };
            self.enter(State::PreparingRebalance(first), facts);
        } else {
            let until = now.saturating_add(self.rebalance_timeout());
            self.enter(State::PreparingRebalance(Joining::Again { until }), facts);
            self.complete_if_all_joined(facts, out);
        }
    }

    /// The time to join is up: a first rebalance goes on while members come and there is time left, any other ends.
    pub(super) fn joining_timed_out(&mut self, facts: &Facts, out: &mut Outbox) {
        let State::PreparingRebalance(joining) = self.state else {
            return;
        };
        match joining {
            Joining::First {
                delay,
                left,
                arrivals: Arrivals::Some,
                ..
            } if !left.is_zero() => {
                let next = delay.min(left);
                self.state = State::PreparingRebalance(Joining::First {
                    until: facts.now.monotonic.saturating_add(next),
                    delay: next,
                    left: left.saturating_sub(delay),
                    arrivals: Arrivals::None,
                });
            }
            Joining::First { .. } | Joining::Again { .. } => self.complete_join(facts, out),
        }
    }

    /// Ends the joining: who has not joined again is no member any more, unless it is static; the others are the next generation.
    fn complete_join(&mut self, facts: &Facts, out: &mut Outbox) {
        let absent = |member: &&Member| !member.is_joining() && member.instance_id.is_none();
        let absent = self.members.values().filter(absent);
        let absent: Vec<_> = absent.map(|member| member.id.clone()).collect();
        for id in absent {
            self.remove(&id, out);
        }
        if !self.members.is_empty() && !self.elect_joined_leader() {
            // Only static members, none of whom came: they may until their sessions end.
            let until = facts.now.monotonic.saturating_add(self.rebalance_timeout());
            self.state = State::PreparingRebalance(Joining::Again { until });
            return;
        }
        self.next_generation(facts, out);
    }

    fn next_generation(&mut self, facts: &Facts, out: &mut Outbox) {
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol = self.elected_protocol();
        self.subscribed_topics = self.subscription();
        self.pending_sync.clear();
        if self.members.is_empty() {
            self.enter(State::Empty, facts);
            self.unstored = Some(Unstored::EmptyGeneration);
            out.record = Some(self.record(None));
            return;
        }
        self.enter(State::CompletingRebalance, facts);
        let ids: Vec<Str> = self.members.keys().cloned().collect();
        for id in ids {
            let response = self.generation_of(&id);
            let member = self.member_mut(&id);
            if let Some(ticket) = member.join.take() {
                out.joins.push((ticket, response));
            }
            member.touch(facts);
            member.standing = Standing::Established;
            self.pending_sync.insert(id);
        }
        let until = facts.now.monotonic;
        self.sync_deadline = Some(until.saturating_add(self.rebalance_timeout()));
    }

    /// Keeps the leader if it has joined, else makes another one of those who have. Whether there is one that has.
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

    /// Takes a member out, or an id that was given out. What it waits for is answered: it is no member.
    pub(super) fn remove(&mut self, id: &str, out: &mut Outbox) {
        if let Some(member) = self.members.remove(id) {
            if let Some(ticket) = member.join {
                out.refuse_join(ticket, Str::new(), ErrorCode::UnknownMemberId);
            }
            if let Some(ticket) = member.sync {
                out.refuse_sync(ticket, ErrorCode::UnknownMemberId);
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
