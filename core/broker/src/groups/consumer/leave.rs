//! Members go: they say so, or time is up.

use std::time::Duration;

use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::member::LEFT_FOR_A_WHILE;
use super::{Assignment, Catalogue, ConsumerFacts, ConsumerGroup, Draft, Member, Refusal};

impl ConsumerGroup {
    /// A member leaves, for good or (a static one, with epoch -2) until it starts again.
    pub(crate) fn leave(
        &self,
        (member_id, instance_id): (&Str, Option<&Str>),
        epoch: i32,
        catalogue: &impl Catalogue,
    ) -> Result<Draft, Refusal> {
        let refuse = |code, message: &str| Refusal::new(code, message);
        let member = match instance_id {
            Some(instance_id) => self.static_member(instance_id),
            None => self.members.get(member_id),
        };
        let member = member
            .ok_or_else(|| refuse(ErrorCode::UnknownMemberId, "the group has no such member"))?;
        if member.id != *member_id {
            let message = "the instance id belongs to another member now";
            return Err(refuse(ErrorCode::FencedInstanceId, message));
        }
        if epoch == LEFT_FOR_A_WHILE && instance_id.is_none() {
            let message = "only a member with an instance id leaves for a while";
            return Err(refuse(ErrorCode::InvalidRequest, message));
        }
        let mut draft = if epoch == LEFT_FOR_A_WHILE {
            self.leave_for_a_while(member)
        } else {
            self.without(member_id, catalogue)
        };
        draft.response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member_id.clone()),
            member_epoch: epoch,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        Ok(draft)
    }

    /// When time next takes a member.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.next_timer().map(|(deadline, _)| deadline)
    }

    /// The group without the member whose time was up first, if that of any is.
    pub(crate) fn fire_next(&self, now: Duration, catalogue: &impl Catalogue) -> Option<Draft> {
        let (deadline, member_id) = self.next_timer()?;
        (deadline <= now).then(|| self.without(member_id, catalogue))
    }

    /// Whose time is up has a session more, because the change could not be written.
    pub(crate) fn give_time(&mut self, facts: &ConsumerFacts) {
        let now = facts.now.monotonic;
        for timers in self.timers.values_mut() {
            let until = now.saturating_add(facts.session_timeout);
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

    /// Without a member; the others are to get what it had.
    fn without(&self, member_id: &Str, catalogue: &impl Catalogue) -> Draft {
        let mut draft = Draft::of(self);
        draft.remove(member_id);
        draft.raise_epoch(catalogue);
        draft
    }

    fn leave_for_a_while(&self, member: &Member) -> Draft {
        let mut draft = Draft::of(self);
        let left = Member {
            epoch: LEFT_FOR_A_WHILE,
            revoking: Assignment::new(),
            ..member.clone()
        };
        let record = draft.group.current_record(&left);
        draft.push(record);
        draft
    }
}

impl Draft {
    /// Takes a member out.
    pub(super) fn remove(&mut self, member_id: &Str) {
        for tombstone in self.group.member_tombstones(member_id) {
            self.push(tombstone);
        }
    }

    /// The next heartbeat computes a new target.
    pub(super) fn raise_epoch(&mut self, catalogue: &impl Catalogue) {
        let hash = self.group.subscription_hash(catalogue);
        let record = self.group.epoch_record(self.group.epoch + 1, hash);
        self.push(record);
    }
}
