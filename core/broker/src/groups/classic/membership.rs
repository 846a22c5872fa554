//! `JoinGroup`, `SyncGroup`, Heartbeat and `LeaveGroup`, for the handlers.

use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{
    ErrorCode, HeartbeatRequest, JoinGroupResponse, Str, SyncGroupRequest, SyncGroupResponse,
};

use super::{ClassicGroup, Join, Leaver};
use crate::groups::context::IN_PROCESS_HOST;
use crate::groups::coordinator::{Coordinator, Groups, PendingResponse};
use crate::groups::detached::detached;
use crate::groups::group::Group;

impl<E: Env> Groups<E> {
    /// Handles `JoinGroup`. The first member creates the group.
    pub(crate) async fn join_group(
        &self,
        group_id: &str,
        join: Join,
    ) -> Result<PendingResponse<JoinGroupResponse>, ErrorCode> {
        self.ensure_coordinators()
            .await
            .map_err(|refusal| refusal.code)?;
        let group_id = detached(group_id);
        let mut coordinator = self.coordinator_of(&group_id)?;
        if !join.member_id.is_empty() && coordinator.shard().get(&group_id).is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if coordinator.has_consumer_group(&group_id) {
            return coordinator.join_consumer_group(&group_id, &join);
        }
        coordinator.make_classic(&group_id)?;
        if join.client_host == IN_PROCESS_HOST && !self.sets_initial_rebalance_delay() {
            coordinator.context.limits.initial_rebalance_delay = Duration::ZERO;
        }
        let request_id = self.next_request_id();
        let answer = coordinator.await_join(request_id);
        coordinator.change(&group_id, |group, context, effects| {
            group.join(join, request_id, context, effects);
        });
        Ok(answer)
    }

    /// Whether the initial rebalance delay is configured. The default delay is skipped for members in this process.
    fn sets_initial_rebalance_delay(&self) -> bool {
        let config = self.controller.config();
        config
            .layer()
            .get("group.initial.rebalance.delay.ms")
            .is_some()
    }

    /// Handles `SyncGroup`: the leader sends the assignments, every member receives its own.
    pub(crate) fn sync_group(
        &self,
        request: &SyncGroupRequest,
    ) -> Result<PendingResponse<SyncGroupResponse>, ErrorCode> {
        let mut coordinator = self.coordinator_of(&request.group_id)?;
        if coordinator.has_consumer_group(&request.group_id) {
            return coordinator.sync_consumer_group(request);
        }
        let request_id = self.next_request_id();
        let answer = coordinator.await_sync(request_id);
        let synced = coordinator.change(&request.group_id, |group, _, effects| {
            group.sync(request, request_id, effects);
        });
        synced.map(|()| answer).ok_or(ErrorCode::UnknownMemberId)
    }

    /// Handles Heartbeat.
    pub(crate) fn heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        let mut coordinator = self.coordinator_of(&request.group_id)?;
        if coordinator.has_consumer_group(&request.group_id) {
            return coordinator.heartbeat_consumer_group(request);
        }
        let beat = coordinator.change(&request.group_id, |group, context, _| {
            let instance_id = request.group_instance_id.as_ref();
            group.heartbeat(
                &request.member_id,
                instance_id,
                request.generation_id,
                context,
            )
        });
        beat.unwrap_or(Err(ErrorCode::UnknownMemberId))
    }

    /// Handles `LeaveGroup`. An error applies to all members of the request.
    pub(crate) fn leave_group(
        &self,
        group_id: &Str,
        leavers: Vec<Leaver>,
    ) -> Result<Vec<MemberResponse>, ErrorCode> {
        let mut coordinator = self.coordinator_of(group_id)?;
        if coordinator.has_consumer_group(group_id) {
            return coordinator.leave_consumer_group(group_id, leavers);
        }
        coordinator
            .change(group_id, |group, context, effects| {
                group.leave(leavers, context, effects)
            })
            .ok_or(ErrorCode::UnknownMemberId)
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// Makes the group a classic group. It must not be a consumer group with members.
    fn make_classic(&mut self, group_id: &Str) -> Result<(), ErrorCode> {
        let Group::Consumer(group) = &self.shard_mut().get_or_new(group_id).group else {
            return Ok(());
        };
        let tombstones = group.tombstones();
        self.write(&tombstones).map_err(|error| error.code())?;
        self.shard_mut().get_or_new(group_id).group = Group::Classic(ClassicGroup::new());
        Ok(())
    }
}
