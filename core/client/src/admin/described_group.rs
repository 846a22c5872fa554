//! Converts descriptions of classic and consumer groups into [`GroupDescription`]s.

use headwater_protocol::consumer_group_describe_response::{Assignment, DescribedGroup, Member};
use headwater_protocol::describe_groups_response::{
    DescribedGroup as DescribedClassicGroup, DescribedGroupMember,
};
use headwater_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, Message as _};

use super::groups::{GroupDescription, GroupInfo, GroupMember};
use crate::batch::TopicPartition;

pub(super) fn described(group: &DescribedGroup) -> GroupDescription {
    GroupDescription {
        info: GroupInfo {
            group_id: group.group_id.to_string(),
            group_type: "consumer".to_owned(),
            protocol_type: "consumer".to_owned(),
            state: group.group_state.to_string(),
        },
        assignor: group.assignor_name.to_string(),
        members: group.members.iter().map(member).collect(),
    }
}

fn member(member: &Member) -> GroupMember {
    GroupMember {
        member_id: member.member_id.to_string(),
        instance_id: member.instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        topics: member
            .subscribed_topic_names
            .iter()
            .map(ToString::to_string)
            .collect(),
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

pub(super) fn described_classic(group: DescribedClassicGroup) -> GroupDescription {
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
        topics: classic_topics(member.member_metadata).unwrap_or_default(),
        assignment: classic_assignment(member.member_assignment).unwrap_or_default(),
    }
}

/// Decodes a member's `ConsumerProtocolSubscription`. `None` for other protocol types.
fn classic_topics(bytes: bytes::Bytes) -> Option<Vec<String>> {
    let (subscription, _) = ConsumerProtocolSubscription::from_versioned_bytes(bytes).ok()?;
    Some(
        subscription
            .topics
            .iter()
            .map(ToString::to_string)
            .collect(),
    )
}

/// Decodes a member's `ConsumerProtocolAssignment`. `None` for other protocol types.
fn classic_assignment(bytes: bytes::Bytes) -> Option<Vec<TopicPartition>> {
    let (assignment, _) = ConsumerProtocolAssignment::from_versioned_bytes(bytes).ok()?;
    let topics = assignment.assigned_partitions.iter();
    let partitions = topics.flat_map(|topic| {
        let partition = |id: &i32| TopicPartition::new(&*topic.topic, *id);
        topic.partitions.iter().map(partition)
    });
    Some(partitions.collect())
}
