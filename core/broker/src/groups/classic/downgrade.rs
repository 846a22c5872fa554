//! Migration of a consumer group to a classic group (KIP-848), and the end of a classic group that becomes a consumer
//! group.

use std::time::Duration;

use headwater_protocol::ErrorCode;

use super::member::MemberPhase;
use super::persistence::duration;
use super::{CONSUMER, ClassicGroup, Effects, GroupContext, Member, State};
use crate::groups::consumer::{
    Assignment, Catalogue, ConsumerGroup, Member as ConsumerMember, assignment_bytes,
};

impl ClassicGroup {
    /// Converts a consumer group whose members all use the classic protocol. The target assignment becomes the members'
    /// assignment. The generation is the group epoch, so members can commit before they join again.
    pub(crate) fn downgraded(
        consumer: &ConsumerGroup,
        generation: i32,
        context: &GroupContext,
        catalogue: &impl Catalogue,
    ) -> Self {
        let mut group = Self::new();
        for member in consumer.members() {
            let member = converted(member, context);
            group.leader.get_or_insert_with(|| member.id.clone());
            if let Some(instance_id) = &member.instance_id {
                group
                    .static_members
                    .insert(instance_id.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        group.protocol_type = Some(CONSUMER.into());
        group.generation = generation;
        group.protocol = group.elected_protocol();
        group.subscribed_topics = group.subscription();
        group.enter(State::Stable, context);
        let (nothing, protocol) = (Assignment::new(), group.protocol.clone());
        for member in group.members.values_mut() {
            let metadata = member.metadata(protocol.as_deref().unwrap_or_default());
            let metadata = metadata.cloned().unwrap_or_default();
            let target = consumer.target_of(&member.id).unwrap_or(&nothing);
            member.assignment = assignment_bytes(target, &metadata, catalogue);
        }
        group
    }

    /// Fails all pending joins and syncs with `REBALANCE_IN_PROGRESS`.
    pub(crate) fn refuse_waiting(&self, effects: &mut Effects) {
        for member in self.members.values() {
            if let Some(request_id) = member.join {
                effects.refuse_join(
                    request_id,
                    member.id.clone(),
                    ErrorCode::RebalanceInProgress,
                );
            }
            if let Some(request_id) = member.sync {
                effects.refuse_sync(request_id, ErrorCode::RebalanceInProgress);
            }
        }
    }
}

fn converted(member: &ConsumerMember, context: &GroupContext) -> Member {
    let classic = member.classic.as_ref();
    let session_timeout = classic.and_then(|classic| duration(classic.session_timeout_ms));
    let mut member = Member {
        id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout: duration(member.rebalance_timeout_ms).unwrap_or(Duration::ZERO),
        session_timeout: session_timeout.unwrap_or_default(),
        protocols: classic.map_or_else(Vec::new, |classic| classic.protocols.clone()),
        memory: None,
        assignment: bytes::Bytes::new(),
        phase: MemberPhase::Established,
        session_deadline: None,
        join: None,
        sync: None,
    };
    member.touch(context);
    member
}
