//! Replacement of static members: a restarted static member takes the place of its predecessor.

use headwater_protocol::{ErrorCode, JoinGroupResponse, Str};

use super::join::{Join, SkipRule};
use super::member::MemberPhase;
use super::{ClassicGroup, Effects, GroupContext, Member, PendingRequestId, PendingWrite, State};

/// A replacement in a stable group whose record is not written yet, with the state to undo it.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    predecessor: Member,
    predecessor_leader: Option<Str>,
    successor: Str,
    skip_rule: SkipRule,
}

impl ClassicGroup {
    /// `join` replaces `predecessor`, which is fenced. A stable group does not rebalance if its protocol stays the
    /// same.
    pub(super) fn replace_static_member(
        &mut self,
        predecessor: &Str,
        join: Join,
        request_id: PendingRequestId,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        let leader = self.leader.clone();
        let successor = join.new_member_id.clone();
        let skip_rule = join.skip_rule;
        let old = self.rename(predecessor, &successor, effects);
        self.update(&successor, join, request_id, effects);
        self.member_mut(&successor).touch(context);
        match self.state {
            State::Stable if self.elected_protocol() == self.protocol => {
                effects.record = Some(self.record(None));
                self.pending_write = Some(PendingWrite::Replacement(Box::new(Replacement {
                    predecessor: old,
                    predecessor_leader: leader,
                    successor,
                    skip_rule,
                })));
            }
            // The leader may already have assigned to the old id.
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(context, effects),
            State::Empty | State::PreparingRebalance(_) => {
                self.complete_if_all_joined(context, effects);
            }
        }
    }

    /// The record of a replacement was written: answers the new member's join.
    pub(super) fn replaced(&mut self, replacement: &Replacement, effects: &mut Effects) {
        let successor = &replacement.successor;
        let mut response = self.generation_of(successor);
        match replacement.skip_rule {
            SkipRule::Skip => response.skip_assignment = self.is_leader(successor),
            SkipRule::Hide => {
                response.members.clear();
                response.leader = replacement.predecessor_leader.clone().unwrap_or_default();
            }
        }
        if let Some(request_id) = self.member_mut(successor).join.take() {
            effects.joins.push((request_id, response));
        }
    }

    /// The record was not written: restores the predecessor.
    pub(super) fn undo_replacement(
        &mut self,
        replacement: Replacement,
        code: ErrorCode,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        let successor = self.members.remove(&replacement.successor);
        if let Some(request_id) = successor.and_then(|member| member.join) {
            let response = JoinGroupResponse {
                error_code: code.code(),
                generation_id: self.generation,
                leader: replacement.predecessor_leader.clone().unwrap_or_default(),
                ..JoinGroupResponse::default()
            };
            effects.joins.push((request_id, response));
        }
        let mut member = replacement.predecessor;
        member.touch(context);
        self.pending_sync.remove(&replacement.successor);
        if let Some(instance_id) = &member.instance_id {
            self.static_members
                .insert(instance_id.clone(), member.id.clone());
        }
        self.leader = replacement.predecessor_leader;
        self.members.insert(member.id.clone(), member);
    }

    /// Gives a static member another id. The old id is fenced. Returns the old member, without pending requests.
    fn rename(&mut self, from: &Str, to: &Str, effects: &mut Effects) -> Member {
        let mut old = self
            .members
            .remove(from)
            .expect("a static member that is listed is a member");
        if let Some(request_id) = old.join.take() {
            effects.refuse_join(request_id, old.id.clone(), ErrorCode::FencedInstanceId);
        }
        if let Some(request_id) = old.sync.take() {
            effects.refuse_sync(request_id, ErrorCode::FencedInstanceId);
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
            phase: MemberPhase::Established,
            ..old.clone()
        };
        self.members.insert(to.clone(), new);
        old
    }
}
