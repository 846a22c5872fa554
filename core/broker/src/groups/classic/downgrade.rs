//! The two ends of a change of the protocol: a classic group that becomes a consumer group, and one that was a consumer group (KIP-848).

use std::time::Duration;

use headwater_protocol::ErrorCode;

use super::member::Standing;
use super::stored::duration;
use super::{CONSUMER, ClassicGroup, Facts, Member, Outbox, State};
use crate::groups::consumer::{
    Assignment, Catalogue, ConsumerGroup, Member as ConsumerMember, assignment_bytes,
};

impl ClassicGroup {
    /// The consumer group, all members of which use the classic protocol, as a classic group. The target becomes what the members have.
    /// `generation` is the epoch that the group had, so that members can commit before they join again.
    pub(crate) fn downgraded(
        consumer: &ConsumerGroup,
        generation: i32,
        facts: &Facts,
        catalogue: &impl Catalogue,
    ) -> Self {
        let mut group = Self::new();
        for member in consumer.members() {
            let member = converted(member, facts);
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
        group.enter(State::Stable, facts);
        let (nothing, protocol) = (Assignment::new(), group.protocol.clone());
        for member in group.members.values_mut() {
            let metadata = member.metadata(protocol.as_deref().unwrap_or_default());
            let metadata = metadata.cloned().unwrap_or_default();
            let target = consumer.target_of(&member.id).unwrap_or(&nothing);
            member.assignment = assignment_bytes(target, &metadata, catalogue);
        }
        group
    }

    /// Tells everybody who waits for an answer that a rebalance has begun.
    pub(crate) fn refuse_waiting(&self, out: &mut Outbox) {
        for member in self.members.values() {
            if let Some(ticket) = member.join {
                out.refuse_join(ticket, member.id.clone(), ErrorCode::RebalanceInProgress);
            }
            if let Some(ticket) = member.sync {
                out.refuse_sync(ticket, ErrorCode::RebalanceInProgress);
            }
        }
    }
}

fn converted(member: &ConsumerMember, facts: &Facts) -> Member {
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
        standing: Standing::Established,
        session_deadline: None,
        join: None,
        sync: None,
    };
    member.touch(facts);
    member
}
