//! Joining.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::join_group_response::JoinGroupResponseMember;
use headwater_protocol::{ErrorCode, JoinGroupResponse, Str};

use super::member::Standing;
use super::{Arrivals, ClassicGroup, Facts, Joining, Member, Outbox, Protocol, State, Ticket};
use crate::memory::Held;

/// How long a new member may wait for its first generation: its client may have given up long ago.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_mins(5);

/// A request to join.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Empty for who was never a member.
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: Str,
    pub(crate) protocols: Vec<Protocol>,
    /// Counts what it says in the protocols.
    pub(crate) memory: Option<Arc<Held>>,
    /// An id that nobody has, for a new member.
    pub(crate) new_member_id: Str,
    pub(crate) member_id_rule: MemberIdRule,
    pub(crate) skip_rule: SkipRule,
}

/// What becomes of a new dynamic member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberIdRule {
    /// It joins at once (versions before 4).
    Given,
    /// It is told its id and joins with that, so that a lost answer leaves no member behind.
    Required,
}

/// What a leader is told that took the place of another in a stable group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipRule {
    /// It is not told that it leads, because it would assign anew (versions before 9).
    Hide,
    /// It is told, and that there is nothing to assign.
    Skip,
}

impl ClassicGroup {
    /// A member joins or joins again. The answer may come at once, or with the next generation.
    pub(crate) fn join(&mut self, join: Join, ticket: Ticket, facts: &Facts, out: &mut Outbox) {
        if !self.has_room_for(&join.member_id, facts) {
            self.remove(&join.member_id, out);
            out.refuse_join(ticket, Str::new(), ErrorCode::GroupMaxSizeReached);
            self.complete_if_all_joined(facts, out);
        } else if !self.supports(&join.protocol_type, &join.protocols) {
            out.refuse_join(ticket, join.member_id, ErrorCode::InconsistentGroupProtocol);
        } else if join.member_id.is_empty() {
            self.join_as_new(join, ticket, facts, out);
        } else {
            self.join_as_known(join, ticket, facts, out);
        }
    }

    fn has_room_for(&self, member_id: &str, facts: &Facts) -> bool {
        let most = facts.limits.members_max;
        let member = self.members.get(member_id);
        match self.state {
            State::Empty => true,
            // Who has joined stays; who comes last is turned away, if it was a member before or not.
            State::PreparingRebalance(_) => {
                let joined = self.members.values().filter(|member| member.is_joining());
                member.is_some_and(Member::is_joining) || joined.count() < most
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.members.len() < most
            }
        }
    }

    fn join_as_new(&mut self, join: Join, ticket: Ticket, facts: &Facts, out: &mut Outbox) {
        let member_id = join.new_member_id.clone();
        let predecessor = join
            .instance_id
            .as_ref()
            .and_then(|instance_id| self.static_members.get(instance_id).cloned());
        if let Some(predecessor) = predecessor {
            self.replace_static_member(&predecessor, join, ticket, facts, out);
        } else if join.instance_id.is_none() && join.member_id_rule == MemberIdRule::Required {
            let until = facts.now.monotonic.saturating_add(join.session_timeout);
            self.pending_members.insert(member_id.clone(), until);
            out.refuse_join(ticket, member_id, ErrorCode::MemberIdRequired);
        } else {
            self.admit(member_id, join, ticket, facts, out);
        }
    }

    fn join_as_known(&mut self, join: Join, ticket: Ticket, facts: &Facts, out: &mut Outbox) {
        let member_id = join.member_id.clone();
        if self.pending_members.contains_key(&member_id) {
            if join.instance_id.is_some() {
                // Static members are never told to come back with an id.
                out.refuse_join(ticket, member_id, ErrorCode::UnknownServerError);
            } else {
                self.admit(member_id, join, ticket, facts, out);
            }
            return;
        }
        if let Err(code) = self.check_member(&member_id, join.instance_id.as_ref()) {
            out.refuse_join(ticket, member_id, code);
            return;
        }
        let changed = self.members[&member_id].protocols != join.protocols;
        let starts_a_rebalance = match self.state {
            State::Empty | State::PreparingRebalance(_) => true,
            // It may not have got the answer.
            State::CompletingRebalance => changed,
            // The leader may have reasons that its metadata does not tell.
            State::Stable => changed || self.is_leader(&member_id),
        };
        if starts_a_rebalance {
            self.update(&member_id, join, ticket, out);
            self.rebalance_or_complete(facts, out);
        } else {
            self.member_mut(&member_id).touch(facts);
            out.joins.push((ticket, self.generation_of(&member_id)));
        }
    }

    /// Makes a member and rebalances.
    fn admit(
        &mut self,
        member_id: Str,
        join: Join,
        ticket: Ticket,
        facts: &Facts,
        out: &mut Outbox,
    ) {
        if let State::PreparingRebalance(Joining::First { arrivals, .. }) = &mut self.state {
            *arrivals = Arrivals::Some;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type);
        }
        self.pending_members.remove(&member_id);
        self.leader.get_or_insert_with(|| member_id.clone());
        if let Some(instance_id) = &join.instance_id {
            self.static_members
                .insert(instance_id.clone(), member_id.clone());
        }
        let until = facts.now.monotonic.saturating_add(NEW_MEMBER_JOIN_TIMEOUT);
        let member = Member {
            id: member_id.clone(),
            instance_id: join.instance_id,
            client_id: join.client_id,
            client_host: join.client_host,
            rebalance_timeout: join.rebalance_timeout,
            session_timeout: join.session_timeout,
            protocols: join.protocols,
            memory: join.memory,
            assignment: Bytes::new(),
            standing: Standing::New,
            session_deadline: Some(until),
            join: Some(ticket),
            sync: None,
        };
        self.members.insert(member_id, member);
        self.rebalance_or_complete(facts, out);
    }

    /// Takes over what a member says in joining again. A join of it that still waits is answered: nobody reads that any more.
    pub(super) fn update(&mut self, id: &str, join: Join, ticket: Ticket, out: &mut Outbox) {
        let member = self.member_mut(id);
        member.protocols = join.protocols;
        member.memory = join.memory;
        member.rebalance_timeout = join.rebalance_timeout;
        member.session_timeout = join.session_timeout;
        if let Some(earlier) = member.join.replace(ticket) {
            out.refuse_join(earlier, member.id.clone(), ErrorCode::RebalanceInProgress);
        }
    }

    /// What a member of the current generation is told of it.
    pub(super) fn generation_of(&self, member_id: &Str) -> JoinGroupResponse {
        let members = if self.is_leader(member_id) {
            self.members_for_the_leader()
        } else {
            Vec::new()
        };
        JoinGroupResponse {
            error_code: ErrorCode::None.code(),
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.clone(),
            members,
            ..JoinGroupResponse::default()
        }
    }

    fn members_for_the_leader(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let member = |member: &Member| JoinGroupResponseMember {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol).cloned().unwrap_or_default(),
            ..JoinGroupResponseMember::default()
        };
        self.members.values().map(member).collect()
    }

    pub(super) fn member_mut(&mut self, id: &str) -> &mut Member {
        self.members
            .get_mut(id)
            .expect("the caller has checked that it is a member")
    }
}
