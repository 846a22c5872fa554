//! `JoinGroup`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::join_group_response::JoinGroupResponseMember;
use headwater_protocol::{ErrorCode, JoinGroupResponse, Str};

use super::member::MemberPhase;
use super::{
    Arrivals, ClassicGroup, Effects, GroupContext, JoinPhase, Member, PendingRequestId, Protocol,
    State,
};
use crate::memory::MemoryReservation;

/// How long a new member may wait for its first generation. Its client may have given up earlier.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_mins(5);

/// A `JoinGroup` request.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Empty if the client has not joined before.
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: Str,
    pub(crate) protocols: Vec<Protocol>,
    /// Memory reserved for the protocols' metadata.
    pub(crate) memory: Option<Arc<MemoryReservation>>,
    /// An unused id, for a new member.
    pub(crate) new_member_id: Str,
    pub(crate) member_id_rule: MemberIdRule,
    pub(crate) skip_rule: SkipRule,
}

/// How a new dynamic member receives its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberIdRule {
    /// It joins at once (versions before 4).
    Given,
    /// The first response contains the id, and the client joins again with it. A lost response then leaves no member
    /// behind.
    Required,
}

/// How a restarted static leader of a stable group learns that it must skip the assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipRule {
    /// The response names no leader, because a leader would compute an assignment (versions before 9).
    Hide,
    /// The response names the leader and sets `skip_assignment`.
    Skip,
}

impl ClassicGroup {
    /// A member joins or rejoins. The response may wait for the next generation.
    pub(crate) fn join(
        &mut self,
        join: Join,
        request_id: PendingRequestId,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        if !self.has_room_for(&join.member_id, context) {
            self.remove(&join.member_id, effects);
            effects.refuse_join(request_id, Str::new(), ErrorCode::GroupMaxSizeReached);
            self.complete_if_all_joined(context, effects);
        } else if !self.supports(&join.protocol_type, &join.protocols) {
            effects.refuse_join(
                request_id,
                join.member_id,
                ErrorCode::InconsistentGroupProtocol,
            );
        } else if join.member_id.is_empty() {
            self.join_as_new(join, request_id, context, effects);
        } else {
            self.join_as_known(join, request_id, context, effects);
        }
    }

    fn has_room_for(&self, member_id: &str, context: &GroupContext) -> bool {
        let most = context.limits.members_max;
        let member = self.members.get(member_id);
        match self.state {
            State::Empty => true,
            // Members that have joined keep their place. A full group refuses other members, known or new.
            State::PreparingRebalance(_) => {
                let joined = self.members.values().filter(|member| member.is_joining());
                member.is_some_and(Member::is_joining) || joined.count() < most
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.members.len() < most
            }
        }
    }

    fn join_as_new(
        &mut self,
        join: Join,
        request_id: PendingRequestId,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        let member_id = join.new_member_id.clone();
        let predecessor = join
            .instance_id
            .as_ref()
            .and_then(|instance_id| self.static_members.get(instance_id).cloned());
        if let Some(predecessor) = predecessor {
            self.replace_static_member(&predecessor, join, request_id, context, effects);
        } else if join.instance_id.is_none() && join.member_id_rule == MemberIdRule::Required {
            let until = context.now.monotonic.saturating_add(join.session_timeout);
            self.pending_members.insert(member_id.clone(), until);
            effects.refuse_join(request_id, member_id, ErrorCode::MemberIdRequired);
        } else {
            self.admit(member_id, join, request_id, context, effects);
        }
    }

    fn join_as_known(
        &mut self,
        join: Join,
        request_id: PendingRequestId,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        let member_id = join.member_id.clone();
        if self.pending_members.contains_key(&member_id) {
            if join.instance_id.is_some() {
                // The broker never sends `MEMBER_ID_REQUIRED` to a static member.
                effects.refuse_join(request_id, member_id, ErrorCode::UnknownServerError);
            } else {
                self.admit(member_id, join, request_id, context, effects);
            }
            return;
        }
        if let Err(code) = self.check_member(&member_id, join.instance_id.as_ref()) {
            effects.refuse_join(request_id, member_id, code);
            return;
        }
        let changed = self.members[&member_id].protocols != join.protocols;
        let starts_a_rebalance = match self.state {
            State::Empty | State::PreparingRebalance(_) => true,
            // The member may have missed the response.
            State::CompletingRebalance => changed,
            // The leader may rebalance for reasons outside its metadata.
            State::Stable => changed || self.is_leader(&member_id),
        };
        if starts_a_rebalance {
            self.update(&member_id, join, request_id, effects);
            self.rebalance_or_complete(context, effects);
        } else {
            self.member_mut(&member_id).touch(context);
            effects
                .joins
                .push((request_id, self.generation_of(&member_id)));
        }
    }

    /// Adds a member and rebalances.
    fn admit(
        &mut self,
        member_id: Str,
        join: Join,
        request_id: PendingRequestId,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        if let State::PreparingRebalance(JoinPhase::First { arrivals, .. }) = &mut self.state {
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
        let until = context
            .now
            .monotonic
            .saturating_add(NEW_MEMBER_JOIN_TIMEOUT);
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
            phase: MemberPhase::New,
            session_deadline: Some(until),
            join: Some(request_id),
            sync: None,
        };
        self.members.insert(member_id, member);
        self.rebalance_or_complete(context, effects);
    }

    /// Updates a member that rejoins. Its pending join is answered, because the client no longer waits for it.
    pub(super) fn update(
        &mut self,
        id: &str,
        join: Join,
        request_id: PendingRequestId,
        effects: &mut Effects,
    ) {
        let member = self.member_mut(id);
        member.protocols = join.protocols;
        member.memory = join.memory;
        member.rebalance_timeout = join.rebalance_timeout;
        member.session_timeout = join.session_timeout;
        if let Some(earlier) = member.join.replace(request_id) {
            effects.refuse_join(earlier, member.id.clone(), ErrorCode::RebalanceInProgress);
        }
    }

    /// The `JoinGroup` response for a member of the current generation.
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
