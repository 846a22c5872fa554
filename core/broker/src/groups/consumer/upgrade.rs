//! A classic group becomes a consumer group (KIP-848, online upgrade): its members go on by the classic protocol until they leave.

use headwater_protocol::{ErrorCode, Str};

use super::member::ClassicProtocols;
use super::reconcile::difference;
use super::{
    Assignment, Catalogue, ConsumerFacts, ConsumerGroup, Draft, Member, Refusal, Timers, embedded,
};
use crate::groups::classic::{ClassicGroup, Member as ClassicMember};
use crate::groups::group::classic_record;

impl ConsumerGroup {
    /// The classic group as a consumer group. Its generation becomes the epoch of the group and of each member, and the assignments become
    /// the target. A member that joins afterwards raises the epoch, so that all others join again.
    pub(crate) fn upgraded(
        group_id: &Str,
        classic: &ClassicGroup,
        facts: &ConsumerFacts,
        catalogue: &impl Catalogue,
    ) -> Result<Draft, Refusal> {
        let mut draft = Draft::of(&Self::new(group_id.clone()));
        draft.push(classic_record(group_id, None));
        let mut members = Vec::new();
        for member in classic.members() {
            let mut member = converted(classic, member, catalogue)?;
            // A rebalance that was going on may have left two claims to one partition.
            for (topic, number) in draft.group.held_by_others(&member.id) {
                let claim = Assignment::from([(topic, [number].into())]);
                member.assigned = difference(&member.assigned, &claim);
            }
            let record = draft.group.member_record(&member);
            draft.push(record);
            draft
                .group
                .members
                .insert(member.id.clone(), member.clone());
            members.push(member);
        }
        let hash = draft.group.subscription_hash(catalogue);
        let record = draft.group.epoch_record(classic.generation(), hash);
        draft.push(record);
        for member in &members {
            let record = draft.group.target_record(&member.id, &member.assigned);
            draft.push(record);
        }
        let record = draft.group.target_epoch_record(facts.now.wall_ms);
        draft.push(record);
        for member in members {
            let record = draft.group.current_record(&member);
            draft.push(record);
            let now = facts.now.monotonic;
            let timers = Timers {
                session: now.saturating_add(member.session_timeout(facts.session_timeout)),
                step: None,
            };
            draft.group.timers.insert(member.id, timers);
        }
        Ok(draft)
    }
}

fn converted(
    group: &ClassicGroup,
    member: &ClassicMember,
    catalogue: &impl Catalogue,
) -> Result<Member, Refusal> {
    let malformed = |_| {
        let message =
            "the group has members whose subscriptions cannot be read, so it stays a classic group";
        Refusal::new(ErrorCode::GroupIdNotFound, message)
    };
    // All protocols have the same subscription.
    let metadata = member
        .protocols()
        .first()
        .map(|protocol| &protocol.metadata);
    let subscription = metadata.map(|metadata| embedded::subscription(metadata, catalogue));
    let subscription = subscription
        .transpose()
        .map_err(malformed)?
        .unwrap_or_default();
    let mut assigned = embedded::assignment(&member.assignment, catalogue).map_err(malformed)?;
    if !group.is_stable() {
        for (topic, partitions) in subscription.owned {
            assigned.entry(topic).or_default().extend(partitions);
        }
    }
    let milliseconds =
        |time: std::time::Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    Ok(Member {
        instance_id: member.instance_id.clone(),
        rack_id: subscription.rack_id,
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        topics: subscription.topics,
        rebalance_timeout_ms: milliseconds(member.rebalance_timeout),
        classic: Some(ClassicProtocols {
            session_timeout_ms: milliseconds(member.session_timeout),
            protocols: member.protocols().to_vec(),
        }),
        epoch: group.generation(),
        previous_epoch: group.generation(),
        assigned,
        ..Member::new(member.id.clone())
    })
}
