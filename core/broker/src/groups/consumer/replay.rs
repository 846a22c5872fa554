//! Conversion between a group and its records.

use std::collections::BTreeSet;
use std::time::Duration;

use headwater_protocol::consumer_group_current_member_assignment_value as current;
use headwater_protocol::consumer_group_member_metadata_value::{
    ClassicMemberMetadata, ClassicProtocol,
};
use headwater_protocol::consumer_group_target_assignment_member_value as target;
use headwater_protocol::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue,
    ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey,
    ConsumerGroupMetadataValue, ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue, ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue, Str,
};

use super::member::ClassicProtocols;
use super::subscription::ResolvedRegex;
use super::{Assignment, ConsumerGroup, Member, MemberState, Timers};
use crate::groups::classic::Protocol;
use crate::groups::context::IN_PROCESS_HOST;
use crate::groups::record::GroupRecord;

impl ConsumerGroup {
    /// Applies one record of this group. Records of classic groups are ignored.
    pub(crate) fn replay(&mut self, record: GroupRecord) {
        match record {
            GroupRecord::ConsumerGroupMetadata(_, Some(value)) => {
                self.epoch = value.epoch;
                self.metadata_hash = value.metadata_hash;
            }
            GroupRecord::ConsumerGroupMetadata(_, None) => *self = Self::new(self.id.clone()),
            GroupRecord::ConsumerGroupMemberMetadata(key, value) => {
                self.replay_member(key.member_id, value);
            }
            GroupRecord::ConsumerGroupTargetAssignmentMetadata(_, value) => {
                self.target_epoch = value.map_or(0, |value| value.assignment_epoch);
            }
            GroupRecord::ConsumerGroupTargetAssignmentMember(key, value) => match value {
                Some(value) => {
                    let topics = value.topic_partitions.into_iter();
                    let target = topics.map(|topic| (topic.topic_id, topic.partitions));
                    self.target.insert(key.member_id, assignment(target));
                }
                None => {
                    self.target.remove(&key.member_id);
                }
            },
            GroupRecord::ConsumerGroupCurrentMemberAssignment(key, value) => {
                self.replay_current(key.member_id, value);
            }
            GroupRecord::ConsumerGroupRegularExpression(key, value) => {
                let topics = value.map(|value| ResolvedRegex {
                    topics: value.topics.into_iter().collect(),
                });
                match topics {
                    Some(topics) => self.regexes.insert(key.regular_expression, topics),
                    None => self.regexes.remove(&key.regular_expression),
                };
            }
            GroupRecord::OffsetCommit(..) | GroupRecord::GroupMetadata(..) => {}
        }
    }

    fn replay_member(&mut self, id: Str, value: Option<ConsumerGroupMemberMetadataValue>) {
        let Some(value) = value else {
            self.members.remove(&id);
            self.timers.remove(&id);
            return;
        };
        let member = self
            .members
            .entry(id.clone())
            .or_insert_with(|| Member::new(id));
        member.instance_id = value.instance_id;
        member.rack_id = value.rack_id;
        member.client_id = value.client_id;
        member.client_host = value.client_host;
        member.topics = value.subscribed_topic_names.into_iter().collect();
        member.regex = value
            .subscribed_topic_regex
            .filter(|regex| !regex.is_empty());
        member.rebalance_timeout_ms = value.rebalance_timeout_ms;
        member.assignor = value.server_assignor;
        // Absent and empty mean the same: earlier versions wrote nothing for members of the consumer protocol.
        let classic = value.classic_member_metadata;
        let classic = classic.filter(|classic| !classic.supported_protocols.is_empty());
        member.classic = classic.map(|classic| ClassicProtocols {
            session_timeout_ms: classic.session_timeout_ms,
            protocols: classic
                .supported_protocols
                .into_iter()
                .map(|protocol| Protocol {
                    name: protocol.name,
                    metadata: protocol.metadata,
                })
                .collect(),
        });
    }

    fn replay_current(
        &mut self,
        id: Str,
        value: Option<ConsumerGroupCurrentMemberAssignmentValue>,
    ) {
        let value = match value {
            Some(value) => value,
            // The tombstones of a member come in any order; the member may be removed already.
            None if !self.members.contains_key(&id) => return,
            None => ConsumerGroupCurrentMemberAssignmentValue::default(),
        };
        let member = self
            .members
            .entry(id.clone())
            .or_insert_with(|| Member::new(id));
        let of = |topics: Vec<current::TopicPartitions>| {
            assignment(
                topics
                    .into_iter()
                    .map(|topic| (topic.topic_id, topic.partitions)),
            )
        };
        member.epoch = value.member_epoch;
        member.previous_epoch = value.previous_member_epoch;
        member.state = MemberState::from_number(value.state);
        member.assigned = of(value.assigned_partitions);
        member.revoking = of(value.partitions_pending_revocation);
    }

    /// Completes the replay. Each member gets a new session, except members in the process that wrote the records: they
    /// ended with it.
    pub(crate) fn finish_replay(&mut self, now: Duration, session_timeout: Duration) {
        for member in self.members.values() {
            let revokes =
                member.classic.is_none() && member.state == MemberState::UnrevokedPartitions;
            let session_timeout = if member.client_host == IN_PROCESS_HOST {
                Duration::ZERO
            } else {
                member.session_timeout(session_timeout)
            };
            let timers = Timers {
                session: now.saturating_add(session_timeout),
                step: revokes.then(|| now.saturating_add(member.rebalance_timeout())),
            };
            self.timers.insert(member.id.clone(), timers);
        }
    }

    pub(super) fn epoch_record(&self, epoch: i32, metadata_hash: i64) -> GroupRecord {
        let value = ConsumerGroupMetadataValue {
            epoch,
            metadata_hash,
            ..ConsumerGroupMetadataValue::default()
        };
        GroupRecord::ConsumerGroupMetadata(self.key(), Some(value))
    }

    pub(super) fn member_record(&self, member: &Member) -> GroupRecord {
        let value = ConsumerGroupMemberMetadataValue {
            instance_id: member.instance_id.clone(),
            rack_id: member.rack_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            subscribed_topic_names: member.topics.iter().cloned().collect(),
            subscribed_topic_regex: Some(member.regex.clone().unwrap_or_default()),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            server_assignor: member.assignor.clone(),
            classic_member_metadata: member.classic.as_ref().map(classic_metadata),
            ..ConsumerGroupMemberMetadataValue::default()
        };
        let key = ConsumerGroupMemberMetadataKey {
            group_id: self.id.clone(),
            member_id: member.id.clone(),
        };
        GroupRecord::ConsumerGroupMemberMetadata(key, Some(value))
    }

    pub(super) fn target_record(&self, member_id: &Str, target: &Assignment) -> GroupRecord {
        let topics = target
            .iter()
            .map(|(topic_id, partitions)| target::TopicPartition {
                topic_id: *topic_id,
                partitions: partitions.iter().copied().collect(),
                ..target::TopicPartition::default()
            });
        let value = ConsumerGroupTargetAssignmentMemberValue {
            topic_partitions: topics.collect(),
            ..ConsumerGroupTargetAssignmentMemberValue::default()
        };
        let key = self.target_key(member_id);
        GroupRecord::ConsumerGroupTargetAssignmentMember(key, Some(value))
    }

    pub(super) fn target_epoch_record(&self, now_ms: i64) -> GroupRecord {
        let value = ConsumerGroupTargetAssignmentMetadataValue {
            assignment_epoch: self.epoch,
            assignment_timestamp: now_ms,
            ..ConsumerGroupTargetAssignmentMetadataValue::default()
        };
        GroupRecord::ConsumerGroupTargetAssignmentMetadata(self.target_epoch_key(), Some(value))
    }

    pub(super) fn current_record(&self, member: &Member) -> GroupRecord {
        let of = |assignment: &Assignment| {
            let topics = assignment
                .iter()
                .map(|(topic_id, partitions)| current::TopicPartitions {
                    topic_id: *topic_id,
                    partitions: partitions.iter().copied().collect(),
                    ..current::TopicPartitions::default()
                });
            topics.collect()
        };
        let value = ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: member.epoch,
            previous_member_epoch: member.previous_epoch,
            state: member.state as i8,
            assigned_partitions: of(&member.assigned),
            partitions_pending_revocation: of(&member.revoking),
            ..ConsumerGroupCurrentMemberAssignmentValue::default()
        };
        let key = self.current_key(&member.id);
        GroupRecord::ConsumerGroupCurrentMemberAssignment(key, Some(value))
    }

    pub(super) fn regex_record(
        &self,
        regex: &Str,
        resolved: Option<(&BTreeSet<Str>, i64, i64)>,
    ) -> GroupRecord {
        let value =
            resolved.map(
                |(topics, version, timestamp)| ConsumerGroupRegularExpressionValue {
                    topics: topics.iter().cloned().collect(),
                    version,
                    timestamp,
                    ..ConsumerGroupRegularExpressionValue::default()
                },
            );
        let key = ConsumerGroupRegularExpressionKey {
            group_id: self.id.clone(),
            regular_expression: regex.clone(),
        };
        GroupRecord::ConsumerGroupRegularExpression(key, value)
    }

    /// The tombstones of a member.
    pub(super) fn member_tombstones(&self, member_id: &Str) -> [GroupRecord; 3] {
        let key = ConsumerGroupMemberMetadataKey {
            group_id: self.id.clone(),
            member_id: member_id.clone(),
        };
        [
            GroupRecord::ConsumerGroupCurrentMemberAssignment(self.current_key(member_id), None),
            GroupRecord::ConsumerGroupTargetAssignmentMember(self.target_key(member_id), None),
            GroupRecord::ConsumerGroupMemberMetadata(key, None),
        ]
    }

    /// The tombstones of a group without members.
    pub(crate) fn tombstones(&self) -> Vec<GroupRecord> {
        let members = self.members.keys().chain(self.target.keys());
        let members: BTreeSet<&Str> = members.collect();
        let mut records: Vec<_> = members
            .into_iter()
            .flat_map(|id| self.member_tombstones(id))
            .collect();
        records.extend(
            self.regexes
                .keys()
                .map(|regex| self.regex_record(regex, None)),
        );
        let key = self.target_epoch_key();
        records.push(GroupRecord::ConsumerGroupTargetAssignmentMetadata(
            key, None,
        ));
        records.push(GroupRecord::ConsumerGroupMetadata(self.key(), None));
        records
    }

    fn key(&self) -> ConsumerGroupMetadataKey {
        ConsumerGroupMetadataKey {
            group_id: self.id.clone(),
        }
    }

    fn target_epoch_key(&self) -> ConsumerGroupTargetAssignmentMetadataKey {
        ConsumerGroupTargetAssignmentMetadataKey {
            group_id: self.id.clone(),
        }
    }

    fn target_key(&self, member_id: &Str) -> ConsumerGroupTargetAssignmentMemberKey {
        ConsumerGroupTargetAssignmentMemberKey {
            group_id: self.id.clone(),
            member_id: member_id.clone(),
        }
    }

    fn current_key(&self, member_id: &Str) -> ConsumerGroupCurrentMemberAssignmentKey {
        ConsumerGroupCurrentMemberAssignmentKey {
            group_id: self.id.clone(),
            member_id: member_id.clone(),
        }
    }
}

fn classic_metadata(classic: &ClassicProtocols) -> ClassicMemberMetadata {
    let protocols = classic.protocols.iter().map(|protocol| ClassicProtocol {
        name: protocol.name.clone(),
        metadata: protocol.metadata.clone(),
        ..ClassicProtocol::default()
    });
    ClassicMemberMetadata {
        session_timeout_ms: classic.session_timeout_ms,
        supported_protocols: protocols.collect(),
        ..ClassicMemberMetadata::default()
    }
}

fn assignment(topics: impl Iterator<Item = (uuid::Uuid, Vec<i32>)>) -> Assignment {
    topics
        .map(|(topic, partitions)| (topic, partitions.into_iter().collect()))
        .filter(|(_, partitions): &(_, BTreeSet<i32>)| !partitions.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka treats an absent field as the metadata of a classic member.
    #[test]
    fn a_member_of_the_consumer_protocol_is_written_without_classic_metadata() {
        let group = ConsumerGroup::new("g".into());
        let record = group.member_record(&Member::new("m".into()));
        let (key, value) = record.encode().unwrap();
        let read = GroupRecord::decode(key, value).unwrap();
        let Some(GroupRecord::ConsumerGroupMemberMetadata(_, Some(value))) = read else {
            panic!("expected the record of a member");
        };
        assert_eq!(value.classic_member_metadata, None);
    }
}
