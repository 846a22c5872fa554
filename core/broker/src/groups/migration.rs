//! Groups that change their protocol, and classic members of consumer groups, for the handlers (KIP-848).
//!
//! A classic group becomes a consumer group when a member of the consumer protocol joins, and a classic one again when the last of them has
//! gone, as far as `group.consumer.migration.policy` allows it. In between, classic requests are answered from the consumer group.

use headwater_env::Env;
use headwater_metadata::config::MigrationPolicy;
use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{
    ConsumerGroupHeartbeatResponse, ErrorCode, HeartbeatRequest, JoinGroupResponse, Str,
    SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot;

use super::classic::{ClassicGroup, Join, Leaver};
use super::consumer::{ConsumerFacts, ConsumerGroup, Draft, requires_member_id};
use super::consumer_membership::write_refusal;
use super::coordinator::Coordinator;
use super::group::{Group, classic_record};
use super::membership::Waiting;
use crate::refusal::Refusal;

/// Whether the classic group may become a consumer group.
pub(super) fn may_upgrade(
    policy: MigrationPolicy,
    group: &ClassicGroup,
    facts: &ConsumerFacts,
) -> bool {
    policy.allows_upgrade()
        && group.is_of_consumers()
        && group.members().count() <= facts.members_max
}

impl<E: Env> Coordinator<'_, E> {
    /// Whether the group is a consumer group that has members.
    pub(super) fn has_consumer_group(&self, group_id: &str) -> bool {
        let entry = self.shard().get(group_id);
        entry.is_some_and(
            |entry| matches!(&entry.group, Group::Consumer(group) if !group.is_empty()),
        )
    }

    /// A classic member joins a consumer group. The answer comes at once.
    pub(super) fn join_consumer_group(
        &mut self,
        group_id: &Str,
        join: &Join,
    ) -> Result<Waiting<JoinGroupResponse>, ErrorCode> {
        let (facts, image) = self.consumer_facts();
        let group = self.consumer_group(group_id)?;
        group.check_classic_join(join, &facts)?;
        if requires_member_id(join) {
            return Ok(answered(JoinGroupResponse {
                error_code: ErrorCode::MemberIdRequired.code(),
                member_id: join.new_member_id.clone(),
                ..JoinGroupResponse::default()
            }));
        }
        let draft = group.join_classic(join, &facts, &*image)?;
        let response = draft.group().classic_join_answer(join);
        let accepted = self.accept(group_id, Vec::new(), draft);
        accepted.map_err(|refusal| refusal.code)?;
        Ok(answered(response))
    }

    /// A classic member of a consumer group asks for its assignment. The answer comes at once.
    pub(super) fn sync_consumer_group(
        &mut self,
        request: &SyncGroupRequest,
    ) -> Result<Waiting<SyncGroupResponse>, ErrorCode> {
        let (facts, image) = self.consumer_facts();
        let group = self.consumer_group(&request.group_id)?;
        let response = group.sync_classic(request, &facts, &*image);
        self.set_alarm(&request.group_id);
        response.map(answered)
    }

    /// A classic member of a consumer group says that it is there.
    pub(super) fn heartbeat_consumer_group(
        &mut self,
        request: &HeartbeatRequest,
    ) -> Result<(), ErrorCode> {
        let (facts, _) = self.consumer_facts();
        let group = self.consumer_group(&request.group_id)?;
        let result = group.heartbeat_classic(request, &facts);
        self.set_alarm(&request.group_id);
        result
    }

    /// Classic members leave a consumer group.
    pub(super) fn leave_consumer_group(
        &mut self,
        group_id: &Str,
        leavers: Vec<Leaver>,
    ) -> Result<Vec<MemberResponse>, ErrorCode> {
        let (_, image) = self.consumer_facts();
        let (draft, answers) = self
            .consumer_group(group_id)?
            .leave_classic(leavers, &*image);
        if let Some(draft) = draft {
            let accepted = self.accept(group_id, Vec::new(), draft);
            accepted.map_err(|refusal| refusal.code)?;
        }
        Ok(answers)
    }

    /// Whether the group, as it is to be, becomes a classic one.
    pub(super) fn is_to_downgrade(&self, group: &ConsumerGroup) -> bool {
        let policy = self.state.config().group_consumer_migration_policy;
        policy.allows_downgrade()
            && group.is_left_to_classic_members()
            && group.members().count() <= self.facts.limits.members_max
    }

    /// Writes the group of the draft as a classic group, and has its members join again.
    pub(super) fn downgrade(
        &mut self,
        group_id: &Str,
        draft: Draft,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let (_, image) = self.consumer_facts();
        // The group as it is written, without what the draft would write.
        let written = self.consumer_group(group_id);
        let written = written.map_err(|code| Refusal::new(code, code.message()))?;
        let (generation, mut records) = (written.epoch(), written.tombstones());
        let mut classic = ClassicGroup::downgraded(draft.group(), generation, &self.facts, &*image);
        records.push(classic_record(group_id, Some(classic.record(None))));
        self.write(&records)
            .map_err(|error| write_refusal(&error))?;
        classic.count_loaded_members(&self.state.memory);
        self.shard_mut().get_or_new(group_id).group = Group::Classic(classic);
        self.change(group_id, |group, facts, out| {
            group.prepare_rebalance(facts, out);
        });
        let (_, response) = draft.into_parts();
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

/// An answer that is there already.
fn answered<R>(response: R) -> Waiting<R> {
    let (sender, receiver) = oneshot::channel();
    let _ = sender.send(response);
    receiver
}
