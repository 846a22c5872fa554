//! A member joins, says what it wants and what it has, and is told what it gets.

use headwater_protocol::consumer_group_heartbeat_response::{
    Assignment as AnsweredAssignment, TopicPartitions,
};
use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};

use super::member::LEFT_FOR_A_WHILE;
use super::{
    Assignment, Catalogue, ConsumerFacts, ConsumerGroup, Draft, Member, MemberState, Refusal,
    Timers, assignors, subscription,
};

/// A member's request, but for leaving.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heartbeat {
    pub(crate) member_id: Str,
    /// 0 to join.
    pub(crate) epoch: i32,
    pub(crate) instance_id: Option<Str>,
    pub(crate) rack_id: Option<Str>,
    /// `None`: as before, as with all that follows.
    pub(crate) rebalance_timeout_ms: Option<i32>,
    pub(crate) topics: Option<Vec<Str>>,
    /// Empty for no pattern any more.
    pub(crate) regex: Option<Str>,
    pub(crate) assignor: Option<Str>,
    /// What the member holds.
    pub(crate) owned: Option<Assignment>,
    pub(crate) client_id: Str,
    pub(crate) client_host: Str,
}

/// Who makes the ids of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberIds {
    /// The broker, where a member brings none (version 0).
    Broker,
    /// The members.
    Members,
}

impl Heartbeat {
    /// Whether the request makes sense by itself.
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
            return invalid("a member epoch is 0 to join, -1 or -2 to leave, or one that was told");
        }
        if self.epoch == 0 {
            if self.rebalance_timeout_ms.is_none() {
                return invalid("who joins must give a rebalance time-out");
            }
            if self.owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
                return invalid("who joins must own no partitions, and say so");
            }
            let has_topics = self
                .topics
                .as_ref()
                .is_some_and(|topics| !topics.is_empty());
            let has_regex = self.regex.as_ref().is_some_and(|regex| !regex.is_empty());
            if !has_topics && !has_regex {
                return invalid("who joins must name topics or give a pattern");
            }
        }
        if let Some(regex) = self.regex.as_ref().filter(|regex| !regex.is_empty()) {
            subscription::parse(regex)?;
        }
        match self.assignor.as_deref() {
            Some(name) if !assignors::NAMES.contains(&name) => {
                let known = assignors::NAMES.join(", ");
                let message = format!("there is no assignor \"{name}\": choose one of {known}");
                Err(Refusal::new(ErrorCode::UnsupportedAssignor, message))
            }
            _ => Ok(()),
        }
    }

    /// A request with everything in it is answered with everything.
    const fn is_full(&self) -> bool {
        let says_all = self.rebalance_timeout_ms.is_some()
            && (self.topics.is_some() || self.regex.is_some())
            && self.owned.is_some();
        self.epoch == 0 || says_all
    }
}

impl ConsumerGroup {
    /// The usual heartbeat, of a member that has what it is to have and wants nothing else, changes nothing but the end of its session.
    /// `None` if this is another one.
    pub(crate) fn beat_steadily(
        &mut self,
        beat: &Heartbeat,
        facts: &ConsumerFacts,
    ) -> Option<ConsumerGroupHeartbeatResponse> {
        let member = self.members.get(&beat.member_id)?;
        let says_nothing_new = beat.rebalance_timeout_ms.is_none()
            && beat.topics.is_none()
            && beat.regex.is_none()
            && beat.rack_id.is_none()
            && beat.assignor.is_none()
            && beat.instance_id == member.instance_id;
        let is_steady = says_nothing_new
            && beat.epoch == member.epoch
            && beat.epoch > 0
            && self.is_reconciled(member)
            && self.epoch == self.target_epoch
            && self.seen_cluster == Some(facts.cluster_version);
        if !is_steady {
            return None;
        }
        let response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member.id.clone()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: facts.heartbeat_interval_ms,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        let timers = Timers {
            session: facts.now.monotonic.saturating_add(facts.session_timeout),
            step: None,
        };
        self.timers.insert(beat.member_id.clone(), timers);
        Some(response)
    }

    /// A member's heartbeat, which [`Heartbeat::check`] has let through. Nothing has changed before the draft is accepted.
    pub(crate) fn heartbeat(
        &self,
        beat: &Heartbeat,
        facts: &ConsumerFacts,
        catalogue: &impl Catalogue,
    ) -> Result<Draft, Refusal> {
        let is_known = self.members.contains_key(&beat.member_id);
        if !is_known && self.members.len() >= facts.members_max {
            let message = "the group has as many members as group.consumer.max.size allows";
            return Err(Refusal::new(ErrorCode::GroupMaxSizeReached, message));
        }
        let mut draft = Draft::of(self);
        draft.find_member(beat)?;
        let before = draft.group.members[&beat.member_id].clone();
        draft.update_member(beat, facts, catalogue)?;
        draft.update_target(facts, catalogue);
        draft.reconcile(&beat.member_id, beat.owned.as_ref());
        draft.set_timers(&beat.member_id, &before, facts);
        let member = &draft.group.members[&beat.member_id];
        let assignment = (beat.is_full() || member.assigned != before.assigned)
            .then(|| answered(&member.assigned));
        draft.response = ConsumerGroupHeartbeatResponse {
            error_code: ErrorCode::None.code(),
            member_id: Some(member.id.clone()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: facts.heartbeat_interval_ms,
            assignment,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        Ok(draft)
    }
}

impl Draft {
    /// The member that the request comes from is in the group afterwards.
    fn find_member(&mut self, beat: &Heartbeat) -> Result<(), Refusal> {
        let joins = beat.epoch == 0;
        let holder = beat.instance_id.as_deref();
        let holder = holder.and_then(|instance_id| self.group.static_member(instance_id));
        match holder.cloned() {
            Some(holder) if holder.id == beat.member_id => check_epoch(&holder, beat),
            Some(holder) if !joins => {
                let message = format!("the instance id belongs to member {} now", holder.id);
                Err(Refusal::new(ErrorCode::FencedInstanceId, message))
            }
            Some(holder) if holder.epoch != LEFT_FOR_A_WHILE && holder.classic.is_none() => {
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
                    // Its record is written when it has said what it reads.
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

    /// What `holder` had is its successor's.
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

    /// Takes over what the member says.
    fn update_member(
        &mut self,
        beat: &Heartbeat,
        facts: &ConsumerFacts,
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
        self.put_member(&member, facts, catalogue)
    }

    /// Writes a member as it is to be. The group epoch grows if what the group reads has changed.
    pub(super) fn put_member(
        &mut self,
        member: &Member,
        facts: &ConsumerFacts,
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
        if !changed && self.group.seen_cluster == Some(facts.cluster_version) {
            return Ok(());
        }
        self.resolve_patterns(catalogue, (facts.cluster_version, facts.now.wall_ms))?;
        let hash = self.group.subscription_hash(catalogue);
        if changed || hash != self.group.metadata_hash {
            let record = self.group.epoch_record(self.group.epoch + 1, hash);
            self.push(record);
        }
        self.group.seen_cluster = Some(facts.cluster_version);
        Ok(())
    }

    /// A new epoch gets a new target.
    pub(super) fn update_target(&mut self, facts: &ConsumerFacts, catalogue: &impl Catalogue) {
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
        let record = self.group.target_epoch_record(facts.now.wall_ms);
        self.push(record);
    }

    /// The member has a new session, and a time to let partitions go if it began to.
    fn set_timers(&mut self, member_id: &Str, before: &Member, facts: &ConsumerFacts) {
        let now = facts.now.monotonic;
        let member = &self.group.members[member_id];
        let earlier = self.group.timers.get(member_id);
        let earlier = earlier.and_then(|timers| timers.step);
        let revokes = member.state == MemberState::UnrevokedPartitions;
        let goes_on = before.state == member.state && before.epoch == member.epoch;
        let begins = now.saturating_add(member.rebalance_timeout());
        let timers = Timers {
            session: now.saturating_add(facts.session_timeout),
            step: revokes.then(|| earlier.filter(|_| goes_on).unwrap_or(begins)),
        };
        self.group.timers.insert(member_id.clone(), timers);
    }
}

/// A member must come in its epoch; or in the one before, if it may not have got the answer that told it the new one.
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
        "the member's epoch is {}, not {}: give up all partitions and join with epoch 0",
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
