//! Migration between the classic and the consumer protocol, and classic members of consumer groups, for the handlers
//! (KIP-848).
//!
//! A classic group becomes a consumer group when a member of the consumer protocol joins. It becomes a classic group
//! again when the last such member leaves. `group.consumer.migration.policy` limits both directions. While a consumer
//! group has classic members, it handles their classic requests.

use headwater_env::Env;
use headwater_metadata::config::MigrationPolicy;
use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{
    ConsumerGroupHeartbeatResponse, ErrorCode, HeartbeatRequest, JoinGroupResponse, Str,
    SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot;

use super::classic::{ClassicGroup, Join, Leaver};
use super::consumer::{ConsumerGroup, ConsumerGroupContext, GroupUpdate, requires_member_id};
use super::coordinator::{Coordinator, PendingResponse};
use super::group::{Group, classic_record};
use crate::refusal::Refusal;

/// Whether the policy allows the classic group to become a consumer group.
pub(super) fn may_upgrade(
    policy: MigrationPolicy,
    group: &ClassicGroup,
    context: &ConsumerGroupContext,
) -> bool {
    policy.allows_upgrade()
        && group.has_consumer_protocol_type()
        && group.members().count() <= context.members_max
}

impl<E: Env> Coordinator<'_, E> {
    /// Whether the group is a consumer group with members.
    pub(super) fn has_consumer_group(&self, group_id: &str) -> bool {
        let entry = self.shard().get(group_id);
        entry.is_some_and(
            |entry| matches!(&entry.group, Group::Consumer(group) if !group.is_empty()),
        )
    }

    /// A classic member joins a consumer group. The response is not deferred.
    pub(super) fn join_consumer_group(
        &mut self,
        group_id: &Str,
        join: &Join,
    ) -> Result<PendingResponse<JoinGroupResponse>, ErrorCode> {
        let (context, image) = self.consumer_context();
        let group = self.consumer_group(group_id)?;
        group.check_classic_join(join, &context)?;
        if requires_member_id(join) {
            return Ok(answered(JoinGroupResponse {
                error_code: ErrorCode::MemberIdRequired.code(),
                member_id: join.new_member_id.clone(),
                ..JoinGroupResponse::default()
            }));
        }
        let update = group.join_classic(join, &context, &*image)?;
        let response = update.group().classic_join_answer(join);
        let accepted = self.accept(group_id, Vec::new(), update);
        accepted.map_err(|refusal| refusal.code)?;
        Ok(answered(response))
    }

    /// A classic member of a consumer group fetches its assignment. The response is not deferred.
    pub(super) fn sync_consumer_group(
        &mut self,
        request: &SyncGroupRequest,
    ) -> Result<PendingResponse<SyncGroupResponse>, ErrorCode> {
        let (context, image) = self.consumer_context();
        let group = self.consumer_group(&request.group_id)?;
        let response = group.sync_classic(request, &context, &*image);
        self.set_alarm(&request.group_id);
        response.map(answered)
    }

    /// A heartbeat of a classic member of a consumer group.
    pub(super) fn heartbeat_consumer_group(
        &mut self,
        request: &HeartbeatRequest,
    ) -> Result<(), ErrorCode> {
        let (context, _) = self.consumer_context();
        let group = self.consumer_group(&request.group_id)?;
        let result = group.heartbeat_classic(request, &context);
        self.set_alarm(&request.group_id);
        result
    }

    /// Classic members leave a consumer group.
    pub(super) fn leave_consumer_group(
        &mut self,
        group_id: &Str,
        leavers: Vec<Leaver>,
    ) -> Result<Vec<MemberResponse>, ErrorCode> {
        let (_, image) = self.consumer_context();
        let (update, answers) = self
            .consumer_group(group_id)?
            .leave_classic(leavers, &*image);
        if let Some(update) = update {
            let accepted = self.accept(group_id, Vec::new(), update);
            accepted.map_err(|refusal| refusal.code)?;
        }
        Ok(answers)
    }

    /// Whether the updated group has to become a classic group.
    pub(super) fn must_downgrade(&self, group: &ConsumerGroup) -> bool {
        let policy = self
            .groups
            .controller
            .config()
            .group_consumer_migration_policy;
        policy.allows_downgrade()
            && group.has_only_classic_members()
            && group.members().count() <= self.context.limits.members_max
    }

    /// Writes the updated group as a classic group and starts a rebalance.
    pub(super) fn downgrade(
        &mut self,
        group_id: &Str,
        update: GroupUpdate,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let (_, image) = self.consumer_context();
        // Use the stored group, without the changes of the update.
        let written = self.consumer_group(group_id);
        let written = written.map_err(|code| Refusal::new(code, code.message()))?;
        let (generation, mut records) = (written.epoch(), written.tombstones());
        let mut classic =
            ClassicGroup::downgraded(update.group(), generation, &self.context, &*image);
        records.push(classic_record(group_id, Some(classic.record(None))));
        self.write(&records).map_err(|error| error.refusal())?;
        classic.reserve_for_loaded_members(&self.groups.memory);
        self.shard_mut().get_or_new(group_id).group = Group::Classic(classic);
        self.change(group_id, |group, context, out| {
            group.prepare_rebalance(context, out);
        });
        let (_, response) = update.into_parts();
        Ok(response)
    }

    fn consumer_group(&mut self, group_id: &str) -> Result<&mut ConsumerGroup, ErrorCode> {
        match self
            .shard_mut()
            .get_mut(group_id)
            .map(|entry| &mut entry.group)
        {
            Some(Group::Consumer(group)) => Ok(group),
            _ => Err(ErrorCode::UnknownMemberId),
        }
    }
}

/// A response that is complete.
fn answered<R>(response: R) -> PendingResponse<R> {
    let (sender, receiver) = oneshot::channel();
    let _ = sender.send(response);
    receiver
}
