//! Groups as an operator sees them: listed, described, their offsets read and reset, deleted.

use std::collections::BTreeMap;

use headwater_protocol::consumer_group_describe_response::{Assignment, DescribedGroup, Member};
use headwater_protocol::describe_groups_response::{
    DescribedGroup as DescribedClassicGroup, DescribedGroupMember,
};
use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_fetch_request::OffsetFetchRequestGroup;
use headwater_protocol::{
    ConsumerGroupDescribeRequest, ConsumerProtocolAssignment, DeleteGroupsRequest,
    DescribeGroupsRequest, ErrorCode, FindCoordinatorRequest, ListGroupsRequest, Message as _,
    OffsetCommitRequest, OffsetFetchRequest, Str,
};
use headwater_record::{Offset, PartitionId};

use crate::batch::TopicPartition;
use crate::client::Client;
use crate::error::Result;
use crate::error_codes;
use crate::list_offsets;
use crate::position::Position;
use crate::scan::IsolationLevel;
use crate::transport::Node;

/// `FindCoordinator` for a group.
const KEY_TYPE_GROUP: i8 = 0;
/// A commit by nobody in particular, which a group without members takes.
const NO_GENERATION: i32 = -1;

/// A line of the list of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub group_id: String,
    /// `classic` or `consumer`: how its members agree.
    pub group_type: String,
    /// What the group is for: `consumer`, or what its members say.
    pub protocol_type: String,
    /// Kafka's name of its state: `Stable`, `Empty`, ...
    pub state: String,
}

/// A group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// What the list says of it.
    pub info: GroupInfo,
    /// Who decides which member gets which partitions.
    pub assignor: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id within the group.
    pub member_id: String,
    /// The name that it keeps over restarts (`group.instance.id`).
    pub instance_id: Option<String>,
    /// The name of its client (`client.id`).
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What it has; nothing where the members' protocol is not a consumer's.
    pub assignment: Vec<TopicPartition>,
}

/// What a group has committed for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset to be processed.
    pub committed: Offset,
    /// The end of the partition; `None` if it is there no more.
    pub end: Option<Offset>,
    /// The text that was committed with it.
    pub metadata: String,
}

impl GroupOffset {
    /// How many offsets lie between the committed one and the end.
    pub fn lag(&self) -> Option<u64> {
        self.end
            .map(|end| u64::try_from(end - self.committed).unwrap_or(0))
    }
}

impl Client {
    /// Every group that the broker coordinates, by name.
    pub async fn list_groups(&self) -> Result<Vec<GroupInfo>> {
        self.retried(None, || async {
            let response = self.call(Node::Any, ListGroupsRequest::default()).await?;
            checked(response.error_code, "list groups")?;
            let mut groups: Vec<_> = response
                .groups
                .into_iter()
                .map(|group| GroupInfo {
                    group_id: group.group_id.to_string(),
                    group_type: group.group_type.to_string(),
                    protocol_type: group.protocol_type.to_string(),
                    state: group.group_state.to_string(),
                })
                .collect();
            groups.sort_unstable_by(|one, other| one.group_id.cmp(&other.group_id));
            Ok(groups)
        })
        .await
    }

    /// State and members of a group of either type.
    pub async fn describe_group(&self, group_id: &str) -> Result<GroupDescription> {
        self.retried(None, || async {
            let node = self.group_coordinator(group_id).await?;
            let request = ConsumerGroupDescribeRequest {
                group_ids: vec![Str::from(group_id)],
                ..Default::default()
            };
            let response = self.call(node, request).await?;
            let group = only(response.groups, "ConsumerGroupDescribe")?;
            let code = error_codes::code(group.error_code);
            if code == ErrorCode::GroupIdNotFound {
                return self.describe_classic_group(node, group_id).await;
            }
            checked(group.error_code, &doing("describe", group_id))?;
            Ok(described(group))
        })
        .await
    }

    async fn describe_classic_group(&self, node: Node, group_id: &str) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest {
            groups: vec![Str::from(group_id)],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let group = only(response.groups, "DescribeGroups")?;
        checked(group.error_code, &doing("describe", group_id))?;
        Ok(described_classic(group))
    }

    /// What a group has committed, by topic and partition, with the ends of the partitions. Empty for a group that there is not.
    pub async fn group_offsets(&self, group_id: &str) -> Result<Vec<GroupOffset>> {
        let committed = self
            .retried(None, || self.committed_offsets(group_id))
            .await?;
        let mut offsets = Vec::new();
        for (topic, partitions) in committed {
            let ids: Vec<_> = partitions.keys().copied().collect();
            let ends = self.ends(&topic, &ids).await?;
            offsets.extend(
                partitions
                    .into_iter()
                    .map(|(partition, (offset, metadata))| GroupOffset {
                        partition: TopicPartition::new(topic.as_str(), partition),
                        committed: offset,
                        end: ends.get(&partition).copied(),
                        metadata,
                    }),
            );
        }
        Ok(offsets)
    }

    async fn committed_offsets(&self, group_id: &str) -> Result<Committed> {
        let node = self.group_coordinator(group_id).await?;
        let group = OffsetFetchRequestGroup {
            group_id: Str::from(group_id),
            member_epoch: -1,
            topics: None,
            ..Default::default()
        };
        let request = OffsetFetchRequest {
            groups: vec![group],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let group = only(response.groups, "OffsetFetch")?;
        checked(group.error_code, &doing("read the offsets of", group_id))?;
        let mut committed = Committed::new();
        for topic in group.topics {
            let partitions = committed.entry(topic.name.to_string()).or_default();
            for found in topic.partitions {
                checked(found.error_code, &doing("read the offsets of", group_id))?;
                let metadata = found.metadata.as_deref().unwrap_or_default().to_owned();
                partitions.insert(
                    PartitionId::new(found.partition_index),
                    (Offset::new(found.committed_offset), metadata),
                );
            }
        }
        Ok(committed)
    }

    /// The ends of those of `partitions` that are there.
    async fn ends(
        &self,
        topic: &str,
        partitions: &[PartitionId],
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let metadata = match self.refresh_topic(topic).await {
            Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => {
                return Ok(BTreeMap::new());
            }
            metadata => metadata?,
        };
        let there: Vec<_> = metadata
            .partition_ids()
            .filter(|partition| partitions.contains(partition))
            .collect();
        let isolation = IsolationLevel::ReadCommitted;
        list_offsets::resolve(self, topic, &there, &Position::Latest, isolation).await
    }

    /// Commits `to` for all partitions of a topic, or for those that a position names, in the place of a group that has no members.
    /// Offsets outside the log become its start or its end. Returns what was committed.
    pub async fn reset_group_offsets(
        &self,
        group_id: &str,
        topic: &str,
        to: &Position,
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let offsets = self.offsets_to_reset(topic, to).await?;
        self.retried(None, || self.commit_for(group_id, topic, &offsets))
            .await?;
        Ok(offsets)
    }

    /// The offsets that [`Client::reset_group_offsets`] would commit.
    pub async fn offsets_to_reset(
        &self,
        topic: &str,
        to: &Position,
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let topic = self.topic(topic);
        let starts = topic.offsets(&Position::Earliest).await?;
        let ends = topic.offsets(&Position::Latest).await?;
        let wanted = topic.offsets(to).await?;
        let within = |(partition, offset): (PartitionId, Offset)| {
            let start = starts.get(&partition).copied().unwrap_or(offset);
            let end = ends.get(&partition).copied().unwrap_or(offset);
            (partition, offset.max(start).min(end))
        };
        Ok(wanted.into_iter().map(within).collect())
    }

    async fn commit_for(
        &self,
        group_id: &str,
        topic: &str,
        offsets: &BTreeMap<PartitionId, Offset>,
    ) -> Result<()> {
        let metadata = self.topic_metadata(topic).await?;
        let node = self.group_coordinator(group_id).await?;
        let partitions = offsets
            .iter()
            .map(|(partition, offset)| OffsetCommitRequestPartition {
                partition_index: partition.get(),
                committed_offset: offset.get(),
                committed_leader_epoch: -1,
                ..Default::default()
            });
        let topic = OffsetCommitRequestTopic {
            name: metadata.wire_name(),
            topic_id: metadata.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: Str::from(group_id),
            generation_id_or_member_epoch: NO_GENERATION,
            retention_time_ms: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let results = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        for result in results {
            checked(result.error_code, &doing("reset the offsets of", group_id))?;
        }
        Ok(())
    }

    /// Deletes a group that has no members, with its offsets.
    pub async fn delete_group(&self, group_id: &str) -> Result<()> {
        self.retried(None, || async {
            let node = self.group_coordinator(group_id).await?;
            let request = DeleteGroupsRequest {
                groups_names: vec![Str::from(group_id)],
                ..Default::default()
            };
            let response = self.call(node, request).await?;
            let result = only(response.results, "DeleteGroups")?;
            checked(result.error_code, &doing("delete", group_id))
        })
        .await
    }

    /// The broker that keeps the group.
    async fn group_coordinator(&self, group_id: &str) -> Result<Node> {
        let request = FindCoordinatorRequest {
            key_type: KEY_TYPE_GROUP,
            coordinator_keys: vec![Str::from(group_id)],
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let found = only(response.coordinators, "FindCoordinator")?;
        checked(
            found.error_code,
            &doing("find the coordinator of", group_id),
        )?;
        Ok(Node::Id(found.node_id))
    }
}

/// Offsets with their texts, by topic and partition.
type Committed = BTreeMap<String, BTreeMap<PartitionId, (Offset, String)>>;

fn only<T>(answers: Vec<T>, api: &str) -> Result<T> {
    answers
        .into_iter()
        .next()
        .ok_or_else(|| error_codes::no_answer(api))
}

fn doing(what: &str, group_id: &str) -> String {
    format!("{what} group \"{group_id}\"")
}

fn checked(wire: i16, doing: &str) -> Result<()> {
    match error_codes::code(wire) {
        ErrorCode::None => Ok(()),
        code => Err(error_codes::error(code, told(code), doing)),
    }
}

/// What a code means to an operator, where Kafka's own words are for members.
fn told(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NonEmptyGroup | ErrorCode::UnknownMemberId => {
            Some("it has members: stop them first")
        }
        ErrorCode::GroupIdNotFound => Some("there is no such group: list them to see their names"),
        _ => None,
    }
}

fn described(group: DescribedGroup) -> GroupDescription {
    GroupDescription {
        info: GroupInfo {
            group_id: group.group_id.to_string(),
            group_type: "consumer".to_owned(),
            protocol_type: "consumer".to_owned(),
            state: group.group_state.to_string(),
        },
        assignor: group.assignor_name.to_string(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn member(member: Member) -> GroupMember {
    GroupMember {
        member_id: member.member_id.to_string(),
        instance_id: member.instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        assignment: assigned(&member.assignment),
    }
}

fn assigned(assignment: &Assignment) -> Vec<TopicPartition> {
    let topics = assignment.topic_partitions.iter();
    topics
        .flat_map(|topic| {
            let partition = |id: &i32| TopicPartition::new(&*topic.topic_name, *id);
            topic.partitions.iter().map(partition)
        })
        .collect()
}

fn described_classic(group: DescribedClassicGroup) -> GroupDescription {
    GroupDescription {
        info: GroupInfo {
            group_id: group.group_id.to_string(),
            group_type: "classic".to_owned(),
            protocol_type: group.protocol_type.to_string(),
            state: group.group_state.to_string(),
        },
        assignor: group.protocol_data.to_string(),
        members: group.members.into_iter().map(classic_member).collect(),
    }
}

fn classic_member(member: DescribedGroupMember) -> GroupMember {
    GroupMember {
        member_id: member.member_id.to_string(),
        instance_id: member.group_instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        assignment: classic_assignment(member.member_assignment).unwrap_or_default(),
    }
}

/// What consumers agreed on: a version, then the message in it. `None` for what other programs write there.
fn classic_assignment(bytes: bytes::Bytes) -> Option<Vec<TopicPartition>> {
    let (assignment, _) = ConsumerProtocolAssignment::from_versioned_bytes(bytes).ok()?;
    let topics = assignment.assigned_partitions.iter();
    let partitions = topics.flat_map(|topic| {
        let partition = |id: &i32| TopicPartition::new(&*topic.topic, *id);
        topic.partitions.iter().map(partition)
    });
    Some(partitions.collect())
}
