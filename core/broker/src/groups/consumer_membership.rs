//! Members of consumer groups, for the handlers.

use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::consumer::{ConsumerFacts, ConsumerGroup, Draft, Heartbeat};
use super::facts::Outbox;
use super::group::Group;
use super::migration::may_upgrade;
use super::offsets_topic::WriteError;
use super::record::GroupRecord;
use super::{Coordinator, detached};
use crate::refusal::Refusal;
use crate::state::State;

/// Why a member is turned away.
const NO_ROOM: &str = "a member is turned away: all members together hold as much as a quarter of queued.max.request.bytes; raise it, or \
                       end some";

/// Who leaves a consumer group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsumerLeaver<'a> {
    pub(crate) member_id: &'a Str,
    pub(crate) instance_id: Option<&'a Str>,
    /// -1 for good, -2 for a while.
    pub(crate) epoch: i32,
}

impl<E: Env> State<E> {
    /// How long a member of a consumer group may be silent.
    pub(super) fn consumer_session_timeout(&self) -> Duration {
        Duration::from_millis(self.config().group_consumer_session_timeout_ms)
    }

    /// A member joins or says that it is there. A group that nobody has heard of is made by its first member.
    pub(crate) fn consumer_group_heartbeat(
        &self,
        group_id: &str,
        beat: &Heartbeat,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let joins = beat.epoch == 0;
        if joins {
            self.ensure_coordinators()?;
        }
        let group_id = detached(group_id);
        let mut coordinator = self.coordinator_of(&group_id).map_err(refusal)?;
        let (facts, image) = coordinator.consumer_facts();
        let policy = self.config().group_consumer_migration_policy;
        let mut before = Vec::new();
        let mut waiting = Outbox::default();
        let entry = coordinator.shard_mut().get_mut(&group_id);
        let draft = match entry.map(|entry| &mut entry.group) {
            Some(Group::Consumer(group)) => {
                if let Some(response) = group.beat_steadily(beat, &facts) {
                    return Ok(response);
                }
                group.heartbeat(beat, &facts, &*image)?
            }
            Some(group @ Group::Classic(_)) if joins && group.is_empty() => {
                if !group.is_unrecorded() {
                    before = group.tombstones(&group_id);
                }
                ConsumerGroup::new(group_id.clone()).heartbeat(beat, &facts, &*image)?
            }
            Some(Group::Classic(group)) if joins && may_upgrade(policy, group, &facts) => {
                let upgraded = ConsumerGroup::upgraded(&group_id, group, &facts, &*image)?;
                group.refuse_waiting(&mut waiting);
                before = upgraded.records().to_vec();
                upgraded.group().heartbeat(beat, &facts, &*image)?
            }
            None if joins => {
                ConsumerGroup::new(group_id.clone()).heartbeat(beat, &facts, &*image)?
            }
            Some(Group::Classic(_)) | None => return Err(no_consumer_group(&group_id)),
        };
        let response = coordinator.accept(&group_id, before, draft)?;
        coordinator.answer(waiting);
        Ok(response)
    }

    /// A member leaves.
    pub(crate) fn leave_consumer_group(
        &self,
        group_id: &Str,
        leaver: ConsumerLeaver<'_>,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let mut coordinator = self.coordinator_of(group_id).map_err(refusal)?;
        let (_, image) = coordinator.consumer_facts();
        let entry = coordinator.shard().get(group_id);
        let Some(Group::Consumer(group)) = entry.map(|entry| &entry.group) else {
            return Err(no_consumer_group(group_id));
        };
        let who = (leaver.member_id, leaver.instance_id);
        let draft = group.leave(who, leaver.epoch, &*image)?;
        coordinator.accept(group_id, Vec::new(), draft)
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// The topics, and what consumer groups are told besides.
    pub(super) fn consumer_facts(&self) -> (ConsumerFacts, Arc<Image>) {
        let config = self.state.config();
        let (image, cluster_version) = self.state.versioned_image();
        let facts = ConsumerFacts {
            now: self.now(),
            session_timeout: self.state.consumer_session_timeout(),
            heartbeat_interval_ms: config.group_consumer_heartbeat_interval_ms,
            members_max: config.group_consumer_size_max,
            cluster_version,
        };
        (facts, image)
    }

    /// Writes a draft, with what goes before it, and makes it the group. If the last member of the consumer protocol has gone, the group
    /// becomes a classic one instead.
    pub(super) fn accept(
        &mut self,
        group_id: &Str,
        before: Vec<GroupRecord>,
        mut draft: Draft,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        if self.is_to_downgrade(draft.group()) {
            return self.downgrade(group_id, draft);
        }
        self.count_members(group_id, draft.group_mut())?;
        let mut records = before;
        records.extend_from_slice(draft.records());
        self.write(&records)
            .map_err(|error| write_refusal(&error))?;
        let entry = self.shard_mut().get_or_new(group_id);
        let (group, response) = draft.into_parts();
        entry.group = Group::Consumer(group);
        self.set_alarm(group_id);
        Ok(response)
    }

    /// Counts what members say as long as they are members.
    fn count_members(&self, group_id: &Str, group: &mut ConsumerGroup) -> Result<(), Refusal> {
        let earlier = match self.shard().get(group_id).map(|entry| &entry.group) {
            Some(Group::Consumer(group)) => Some(group),
            _ => None,
        };
        if group.count_members(&self.state.memory, earlier) {
            return Ok(());
        }
        tracing::warn!(group = &**group_id, "{NO_ROOM}");
        Err(Refusal::new(ErrorCode::CoordinatorNotAvailable, NO_ROOM))
    }

    /// Takes out the members of a consumer group whose time is up. What cannot be written is tried again a session later.
    pub(super) fn fire_consumer(&mut self, group_id: &Str) {
        loop {
            let (facts, image) = self.consumer_facts();
            let entry = self.shard_mut().get_mut(group_id);
            let Some(Group::Consumer(group)) = entry.map(|entry| &mut entry.group) else {
                return;
            };
            let Some(draft) = group.fire_next(facts.now.monotonic, &*image) else {
                return;
            };
            if self.accept(group_id, Vec::new(), draft).is_err()
                && let Some(Group::Consumer(group)) = self
                    .shard_mut()
                    .get_mut(group_id)
                    .map(|entry| &mut entry.group)
            {
                group.give_time(&facts);
            }
        }
    }
}

fn refusal(code: ErrorCode) -> Refusal {
    Refusal::new(code, code.message())
}

pub(super) fn write_refusal(error: &WriteError) -> Refusal {
    Refusal::new(error.code(), error.to_string())
}

fn no_consumer_group(group_id: &str) -> Refusal {
    let message = format!("there is no consumer group \"{group_id}\"");
    Refusal::new(ErrorCode::GroupIdNotFound, message)
}
