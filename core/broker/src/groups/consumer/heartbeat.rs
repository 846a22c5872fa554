//! `ConsumerGroupHeartbeat`: joining, subscriptions, owned partitions and the response.

use headwater_protocol::consumer_group_heartbeat_response::{
    Assignment as AnsweredAssignment, TopicPartitions,
};
use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::member::LEAVE_GROUP_STATIC_MEMBER_EPOCH;
use super::{
    Assignment, Catalogue, ConsumerGroup, ConsumerGroupContext, GroupUpdate, Member, MemberState,
    Refusal, Timers, assignors, subscription,
};

/// A heartbeat that does not leave the group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heartbeat {
    pub(crate) member_id: Str,
    /// 0 to join.
    pub(crate) epoch: i32,
    pub(crate) instance_id: Option<Str>,
    pub(crate) rack_id: Option<Str>,
    /// `None` if unchanged; the same for the following fields.
    pub(crate) rebalance_timeout_ms: Option<i32>,
    pub(crate) topics: Option<Vec<Str>>,
    /// Empty to remove the pattern.
    pub(crate) regex: Option<Str>,
    pub(crate) assignor: Option<Str>,
    /// The partitions that the member owns.
    pub(crate) owned: Option<Assignment>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
}

/// Which side creates member ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberIds {
    /// The broker, if the member sends none (version 0).
    Broker,
    /// The members.
    Members,
}

impl Heartbeat {
    /// Validates the request without the group.
    pub(crate) fn check(&self, ids: MemberIds) -> Result<(), Refusal> {
        let invalid = |message: &str| Err(Refusal::new(ErrorCode::InvalidRequest, message));
        let is_empty = |text: &Option<Str>| text.as_ref().is_some_and(|text| text.is_empty());
        if is_empty(&self.instance_id) || is_empty(&self.rack_id) {
            return invalid("instance id and rack id must not be empty: leave them out");
        }
        if self.member_id.is_empty() && (self.epoch != 0 || ids == MemberIds::Members) {
            return invalid("the member id must not be empty");
        }
        if self.epoch < 0 {
            return invalid(
                "the member epoch must be 0 to join, -1 or -2 to leave, or the epoch of the last response",
            );
        }
        if self.epoch == 0 {
            if self.rebalance_timeout_ms.is_none() {
                return invalid("a member that joins must set a rebalance time-out");
            }
            if self.owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
                return invalid("a member that joins must send an empty list of owned partitions");
            }
            let has_topics = self
                .topics
                .as_ref()
                .is_some_and(|topics| !topics.is_empty());
            let has_regex = self.regex.as_ref().is_some_and(|regex| !regex.is_empty());
            if !has_topics && !has_regex {
                return invalid("a member that joins must subscribe to topics or to a pattern");
            }
        }
        if let Some(regex) = self.regex.as_ref().filter(|regex| !regex.is_empty()) {
            subscription::parse(regex)?;
        }
        match self.assignor.as_deref() {
            Some(name) if !assignors::NAMES.contains(&name) => {
                let known = assignors::NAMES.join(", ");
                let message = format!("unknown assignor \"{name}\": choose one of {known}");
                Err(Refusal::new(ErrorCode::UnsupportedAssignor, message))
            }
            _ => Ok(()),
        }
    }

    /// A request with all fields is answered with a full response.
    const fn is_full(&self) -> bool {
        let says_all = self.rebalance_timeout_ms.is_some()
            && (self.topics.is_some() || self.regex.is_some())
            && self.owned.is_some();
        self.epoch == 0 || says_all
    }
}

impl ConsumerGroup {
    /// Handles the usual heartbeat of a member that has reached its target and changes nothing: only the session is
    /// extended. `None` if the heartbeat needs more.
    pub(crate) fn steady_heartbeat(
        &mut self,
        beat: &Heartbeat,
        context: &ConsumerGroupContext,
    ) -> Option<ConsumerGroupHeartbeatResponse> {
        let member = self.members.get(&beat.member_id)?;
        let is_unchanged = beat.rebalance_timeout_ms.is_none()
            && beat.topics.is_none()
            && beat.regex.is_none()
            && beat.rack_id.is_none()
            && beat.assignor.is_none()
            && beat.instance_id == member.instance_id;
        let is_steady = is_unchanged
            && beat.epoch == member.epoch
            && beat.epoch > 0
            && self.is_reconciled(member)
            && self.epoch == self.target_epoch
            && self.seen_cluster == Some(context.cluster_version);
        if !is_steady {
            return None;
        }
        let response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member.id.clone()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: context.heartbeat_interval_ms,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        let timers = Timers {
            session: context
                .now
                .monotonic
                .saturating_add(context.session_timeout),
            step: None,
        };
        self.timers.insert(beat.member_id.clone(), timers);
        Some(response)
    }

    /// Handles a heartbeat that passed [`Heartbeat::check`]. The group does not change before the update is accepted.
    pub(crate) fn heartbeat(
        &self,
        beat: &Heartbeat,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<GroupUpdate, Refusal> {
        let is_known = self.members.contains_key(&beat.member_id);
        if !is_known && self.members.len() >= context.members_max {
            let message = "the group has as many members as group.consumer.max.size allows";
            return Err(Refusal::new(ErrorCode::GroupMaxSizeReached, message));
        }
        let mut update = GroupUpdate::of(self);
        update.find_member(beat)?;
        let before = update.group.members[&beat.member_id].clone();
        update.update_member(beat, context, catalogue)?;
        update.update_target(context, catalogue);
        update.reconcile(&beat.member_id, beat.owned.as_ref());
        update.set_timers(&beat.member_id, &before, context);
        let member = &update.group.members[&beat.member_id];
        let assignment = (beat.is_full() || member.assigned != before.assigned)
            .then(|| answered(&member.assigned));
        update.response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member.id.clone()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: context.heartbeat_interval_ms,
            assignment,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        Ok(update)
    }
}

impl GroupUpdate {
    /// Finds or adds the member that sent the request.
    fn find_member(&mut self, beat: &Heartbeat) -> Result<(), Refusal> {
        let joins = beat.epoch == 0;
        let holder = beat.instance_id.as_deref();
        let holder = holder.and_then(|instance_id| self.group.static_member(instance_id));
        match holder.cloned() {
            Some(holder) if holder.id == beat.member_id => check_epoch(&holder, beat),
            Some(holder) if !joins => {
                let message = format!("the instance id is now used by member {}", holder.id);
                Err(Refusal::new(ErrorCode::FencedInstanceId, message))
            }
            Some(holder)
                if holder.epoch != LEAVE_GROUP_STATIC_MEMBER_EPOCH && holder.classic.is_none() =>
            {
                let message = format!("member {} still uses the instance id", holder.id);
                Err(Refusal::new(ErrorCode::UnreleasedInstanceId, message))
            }
            Some(holder) => {
                self.replace_static_member(&holder, &beat.member_id);
                Ok(())
            }
            None => match self.group.members.get(&beat.member_id) {
                Some(member) if beat.instance_id.is_none() => check_epoch(member, beat),
                None if joins => {
                    let mut member = Member::new(beat.member_id.clone());
                    member.instance_id.clone_from(&beat.instance_id);
                    // Its record is written with its subscription.
                    self.group.members.insert(beat.member_id.clone(), member);
                    Ok(())
                }
                _ => {
                    let message = "the group has no such member: join with epoch 0";
                    Err(Refusal::new(ErrorCode::UnknownMemberId, message))
                }
            },
        }
    }

    /// The successor takes over the epochs and partitions of `holder`.
    pub(super) fn replace_static_member(&mut self, holder: &Member, successor: &Str) {
        let target = self.group.target.get(&holder.id).cloned();
        self.remove(&holder.id);
        let member = Member {
            id: successor.clone(),
            epoch: 0,
            previous_epoch: 0,
            ..holder.clone()
        };
        let records = [
            self.group.member_record(&member),
            self.group
                .target_record(successor, &target.unwrap_or_default()),
            self.group.current_record(&member),
        ];
        for record in records {
            self.push(record);
        }
    }

    /// Applies the fields of the request to the member.
    fn update_member(
        &mut self,
        beat: &Heartbeat,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<(), Refusal> {
        let mut member = self.group.members[&beat.member_id].clone();
        member.classic = None;
        member.client_id.clone_from(&beat.client_id);
        member.client_host.clone_from(&beat.client_host);
        if beat.rack_id.is_some() {
            member.rack_id.clone_from(&beat.rack_id);
        }
        if let Some(ms) = beat.rebalance_timeout_ms {
            member.rebalance_timeout_ms = ms;
        }
        if beat.assignor.is_some() {
            member.assignor.clone_from(&beat.assignor);
        }
        if let Some(topics) = &beat.topics {
            member.topics = topics.iter().cloned().collect();
        }
        if let Some(regex) = &beat.regex {
            member.regex = Some(regex.clone()).filter(|regex| !regex.is_empty());
        }
        self.put_member(&member, context, catalogue)
    }

    /// Writes the record of a member. The group epoch grows if the group's subscription has changed.
    pub(super) fn put_member(
        &mut self,
        member: &Member,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<(), Refusal> {
        let before = self.group.members[&member.id].clone();
        let is_new = !self.group.target.contains_key(&member.id);
        if *member != before {
            let record = self.group.member_record(member);
            self.push(record);
        }
        let subscribes_anew = member.topics != before.topics || member.regex != before.regex;
        let changed = is_new || subscribes_anew || member.assignor != before.assignor;
        if !changed && self.group.seen_cluster == Some(context.cluster_version) {
            return Ok(());
        }
        self.resolve_patterns(catalogue, (context.cluster_version, context.now.wall_ms))?;
        let hash = self.group.subscription_hash(catalogue);
        if changed || hash != self.group.metadata_hash {
            let record = self.group.epoch_record(self.group.epoch + 1, hash);
            self.push(record);
        }
        self.group.seen_cluster = Some(context.cluster_version);
        Ok(())
    }

    /// Computes a new target assignment if the group epoch has grown.
    pub(super) fn update_target(
        &mut self,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) {
        if self.group.epoch <= self.group.target_epoch {
            return;
        }
        let target = assignors::assign(&self.group, catalogue);
        for (member_id, assignment) in &target {
            if self.group.target.get(member_id) != Some(assignment) {
                let record = self.group.target_record(member_id, assignment);
                self.push(record);
            }
        }
        let record = self.group.target_epoch_record(context.now.wall_ms);
        self.push(record);
    }

    /// Starts a new session, and the revocation time-out if the member now has to revoke partitions.
    fn set_timers(&mut self, member_id: &Str, before: &Member, context: &ConsumerGroupContext) {
        let now = context.now.monotonic;
        let member = &self.group.members[member_id];
        let earlier = self.group.timers.get(member_id);
        let earlier = earlier.and_then(|timers| timers.step);
        let revokes = member.state == MemberState::UnrevokedPartitions;
        let goes_on = before.state == member.state && before.epoch == member.epoch;
        let begins = now.saturating_add(member.rebalance_timeout());
        let timers = Timers {
            session: now.saturating_add(context.session_timeout),
            step: revokes.then(|| earlier.filter(|_| goes_on).unwrap_or(begins)),
        };
        self.group.timers.insert(member_id.clone(), timers);
    }
}

/// The epoch must be the member's, or the previous one if the response with the new epoch may have been lost.
fn check_epoch(member: &Member, beat: &Heartbeat) -> Result<(), Refusal> {
    if beat.epoch == member.epoch {
        return Ok(());
    }
    let owns_nothing_else = |owned: &Assignment| member.is_assigned(owned);
    let answer_was_lost = beat.epoch < member.epoch
        && beat.epoch == member.previous_epoch
        && beat.owned.as_ref().is_some_and(owns_nothing_else);
    if answer_was_lost {
        return Ok(());
    }
    let message = format!(
        "the member's epoch is {}, not {}: revoke all partitions and join with epoch 0",
        member.epoch, beat.epoch
    );
    Err(Refusal::new(ErrorCode::FencedMemberEpoch, message))
}

fn answered(assignment: &Assignment) -> AnsweredAssignment {
    let topics = assignment
        .iter()
        .map(|(topic_id, partitions)| TopicPartitions {
            topic_id: *topic_id,
            partitions: partitions.iter().copied().collect(),
            ..TopicPartitions::default()
        });
    AnsweredAssignment {
        topic_partitions: topics.collect(),
        ..AnsweredAssignment::default()
    }
}
