//! A static member that starts again takes the place of the one that it was.

use headwater_protocol::{ErrorCode, JoinGroupResponse, Str};

use super::join::{Join, SkipRule};
use super::member::Standing;
use super::{ClassicGroup, Facts, Member, Outbox, State, Ticket, Unstored};

/// A replacement in a stable group that waits for its record, and what is needed to take it back.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    predecessor: Member,
    predecessor_leader: Option<Str>,
    successor: Str,
    skip_rule: SkipRule,
}

impl ClassicGroup {
    /// `join` takes the place of `predecessor`, which is fenced. A stable group goes on undisturbed if its protocol stays.
    pub(super) fn replace_static_member(
        &mut self,
        predecessor: &Str,
        join: Join,
        ticket: Ticket,
        facts: &Facts,
        out: &mut Outbox,
    ) {
        let leader = self.leader.clone();
        let successor = join.new_member_id.clone();
        let skip_rule = join.skip_rule;
        let old = self.rename(predecessor, &successor, out);
        self.update(&successor, join, ticket, out);
        self.member_mut(&successor).touch(facts);
        match self.state {
            State::Stable if self.elected_protocol() == self.protocol => {
                out.record = Some(self.record(None));
                self.unstored = Some(Unstored::Replacement(Box::new(Replacement {
                    predecessor: old,
                    predecessor_leader: leader,
                    successor,
                    skip_rule,
                })));
            }
            // The leader may have assigned to the old id already.
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(facts, out),
            State::Empty | State::PreparingRebalance(_) => self.complete_if_all_joined(facts, out),
        }
    }

    /// The record of a replacement was written: the successor is told its generation.
    pub(super) fn replaced(&mut self, replacement: &Replacement, out: &mut Outbox) {
        let successor = &replacement.successor;
        let mut response = self.generation_of(successor);
        match replacement.skip_rule {
            SkipRule::Skip => response.skip_assignment = self.is_leader(successor),
            SkipRule::Hide => {
                response.members.clear();
                response.leader = replacement.predecessor_leader.clone().unwrap_or_default();
            }
        }
        if let Some(ticket) = self.member_mut(successor).join.take() {
            out.joins.push((ticket, response));
        }
    }

    /// The record was not written: the predecessor is back.
    pub(super) fn take_back(
        &mut self,
        replacement: Replacement,
        code: ErrorCode,
        facts: &Facts,
        out: &mut Outbox,
    ) {
        let successor = self.members.remove(&replacement.successor);
        if let Some(ticket) = successor.and_then(|member| member.join) {
            let response = JoinGroupResponse {
                error_code: code.code(),
                generation_id: self.generation,
                leader: replacement.predecessor_leader.clone().unwrap_or_default(),
                ..JoinGroupResponse::default()
            };
            out.joins.push((ticket, response));
        }
        let mut member = replacement.predecessor;
        member.touch(facts);
        self.pending_sync.remove(&replacement.successor);
        if let Some(instance_id) = &member.instance_id {
            self.static_members
                .insert(instance_id.clone(), member.id.clone());
        }
        self.leader = replacement.predecessor_leader;
        self.members.insert(member.id.clone(), member);
    }

    /// Gives a static member another id. The old one is fenced; returns it as it was, waiting for nothing.
    fn rename(&mut self, from: &Str, to: &Str, out: &mut Outbox) -> Member {
        let mut old = self
            .members
            .remove(from)
            .expect("a static member that is listed is a member");
        if let Some(ticket) = old.join.take() {
            out.refuse_join(ticket, old.id.clone(), ErrorCode::FencedInstanceId);
        }
        if let Some(ticket) = old.sync.take() {
            out.refuse_sync(ticket, ErrorCode::FencedInstanceId);
        }
        if let Some(instance_id) = &old.instance_id {
            self.static_members.insert(instance_id.clone(), to.clone());
        }
        if self.is_leader(from) {
            self.leader = Some(to.clone());
        }
        if self.pending_sync.remove(from) {
            self.pending_sync.insert(to.clone());
        }
        let new = Member {
            id: to.clone(),
            standing: Standing::Established,
            ..old.clone()
        };
        self.members.insert(to.clone(), new);
        old
    }
}
