//! Migration of a classic group to a consumer group (KIP-848): its members keep using the classic protocol until they
//! leave.

use headwater_protocol::{ErrorCode, Str};

use super::member::ClassicProtocols;
use super::reconcile::difference;
use super::{
    Assignment, Catalogue, ConsumerGroup, ConsumerGroupContext, GroupUpdate, Member, Refusal,
    Timers, embedded,
};
use crate::groups::classic::{ClassicGroup, Member as ClassicMember};
use crate::groups::group::classic_record;

impl ConsumerGroup {
    /// Converts a classic group. The generation becomes the epoch of the group and of each member, the assignments
    /// become the target. The next member that joins raises the epoch, so that all others join again.
    pub(crate) fn upgraded(
        group_id: &Str,
        classic: &ClassicGroup,
        context: &ConsumerGroupContext,
        catalogue: &impl Catalogue,
    ) -> Result<GroupUpdate, Refusal> {
        let mut update = GroupUpdate::of(&Self::new(group_id.clone()));
        update.push(classic_record(group_id, None));
        let mut members = Vec::new();
        for member in classic.members() {
            let mut member = converted(classic, member, catalogue)?;
            // Two members may claim a partition if a rebalance was in progress.
            for (topic, number) in update.group.held_by_others(&member.id) {
                let claim = Assignment::from([(topic, [number].into())]);
                member.assigned = difference(&member.assigned, &claim);
            }
            let record = update.group.member_record(&member);
            update.push(record);
            update
                .group
                .members
                .insert(member.id.clone(), member.clone());
            members.push(member);
        }
        let hash = update.group.subscription_hash(catalogue);
        let record = update.group.epoch_record(classic.generation(), hash);
        update.push(record);
        for member in &members {
            let record = update.group.target_record(&member.id, &member.assigned);
            update.push(record);
        }
        let record = update.group.target_epoch_record(context.now.wall_ms);
        update.push(record);
        for member in members {
            let record = update.group.current_record(&member);
            update.push(record);
            let now = context.now.monotonic;
            let timers = Timers {
                session: now.saturating_add(member.session_timeout(context.session_timeout)),
                step: None,
            };
            update.group.timers.insert(member.id, timers);
        }
        Ok(update)
    }
}

fn converted(
    group: &ClassicGroup,
    member: &ClassicMember,
    catalogue: &impl Catalogue,
) -> Result<Member, Refusal> {
    let malformed = |_| {
        let message = "the group has members whose subscriptions cannot be decoded, so it stays a classic group";
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
