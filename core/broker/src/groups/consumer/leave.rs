//! Members that leave or expire.

use std::time::Duration;

use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::member::LEAVE_GROUP_STATIC_MEMBER_EPOCH;
use super::{
    Assignment, Catalogue, ConsumerGroup, ConsumerGroupContext, GroupUpdate, Member, Refusal,
};

impl ConsumerGroup {
    /// A member leaves: for good, or (a static member, with epoch -2) until it restarts.
    pub(crate) fn leave(
        &self,
        (member_id, instance_id): (&Str, Option<&Str>),
        epoch: i32,
        catalogue: &impl Catalogue,
    ) -> Result<GroupUpdate, Refusal> {
        let refuse = |code, message: &str| Refusal::new(code, message);
        let member = match instance_id {
            Some(instance_id) => self.static_member(instance_id),
            None => self.members.get(member_id),
        };
        let member = member
            .ok_or_else(|| refuse(ErrorCode::UnknownMemberId, "the group has no such member"))?;
        if member.id != *member_id {
            let message = "the instance id is now used by another member";
            return Err(refuse(ErrorCode::FencedInstanceId, message));
        }
        if epoch == LEAVE_GROUP_STATIC_MEMBER_EPOCH && instance_id.is_none() {
            let message = "only a member with an instance id may leave with epoch -2";
            return Err(refuse(ErrorCode::InvalidRequest, message));
        }
        let mut update = if epoch == LEAVE_GROUP_STATIC_MEMBER_EPOCH {
            self.leave_temporarily(member)
        } else {
            self.without(member_id, catalogue)
        };
        update.response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member_id.clone()),
            member_epoch: epoch,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        Ok(update)
    }

    /// The earliest deadline of the members.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.next_timer().map(|(deadline, _)| deadline)
    }

    /// The update that removes the member whose time-out expired first, if any has expired.
    pub(crate) fn fire_next(
        &self,
        now: Duration,
        catalogue: &impl Catalogue,
    ) -> Option<GroupUpdate> {
        let (deadline, member_id) = self.next_timer()?;
        (deadline <= now).then(|| self.without(member_id, catalogue))
    }

    /// Gives expired members another session time-out, because the change could not be written.
    pub(crate) fn extend_timers(&mut self, context: &ConsumerGroupContext) {
        let now = context.now.monotonic;
        for timers in self.timers.values_mut() {
            let until = now.saturating_add(context.session_timeout);
            if timers.session <= now {
                timers.session = until;
            }
            if timers.step.is_some_and(|deadline| deadline <= now) {
                timers.step = Some(until);
            }
        }
    }

    fn next_timer(&self) -> Option<(Duration, &Str)> {
        let timers = self.timers.iter().map(|(id, timers)| {
            let first = timers.step.unwrap_or(timers.session);
            (first.min(timers.session), id)
        });
        timers.min()
    }

    /// The update that removes a member, so that the other members get its partitions.
    fn without(&self, member_id: &Str, catalogue: &impl Catalogue) -> GroupUpdate {
        let mut update = GroupUpdate::of(self);
        update.remove(member_id);
        update.raise_epoch(catalogue);
        update
    }

    fn leave_temporarily(&self, member: &Member) -> GroupUpdate {
        let mut update = GroupUpdate::of(self);
        let left = Member {
            epoch: LEAVE_GROUP_STATIC_MEMBER_EPOCH,
            revoking: Assignment::new(),
            ..member.clone()
        };
        let record = update.group.current_record(&left);
        update.push(record);
        update
    }
}

impl GroupUpdate {
    /// Removes a member.
    pub(super) fn remove(&mut self, member_id: &Str) {
        for tombstone in self.group.member_tombstones(member_id) {
            self.push(tombstone);
        }
    }

    /// Raises the group epoch; the next heartbeat computes a new target.
    pub(super) fn raise_epoch(&mut self, catalogue: &impl Catalogue) {
        let hash = self.group.subscription_hash(catalogue);
        let record = self.group.epoch_record(self.group.epoch + 1, hash);
        self.push(record);
    }
}
