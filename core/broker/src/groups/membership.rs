//! Joining, syncing, staying and leaving, for the handlers.

use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{
    ErrorCode, HeartbeatRequest, JoinGroupResponse, Str, SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot;

use super::classic::{ClassicGroup, Join, Leaver};
use super::group::Group;
use super::{Coordinator, IN_PROCESS_HOST, detached};
use crate::state::State;

/// An answer that may still have to come.
pub(crate) type Waiting<R> = oneshot::Receiver<R>;

impl<E: Env> State<E> {
    /// A member joins. A group that nobody has heard of is made by its first member.
    pub(crate) fn join_group(
        &self,
        group_id: &str,
        join: Join,
    ) -> Result<Waiting<JoinGroupResponse>, ErrorCode> {
        self.ensure_coordinators().map_err(|refusal| refusal.code)?;
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
            coordinator.facts.limits.initial_rebalance_delay = Duration::ZERO;
        }
        let ticket = self.next_ticket();
        let answer = coordinator.await_join(ticket);
        coordinator.change(&group_id, |group, facts, out| {
            group.join(join, ticket, facts, out);
        });
        Ok(answer)
    }

    /// Whether somebody has chosen how long a first rebalance waits. Members in this process need not wait for each other's start.
    fn sets_initial_rebalance_delay(&self) -> bool {
        let config = self.config();
        config
            .layer()
            .get("group.initial.rebalance.delay.ms")
            .is_some()
    }

    /// A member asks for its assignment, or brings everybody's.
    pub(crate) fn sync_group(
        &self,
        request: &SyncGroupRequest,
    ) -> Result<Waiting<SyncGroupResponse>, ErrorCode> {
        let mut coordinator = self.coordinator_of(&request.group_id)?;
        if coordinator.has_consumer_group(&request.group_id) {
            return coordinator.sync_consumer_group(request);
        }
        let ticket = self.next_ticket();
        let answer = coordinator.await_sync(ticket);
        let synced = coordinator.change(&request.group_id, |group, _, out| {
            group.sync(request, ticket, out);
        });
        synced.map(|()| answer).ok_or(ErrorCode::UnknownMemberId)
    }

    /// A member says that it is there.
    pub(crate) fn heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        let mut coordinator = self.coordinator_of(&request.group_id)?;
        if coordinator.has_consumer_group(&request.group_id) {
            return coordinator.heartbeat_consumer_group(request);
        }
        let beat = coordinator.change(&request.group_id, |group, facts, _| {
            let instance_id = request.group_instance_id.as_ref();
            group.heartbeat(
                &request.member_id,
                instance_id,
                request.generation_id,
                facts,
            )
        });
        beat.unwrap_or(Err(ErrorCode::UnknownMemberId))
    }

    /// Members leave. An error is for all of them.
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
            .change(group_id, |group, facts, out| {
                group.leave(leavers, facts, out)
            })
            .ok_or(ErrorCode::UnknownMemberId)
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// The group, which is no consumer group with members, is a classic one afterwards.
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
