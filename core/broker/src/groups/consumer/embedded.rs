//! The consumer protocol inside classic requests: subscriptions and assignments by topic name.

use std::collections::BTreeSet;

use bytes::Bytes;
use headwater_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, DecodeError, Message, Str,
    consumer_protocol_assignment,
};

use super::{Assignment, Catalogue};
use crate::groups::detached::detached;

/// The subscription of a classic member.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    pub(super) topics: BTreeSet<Str>,
    pub(super) owned: Assignment,
    pub(super) rack_id: Option<Str>,
}

/// Decodes a subscription. Partitions of unknown topics are left out.
pub(super) fn subscription(
    metadata: &Bytes,
    catalogue: &impl Catalogue,
) -> Result<Subscription, DecodeError> {
    let (read, _) = ConsumerProtocolSubscription::from_versioned_bytes(metadata.clone())?;
    let owned = read.owned_partitions.iter();
    Ok(Subscription {
        topics: read.topics.iter().map(|topic| detached(topic)).collect(),
        owned: by_id(
            owned.map(|topic| (&topic.topic, &*topic.partitions)),
            catalogue,
        ),
        rack_id: read.rack_id.as_deref().map(detached),
    })
}

/// Decodes an assignment. Empty bytes are an empty assignment; partitions of unknown topics are left out.
pub(super) fn assignment(
    bytes: &Bytes,
    catalogue: &impl Catalogue,
) -> Result<Assignment, DecodeError> {
    if bytes.is_empty() {
        return Ok(Assignment::new());
    }
    let (read, _) = ConsumerProtocolAssignment::from_versioned_bytes(bytes.clone())?;
    let topics = read.assigned_partitions.iter();
    Ok(by_id(
        topics.map(|topic| (&topic.topic, &*topic.partitions)),
        catalogue,
    ))
}

/// Encodes an assignment in the version of the subscription `metadata`.
pub(in crate::groups) fn assignment_bytes(
    assigned: &Assignment,
    metadata: &Bytes,
    catalogue: &impl Catalogue,
) -> Bytes {
    let topics = assigned.iter().filter_map(|(id, partitions)| {
        Some(consumer_protocol_assignment::TopicPartition {
            topic: catalogue.name(*id)?,
            partitions: partitions.iter().copied().collect(),
        })
    });
    let assignment = ConsumerProtocolAssignment {
        assigned_partitions: topics.collect(),
        user_data: None,
    };
    let version = metadata
        .first_chunk()
        .map_or(0, |first| i16::from_be_bytes(*first));
    let versions = ConsumerProtocolAssignment::VERSIONS;
    let version = version.clamp(versions.lowest, versions.highest);
    assignment
        .to_versioned_bytes(version)
        .expect("names and partitions of existing topics can be written")
}

fn by_id<'a>(
    topics: impl Iterator<Item = (&'a Str, &'a [i32])>,
    catalogue: &impl Catalogue,
) -> Assignment {
    let mut assignment = Assignment::new();
    for (name, partitions) in topics {
        if let Some((id, _)) = catalogue.topic(name)
            && !partitions.is_empty()
        {
            assignment.entry(id).or_default().extend(partitions);
        }
    }
    assignment
}
