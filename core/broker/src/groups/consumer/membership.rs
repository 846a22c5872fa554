//! Members of consumer groups: joining, heartbeats and leaving, for the handlers.

use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::{ConsumerGroup, ConsumerGroupContext, GroupUpdate, Heartbeat};
use crate::groups::context::Effects;
use crate::groups::coordinator::{Coordinator, Groups};
use crate::groups::detached::detached;
use crate::groups::group::Group;
use crate::groups::migration::may_upgrade;
use crate::groups::record::GroupRecord;
use crate::refusal::Refusal;

/// The reason for refusing a member.
const MEMBER_MEMORY_EXHAUSTED: &str = "the member is refused: all members together hold as much as a quarter of queued.max.request.bytes; raise it, or \
                       end some";

/// A member that leaves a consumer group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsumerLeaver<'a> {
    pub(crate) member_id: &'a Str,
    pub(crate) instance_id: Option<&'a Str>,
    /// -1 to leave for good, -2 if a static member will come back.
    pub(crate) epoch: i32,
}

impl<E: Env> Groups<E> {
    /// The session time-out of members of consumer groups.
    pub(in crate::groups) fn consumer_session_timeout(&self) -> Duration {
        Duration::from_millis(self.controller.config().group_consumer_session_timeout_ms)
    }

    /// Handles a heartbeat. The first member creates the group.
    pub(crate) async fn consumer_group_heartbeat(
        &self,
        group_id: &str,
        beat: &Heartbeat,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let joins = beat.epoch == 0;
        if joins {
            self.ensure_coordinators().await?;
        }
        let group_id = detached(group_id);
        let mut coordinator = self.coordinator_of(&group_id).map_err(refusal)?;
        let (context, image) = coordinator.consumer_context();
        let policy = self.controller.config().group_consumer_migration_policy;
        let mut before = Vec::new();
        let mut waiting = Effects::default();
        let entry = coordinator.shard_mut().get_mut(&group_id);
        let update = match entry.map(|entry| &mut entry.group) {
            Some(Group::Consumer(group)) => {
                if let Some(response) = group.steady_heartbeat(beat, &context) {
                    return Ok(response);
                }
                group.heartbeat(beat, &context, &*image)?
            }
            Some(group @ Group::Classic(_)) if joins && group.is_empty() => {
                if !group.is_unrecorded() {
                    before = group.tombstones(&group_id);
                }
                ConsumerGroup::new(group_id.clone()).heartbeat(beat, &context, &*image)?
            }
            Some(Group::Classic(group)) if joins && may_upgrade(policy, group, &context) => {
                let upgraded = ConsumerGroup::upgraded(&group_id, group, &context, &*image)?;
                group.refuse_waiting(&mut waiting);
                before = upgraded.records().to_vec();
                upgraded.group().heartbeat(beat, &context, &*image)?
            }
            None if joins => {
                ConsumerGroup::new(group_id.clone()).heartbeat(beat, &context, &*image)?
            }
            Some(Group::Classic(_)) | None => return Err(unknown_consumer_group(&group_id)),
        };
        let response = coordinator.accept(&group_id, before, update)?;
        coordinator.answer(waiting);
        Ok(response)
    }

    /// Removes a member that leaves.
    pub(crate) fn leave_consumer_group(
        &self,
        group_id: &Str,
        leaver: ConsumerLeaver<'_>,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let mut coordinator = self.coordinator_of(group_id).map_err(refusal)?;
        let (_, image) = coordinator.consumer_context();
        let entry = coordinator.shard().get(group_id);
        let Some(Group::Consumer(group)) = entry.map(|entry| &entry.group) else {
            return Err(unknown_consumer_group(group_id));
        };
        let who = (leaver.member_id, leaver.instance_id);
        let update = group.leave(who, leaver.epoch, &*image)?;
        coordinator.accept(group_id, Vec::new(), update)
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// The context of a transition, and the topics.
    pub(in crate::groups) fn consumer_context(&self) -> (ConsumerGroupContext, Arc<Image>) {
        let config = self.groups.controller.config();
        let (image, cluster_version) = self.groups.controller.versioned_image();
        let context = ConsumerGroupContext {
            now: self.now(),
            session_timeout: self.groups.consumer_session_timeout(),
            heartbeat_interval_ms: config.group_consumer_heartbeat_interval_ms,
            members_max: config.group_consumer_size_max,
            cluster_version,
        };
        (context, image)
    }

    /// Writes the update's records, after `before`, and then replaces the group. If the last member of the consumer
    /// protocol has left, the group becomes a classic group instead.
    pub(in crate::groups) fn accept(
        &mut self,
        group_id: &Str,
        before: Vec<GroupRecord>,
        mut update: GroupUpdate,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        if self.must_downgrade(update.group()) {
            return self.downgrade(group_id, update);
        }
        self.reserve_for_members(group_id, update.group_mut())?;
        let mut records = before;
        records.extend_from_slice(update.records());
        self.write(&records).map_err(|error| error.refusal())?;
        let entry = self.shard_mut().get_or_new(group_id);
        let (group, response) = update.into_parts();
        entry.group = Group::Consumer(group);
        self.set_alarm(group_id);
        Ok(response)
    }

    /// Reserves memory for the members' metadata for as long as they are members.
    fn reserve_for_members(
        &self,
        group_id: &Str,
        group: &mut ConsumerGroup,
    ) -> Result<(), Refusal> {
        let earlier = match self.shard().get(group_id).map(|entry| &entry.group) {
            Some(Group::Consumer(group)) => Some(group),
            _ => None,
        };
        if group.reserve_for_members(&self.groups.memory, earlier) {
            return Ok(());
        }
        tracing::warn!(group = &**group_id, "{MEMBER_MEMORY_EXHAUSTED}");
        Err(Refusal::new(
            ErrorCode::CoordinatorNotAvailable,
            MEMBER_MEMORY_EXHAUSTED,
        ))
    }

    /// Removes the members of a consumer group whose time-outs have expired. If a record cannot be written, the removal
    /// is retried one session time-out later.
    pub(in crate::groups) fn fire_consumer_timers(&mut self, group_id: &Str) {
        loop {
            let (context, image) = self.consumer_context();
            let entry = self.shard_mut().get_mut(group_id);
            let Some(Group::Consumer(group)) = entry.map(|entry| &mut entry.group) else {
                return;
            };
            let Some(update) = group.fire_next(context.now.monotonic, &*image) else {
                return;
            };
            if self.accept(group_id, Vec::new(), update).is_err()
                && let Some(Group::Consumer(group)) = self
                    .shard_mut()
                    .get_mut(group_id)
                    .map(|entry| &mut entry.group)
            {
                group.extend_timers(&context);
            }
        }
    }
}

fn refusal(code: ErrorCode) -> Refusal {
    Refusal::new(code, code.message())
}

fn unknown_consumer_group(group_id: &str) -> Refusal {
    let message = format!("there is no consumer group \"{group_id}\"");
    Refusal::new(ErrorCode::GroupIdNotFound, message)
}
