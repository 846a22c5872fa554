//! Members of a consumer group that use the classic protocol, during a migration between the protocols.
//!
//! Their generation is their member epoch. `JoinGroup` takes the member's subscription and owned partitions and moves
//! the member one step towards its target; the `SyncGroup` that follows returns its assignment. Heartbeats answer
//! `REBALANCE_IN_PROGRESS` when there is a next step, so that the member joins again. No member is the leader, and no
//! request waits for other members.

use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{
    ErrorCode, HeartbeatRequest, JoinGroupResponse, Str, SyncGroupRequest, SyncGroupResponse,
};

use super::embedded::{self, Subscription};
use super::member::ClassicProtocols;
use super::{
    Catalogue, ConsumerGroup, ConsumerGroupContext, GroupUpdate, Member, MemberState, Timers,
};
use crate::groups::classic::{CONSUMER, Join, Leaver, MemberIdRule};

impl ConsumerGroup {
    /// Whether the member's protocols allow it to join.
    pub(crate) fn check_classic_join(
        &self,
        join: &Join,
        context: &ConsumerGroupContext,
    ) -> Result<(), ErrorCode> {
        let is_known = self.members.contains_key(&join.member_id);
        if !is_known && self.members.len() >= context.members_max {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        let offered = join.protocols.iter().map(|protocol| &protocol.name);
        let all_support = |name: &Str| {
            let mut classic = self
                .members
                .values()
                .filter_map(|member| member.classic.as_ref());
            classic.all(|classic| classic.protocols.iter().any(|known| known.name == *name))
        };
        if &*join.protocol_type != CONSUMER || !offered.into_iter().any(all_support) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// Computes the update for a member that joins. The group does not change before the update is accepted.
    pub(crate) fn join_classic(
        &self,
        join: &Join,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<GroupUpdate, ErrorCode> {
        let metadata = &join.protocols[0].metadata;
        let subscription = embedded::subscription(metadata, catalogue);
        let subscription = subscription.map_err(|_| ErrorCode::InconsistentGroupProtocol)?;
        let mut update = GroupUpdate::of(self);
        let member_id = update.find_classic_member(join)?;
        update
            .update_classic_member(&member_id, join, &subscription, context, catalogue)
            .map_err(|refusal| refusal.code)?;
        update.update_target(context, catalogue);
        update.reconcile(&member_id, Some(&subscription.owned));
        let member = &update.group.members[&member_id];
        let now = context.now.monotonic;
        let timers = Timers {
            session: now.saturating_add(member.session_timeout(context.session_timeout)),
            step: Some(now.saturating_add(member.rebalance_timeout())),
        };
        update.group.timers.insert(member_id, timers);
        Ok(update)
    }

    /// The `JoinGroup` response.
    pub(crate) fn classic_join_answer(&self, join: &Join) -> JoinGroupResponse {
        let member_id = member_id_of(join);
        let member = self.members.get(&member_id);
        JoinGroupResponse {
            error_code: ErrorCode::None.code(),
            generation_id: member.map_or(-1, |member| member.epoch),
            protocol_type: Some(CONSUMER.into()),
            protocol_name: Some(join.protocols[0].name.clone()),
            member_id,
            ..JoinGroupResponse::default()
        }
    }

    /// Returns the assignment of a classic member.
    pub(crate) fn sync_classic(
        &mut self,
        request: &SyncGroupRequest,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<SyncGroupResponse, ErrorCode> {
        let instance_id = request.group_instance_id.as_ref();
        let member = self.classic_member(&request.member_id, instance_id, request.generation_id)?;
        let protocol = member
            .classic
            .iter()
            .flat_map(|classic| &classic.protocols)
            .next();
        let protocol = protocol.ok_or(ErrorCode::UnknownMemberId)?;
        let names_other = |requested: &Option<Str>, is: &str| {
            requested
                .as_deref()
                .is_some_and(|requested| requested != is)
        };
        if names_other(&request.protocol_type, CONSUMER)
            || names_other(&request.protocol_name, &protocol.name)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let goes_on = member.state == MemberState::UnrevokedPartitions;
        if self.epoch > member.epoch && !goes_on {
            self.expect_join(&request.member_id, context);
            return Err(ErrorCode::RebalanceInProgress);
        }
        let response = SyncGroupResponse {
            error_code: ErrorCode::None.code(),
            protocol_type: request.protocol_type.clone(),
            protocol_name: request.protocol_name.clone(),
            assignment: embedded::assignment_bytes(&member.assigned, &protocol.metadata, catalogue),
            ..SyncGroupResponse::default()
        };
        let session = context
            .now
            .monotonic
            .saturating_add(member.session_timeout(context.session_timeout));
        let timers = Timers {
            session,
            step: None,
        };
        self.timers.insert(request.member_id.clone(), timers);
        Ok(response)
    }

    /// Handles a heartbeat of a classic member. `REBALANCE_IN_PROGRESS` makes it join for its next step.
    pub(crate) fn heartbeat_classic(
        &mut self,
        request: &HeartbeatRequest,
        context: &ConsumerGroupContext,
    ) -> Result<(), ErrorCode> {
        let instance_id = request.group_instance_id.as_ref();
        let member = self.classic_member(&request.member_id, instance_id, request.generation_id)?;
        let session = context
            .now
            .monotonic
            .saturating_add(member.session_timeout(context.session_timeout));
        let has_next_step = self.has_next_step(member);
        if let Some(timers) = self.timers.get_mut(&request.member_id) {
            timers.session = session;
        }
        if !has_next_step {
            return Ok(());
        }
        self.expect_join(&request.member_id, context);
        Err(ErrorCode::RebalanceInProgress)
    }

    /// Removes classic members. The results are in the order of `leavers`; there is no update if none of them is a
    /// member.
    pub(crate) fn leave_classic(
        &self,
        leavers: Vec<Leaver>,
        catalogue: &impl Catalogue,
    ) -> (Option<GroupUpdate>, Vec<MemberResponse>) {
        let mut update = GroupUpdate::of(self);
        let mut answers = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let found = update.group.leaving(&leaver);
            if let Ok(member_id) = &found {
                update.remove(member_id);
            }
            answers.push(MemberResponse {
                member_id: leaver.member_id,
                group_instance_id: leaver.instance_id,
                error_code: found.err().unwrap_or(ErrorCode::None).code(),
                ..MemberResponse::default()
            });
        }
        if update.records().is_empty() {
            return (None, answers);
        }
        update.raise_epoch(catalogue);
        (Some(update), answers)
    }

    fn leaving(&self, leaver: &Leaver) -> Result<Str, ErrorCode> {
        let member = match &leaver.instance_id {
            Some(instance_id) => self.static_member(instance_id),
            None => self.members.get(&leaver.member_id),
        };
        let member = member.ok_or(ErrorCode::UnknownMemberId)?;
        // Administrators identify a static member by its instance id alone.
        let names_another = !leaver.member_id.is_empty() && member.id != leaver.member_id;
        if names_another {
            return Err(ErrorCode::FencedInstanceId);
        }
        if member.classic.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        Ok(member.id.clone())
    }

    /// Returns the classic member with this id, if it is in this generation.
    fn classic_member(
        &self,
        member_id: &str,
        instance_id: Option<&Str>,
        generation: i32,
    ) -> Result<&Member, ErrorCode> {
        let member = match instance_id {
            Some(instance_id) => self.static_member(instance_id),
            None => self.members.get(member_id),
        };
        let member = member.ok_or(ErrorCode::UnknownMemberId)?;
        if member.id != member_id {
            return Err(ErrorCode::FencedInstanceId);
        }
        if member.classic.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if member.epoch != generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        Ok(member)
    }

    /// Whether a join would change the member's assignment: the group has a new epoch, the member has to revoke
    /// partitions, or partitions that it waits for are free.
    fn has_next_step(&self, member: &Member) -> bool {
        if member.epoch < self.epoch {
            return true;
        }
        match member.state {
            MemberState::Stable => false,
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions => {
                let held = self.held_by_others(&member.id);
                let target = self.target.get(&member.id).into_iter().flatten();
                let mut partitions = target.flat_map(|(topic, partitions)| {
                    partitions.iter().map(|partition| (*topic, *partition))
                });
                !partitions.any(|partition| held.contains(&partition))
            }
        }
    }

    /// Starts the rebalance time-out in which the member has to join.
    fn expect_join(&mut self, member_id: &str, context: &ConsumerGroupContext) {
        let Some(member) = self.members.get(member_id) else {
            return;
        };
        let until = context
            .now
            .monotonic
            .saturating_add(member.rebalance_timeout());
        if let Some(timers) = self.timers.get_mut(member_id) {
            timers.step.get_or_insert(until);
        }
    }
}

impl GroupUpdate {
    /// Finds or adds the member that joins. Returns its id.
    fn find_classic_member(&mut self, join: &Join) -> Result<Str, ErrorCode> {
        let member_id = member_id_of(join);
        let holder = join.instance_id.as_deref();
        let holder = holder.and_then(|instance_id| self.group.static_member(instance_id));
        match (holder.cloned(), join.instance_id.is_some()) {
            // A restarted static member replaces its predecessor.
            (Some(holder), _) if join.member_id.is_empty() => {
                self.replace_static_member(&holder, &member_id);
            }
            (Some(holder), _) if holder.id != member_id => {
                return Err(ErrorCode::FencedInstanceId);
            }
            (None, true) if !join.member_id.is_empty() => return Err(ErrorCode::UnknownMemberId),
            _ => {
                let members = &mut self.group.members;
                members
                    .entry(member_id.clone())
                    .or_insert_with(|| Member::new(member_id.clone()));
            }
        }
        Ok(member_id)
    }

    fn update_classic_member(
        &mut self,
        member_id: &Str,
        join: &Join,
        subscription: &Subscription,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<(), super::Refusal> {
        let milliseconds =
            |time: std::time::Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let before = self.group.members[member_id].clone();
        let member = Member {
            instance_id: join.instance_id.clone(),
            rack_id: subscription.rack_id.clone().or(before.rack_id),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            topics: subscription.topics.clone(),
            regex: None,
            rebalance_timeout_ms: milliseconds(join.rebalance_timeout),
            classic: Some(ClassicProtocols {
                session_timeout_ms: milliseconds(join.session_timeout),
                protocols: join.protocols.clone(),
            }),
            ..before
        };
        self.put_member(&member, context, catalogue)
    }
}

/// Whether the client has to join again with the id from the response.
pub(crate) fn requires_member_id(join: &Join) -> bool {
    join.member_id.is_empty()
        && join.instance_id.is_none()
        && join.member_id_rule == MemberIdRule::Required
}

fn member_id_of(join: &Join) -> Str {
    if join.member_id.is_empty() {
        join.new_member_id.clone()
    } else {
        join.member_id.clone()
    }
}
