//! The record of a classic group: writing and loading.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::group_metadata_value::MemberMetadata;
use headwater_protocol::{ErrorCode, GroupMetadataValue, Str};

use super::member::MemberPhase;
use super::{ClassicGroup, Effects, GroupContext, Member, PendingWrite, Protocol, State};
use crate::groups::context::IN_PROCESS_HOST;
use crate::memory::RequestMemory;

impl ClassicGroup {
    /// Completes the last transition, whose record was written or failed.
    pub(crate) fn record_written(
        &mut self,
        result: Result<(), ErrorCode>,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        match (self.pending_write.take(), result) {
            (Some(PendingWrite::Assignments(assignments)), Ok(())) => {
                self.distribute_assignments(assignments, context, effects);
            }
            (Some(PendingWrite::Assignments(_)), Err(code)) => {
                self.answer_syncs(code, context, effects);
                self.rebalance_or_complete(context, effects);
            }
            (Some(PendingWrite::Replacement(replacement)), Ok(())) => {
                self.replaced(&replacement, effects);
            }
            (Some(PendingWrite::Replacement(replacement)), Err(code)) => {
                self.undo_replacement(*replacement, code, context, effects);
            }
            // If a generation without members is not written, the previous one is loaded after a restart, and its
            // members expire.
            (Some(PendingWrite::EmptyGeneration) | None, _) => {}
        }
    }

    /// The record of the group: with these assignments, or with the members' current ones.
    pub(in crate::groups) fn record(
        &self,
        assignments: Option<&BTreeMap<Str, Bytes>>,
    ) -> GroupMetadataValue {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let assignment_of = |member: &Member| match assignments {
            Some(given) => given.get(&member.id).cloned().unwrap_or_default(),
            None => member.assignment.clone(),
        };
        let member = |member: &Member| MemberMetadata {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: milliseconds(member.rebalance_timeout),
            session_timeout: milliseconds(member.session_timeout),
            subscription: member.metadata(protocol).cloned().unwrap_or_default(),
            assignment: assignment_of(member),
            ..MemberMetadata::default()
        };
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_since_ms.unwrap_or(-1),
            members: self.members.values().map(member).collect(),
            ..GroupMetadataValue::default()
        }
    }

    /// Reserves memory for the metadata of loaded members.
    pub(crate) fn reserve_for_loaded_members(&mut self, memory: &Arc<RequestMemory>) {
        for member in self.members.values_mut() {
            let sizes = member.protocols.iter();
            let bytes = sizes
                .map(|protocol| protocol.name.len() + protocol.metadata.len())
                .sum();
            member.memory = Some(Arc::new(memory.reserve_for_loaded_members(bytes)));
        }
    }

    /// Loads a group from its record. Each member gets a new session, except members in the process that wrote the
    /// record: they ended with it.
    pub(crate) fn from_record(value: GroupMetadataValue, context: &GroupContext) -> Self {
        let mut group = Self::new();
        let protocol = value.protocol.clone().unwrap_or_default();
        for record_written in value.members {
            let mut member = Member {
                id: record_written.member_id,
                instance_id: record_written.group_instance_id,
                client_id: record_written.client_id,
                client_host: record_written.client_host,
                rebalance_timeout: duration(record_written.rebalance_timeout).unwrap_or_else(
                    || duration(record_written.session_timeout).unwrap_or_default(),
                ),
                session_timeout: duration(record_written.session_timeout).unwrap_or_default(),
                protocols: vec![Protocol {
                    name: protocol.clone(),
                    metadata: record_written.subscription,
                }],
                memory: None,
                assignment: record_written.assignment,
                phase: MemberPhase::Established,
                session_deadline: None,
                join: None,
                sync: None,
            };
            member.touch(context);
            if member.client_host == IN_PROCESS_HOST {
                member.session_deadline = Some(context.now.monotonic);
            }
            if let Some(instance_id) = &member.instance_id {
                group
                    .static_members
                    .insert(instance_id.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group.generation = value.generation;
        group.protocol_type = Some(value.protocol_type).filter(|kind| !kind.is_empty());
        group.protocol = value.protocol;
        group.leader = value.leader;
        group.state_since_ms = Some(value.current_state_timestamp).filter(|since| *since >= 0);
        group.subscribed_topics = group.subscription();
        group
    }
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

pub(super) fn duration(milliseconds: i32) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}
