//! The committed offsets of one group.

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use crate::controller::Controller;
use crate::groups::Groups;
use crate::groups::committed::{CommittedOffset, CommittedOffsets};
use crate::groups::group::Group;

/// The response for one group.
pub(super) fn group<E: Env>(
    controller: &Controller<E>,
    groups: &Groups<E>,
    request: OffsetFetchRequestGroup,
) -> OffsetFetchResponseGroup {
    let (code, topics) = match topics(&controller.image(), groups, &request) {
        Ok(topics) => (ErrorCode::None, topics),
        Err(code) => (code, failed(&request)),
    };
    OffsetFetchResponseGroup {
        group_id: request.group_id,
        topics,
        error_code: code.code(),
        ..OffsetFetchResponseGroup::default()
    }
}

fn topics<E: Env>(
    image: &Image,
    groups: &Groups<E>,
    request: &OffsetFetchRequestGroup,
) -> Result<Vec<OffsetFetchResponseTopics>, ErrorCode> {
    let coordinator = groups.coordinator_of(&request.group_id)?;
    let nothing = CommittedOffsets::default();
    let entry = coordinator.shard().get(&request.group_id);
    if let Some(Group::Consumer(group)) = entry.map(|entry| &entry.group) {
        group.check_fetch(request.member_id.as_deref(), request.member_epoch)?;
    }
    let offsets = entry.map_or(&nothing, |entry| &entry.offsets);
    Ok(match &request.topics {
        Some(wanted) => wanted
            .iter()
            .map(|topic| named(image, offsets, topic))
            .collect(),
        None => all(image, offsets),
    })
}

fn all(image: &Image, offsets: &CommittedOffsets) -> Vec<OffsetFetchResponseTopics> {
    let topics = offsets.topics().map(|(name, partitions)| {
        let id = image.topic(name).map_or(Uuid::nil(), |topic| topic.id);
        let valid = partitions
            .iter()
            .filter(|(_, offset)| is_of_topic(offset, id));
        OffsetFetchResponseTopics {
            name: name.clone(),
            topic_id: id,
            partitions: valid
                .map(|(index, offset)| partition(*index, Some(offset), ErrorCode::None))
                .collect(),
            ..OffsetFetchResponseTopics::default()
        }
    });
    topics
        .filter(|topic| !topic.partitions.is_empty())
        .collect()
}

/// One topic of the request, by name or by id.
fn named(
    image: &Image,
    offsets: &CommittedOffsets,
    wanted: &OffsetFetchRequestTopics,
) -> OffsetFetchResponseTopics {
    let topic = if wanted.topic_id.is_nil() {
        image.topic(&wanted.name)
    } else {
        image.topic_by_id(wanted.topic_id)
    };
    let unknown = topic.is_none() && !wanted.topic_id.is_nil();
    let id = topic.map_or(Uuid::nil(), |topic| topic.id);
    let name = topic.map_or_else(|| wanted.name.clone(), |topic| Str::from(&*topic.name));
    let of = |index: &i32| {
        if unknown {
            return partition(*index, None, ErrorCode::UnknownTopicId);
        }
        let offset = offsets.get(&name, *index);
        let offset = offset.filter(|offset| is_of_topic(offset, id));
        partition(*index, offset, ErrorCode::None)
    };
    OffsetFetchResponseTopics {
        partitions: wanted.partition_indexes.iter().map(of).collect(),
        topic_id: wanted.topic_id,
        name,
        ..OffsetFetchResponseTopics::default()
    }
}

/// Whether an offset was committed for the topic with this id; nil means unknown.
fn is_of_topic(offset: &CommittedOffset, id: Uuid) -> bool {
    offset.topic_id.is_nil() || id.is_nil() || offset.topic_id == id
}

fn failed(request: &OffsetFetchRequestGroup) -> Vec<OffsetFetchResponseTopics> {
    let topic = |topic: &OffsetFetchRequestTopics| OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partition_indexes
            .iter()
            .map(|index| partition(*index, None, ErrorCode::None))
            .collect(),
        ..OffsetFetchResponseTopics::default()
    };
    request.topics.iter().flatten().map(topic).collect()
}

fn partition(
    partition_index: i32,
    offset: Option<&CommittedOffset>,
    code: ErrorCode,
) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: offset.map_or(-1, |offset| offset.offset),
        committed_leader_epoch: offset.map_or(-1, |offset| offset.leader_epoch),
        metadata: Some(offset.map_or_else(Str::new, |offset| offset.metadata.clone())),
        error_code: code.code(),
        ..OffsetFetchResponsePartitions::default()
    }
}
