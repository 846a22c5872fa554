//! What a group leaves in the log, and how it comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::group_metadata_value::MemberMetadata;
use headwater_protocol::{ErrorCode, GroupMetadataValue, Str};

use super::member::Standing;
use super::{ClassicGroup, Facts, Member, Outbox, Protocol, State, Unstored};
use crate::groups::IN_PROCESS_HOST;
use crate::memory::Memory;

impl ClassicGroup {
    /// Tells how the writing of the record went that the last transition wanted.
    pub(crate) fn stored(
        &mut self,
        result: Result<(), ErrorCode>,
        facts: &Facts,
        out: &mut Outbox,
    ) {
        match (self.unstored.take(), result) {
            (Some(Unstored::Assignments(assignments)), Ok(())) => {
                self.hand_out(assignments, facts, out);
            }
            (Some(Unstored::Assignments(_)), Err(code)) => {
                self.answer_syncs(code, facts, out);
                self.rebalance_or_complete(facts, out);
            }
            (Some(Unstored::Replacement(replacement)), Ok(())) => self.replaced(&replacement, out),
            (Some(Unstored::Replacement(replacement)), Err(code)) => {
                self.take_back(*replacement, code, facts, out);
            }
            // A generation without members that is not written comes back as the one before, whose members then time out.
            (Some(Unstored::EmptyGeneration) | None, _) => {}
        }
    }

    /// The group as it is written: with these assignments, or with those that its members have.
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

    /// Counts what members say who joined before a restart.
    pub(crate) fn count_loaded_members(&mut self, memory: &Arc<Memory>) {
        for member in self.members.values_mut() {
            let sizes = member.protocols.iter();
            let bytes = sizes
                .map(|protocol| protocol.name.len() + protocol.metadata.len())
                .sum();
            member.memory = Some(Arc::new(memory.hold_for_loaded_members(bytes)));
        }
    }

    /// The group that was written. All members have a new session from now on, but those of the process that wrote it: its end was theirs.
    pub(crate) fn from_record(value: GroupMetadataValue, facts: &Facts) -> Self {
        let mut group = Self::new();
        let protocol = value.protocol.clone().unwrap_or_default();
        for stored in value.members {
            let mut member = Member {
                id: stored.member_id,
                instance_id: stored.group_instance_id,
                client_id: stored.client_id,
                client_host: stored.client_host,
                rebalance_timeout: duration(stored.rebalance_timeout)
                    .unwrap_or_else(|| duration(stored.session_timeout).unwrap_or_default()),
                session_timeout: duration(stored.session_timeout).unwrap_or_default(),
                protocols: vec![Protocol {
                    name: protocol.clone(),
                    metadata: stored.subscription,
                }],
                memory: None,
                assignment: stored.assignment,
                standing: Standing::Established,
                session_deadline: None,
                join: None,
                sync: None,
            };
            member.touch(facts);
            if member.client_host == IN_PROCESS_HOST {
                member.session_deadline = Some(facts.now.monotonic);
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
