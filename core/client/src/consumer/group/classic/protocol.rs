//! Encodes and decodes `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`, which members exchange through
//! the coordinator.
//!
//! With the `sticky` assignor, the subscription's user data lists the partitions of the member's previous assignment:
//! `[topic: string, [partition: int32]], generation: int32`, as Kafka's `StickyAssignor` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use headwater_protocol::join_group_response::JoinGroupResponseMember;
use headwater_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, DecodeError, Decoder, EncodeError,
    Encoder, Message, Str, consumer_protocol_assignment, consumer_protocol_subscription,
};

use super::assignors::{Assignor, Candidate};
use crate::batch::TopicPartition;

/// The version written; older versions are also read.
const VERSION: i16 = 3;

/// The partitions that a member owned in a generation.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnedPartitions<'a> {
    pub(super) partitions: &'a [TopicPartition],
    pub(super) generation: Option<i32>,
}

/// The subscription sent with an assignor. `owned` are the member's partitions while it joins, `previous` its last
/// assignment.
pub(super) fn subscription(
    assignor: Assignor,
    topics: &BTreeSet<Arc<str>>,
    owned: OwnedPartitions<'_>,
    previous: OwnedPartitions<'_>,
    rack: Option<&str>,
) -> Result<Bytes, EncodeError> {
    let user_data = match assignor {
        Assignor::Sticky => Some(sticky_data(previous)?),
        _ => None,
    };
    let owned_partitions = by_topic(owned.partitions)
        .into_iter()
        .map(
            |(topic, partitions)| consumer_protocol_subscription::TopicPartition {
                topic,
                partitions,
            },
        );
    let subscription = ConsumerProtocolSubscription {
        topics: topics.iter().map(|topic| Str::from(&**topic)).collect(),
        user_data,
        owned_partitions: owned_partitions.collect(),
        generation_id: owned.generation.unwrap_or(-1),
        rack_id: rack.map(Str::from),
    };
    subscription.to_versioned_bytes(VERSION)
}

/// Decodes a member of a `JoinGroup` response, for the leader.
pub(super) fn candidate(
    assignor: Assignor,
    member: JoinGroupResponseMember,
) -> Result<Candidate, DecodeError> {
    let (subscription, _) = ConsumerProtocolSubscription::from_versioned_bytes(member.metadata)?;
    let mut owned = owned_partitions(&subscription);
    let mut generation = (subscription.generation_id >= 0).then_some(subscription.generation_id);
    if assignor == Assignor::Sticky
        && let Some((previous, previous_generation)) = subscription
            .user_data
            .and_then(|data| read_sticky_data(data).ok())
    {
        owned = previous;
        generation = previous_generation;
    }
    Ok(Candidate {
        member_id: member.member_id,
        instance_id: member.group_instance_id,
        topics: subscription
            .topics
            .iter()
            .map(|topic| Arc::from(&**topic))
            .collect(),
        owned,
        generation,
    })
}

/// The partitions that a member owned when it sent this subscription.
pub(super) fn read_owned(subscription: Bytes) -> Result<Vec<TopicPartition>, DecodeError> {
    let (subscription, _) = ConsumerProtocolSubscription::from_versioned_bytes(subscription)?;
    Ok(owned_partitions(&subscription))
}

fn owned_partitions(subscription: &ConsumerProtocolSubscription) -> Vec<TopicPartition> {
    let topics = subscription.owned_partitions.iter();
    topics
        .flat_map(|topic| partitions(&topic.topic, &topic.partitions))
        .collect()
}

/// Encodes the assignment of one member.
pub(super) fn assignment(assigned: &[TopicPartition]) -> Result<Bytes, EncodeError> {
    let assigned_partitions = by_topic(assigned).into_iter().map(|(topic, partitions)| {
        consumer_protocol_assignment::TopicPartition { topic, partitions }
    });
    let assignment = ConsumerProtocolAssignment {
        assigned_partitions: assigned_partitions.collect(),
        user_data: None,
    };
    assignment.to_versioned_bytes(VERSION)
}

/// The partitions of an assignment, sorted. Empty bytes are an empty assignment.
pub(super) fn read_assignment(bytes: Bytes) -> Result<Vec<TopicPartition>, DecodeError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let (assignment, _) = ConsumerProtocolAssignment::from_versioned_bytes(bytes)?;
    let mut assigned = Vec::new();
    for topic in &assignment.assigned_partitions {
        assigned.extend(partitions(&topic.topic, &topic.partitions));
    }
    assigned.sort_unstable();
    assigned.dedup();
    Ok(assigned)
}

fn partitions(topic: &Str, numbers: &[i32]) -> impl Iterator<Item = TopicPartition> {
    let topic: Arc<str> = Arc::from(&**topic);
    numbers
        .iter()
        .map(move |number| TopicPartition::new(Arc::clone(&topic), *number))
}

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<Str, Vec<i32>> {
    let mut topics: BTreeMap<Str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        let numbers = topics.entry(Str::from(&*partition.topic)).or_default();
        numbers.push(partition.partition.get());
    }
    topics
}

fn sticky_data(previous: OwnedPartitions<'_>) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::new();
    let mut encoder = Encoder::new(&mut out, false);
    let topics = by_topic(previous.partitions);
    encoder.i32(topics.len() as i32)?;
    for (topic, numbers) in &topics {
        encoder.string(topic)?;
        encoder.array(numbers, 0)?;
    }
    encoder.i32(previous.generation.unwrap_or(-1))?;
    Ok(out.freeze())
}

fn read_sticky_data(bytes: Bytes) -> Result<(Vec<TopicPartition>, Option<i32>), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut previous = Vec::new();
    for _ in 0..decoder.i32()? {
        let topic = decoder.string()?;
        let numbers: Vec<i32> = decoder.array(0)?;
        previous.extend(partitions(&topic, &numbers));
    }
    // Version 0 of the data ends here.
    let generation = decoder.i32().ok().filter(|generation| *generation >= 0);
    Ok((previous, generation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(
        assignor: Assignor,
        owned: &[TopicPartition],
        previous: &[TopicPartition],
    ) -> Candidate {
        let topics = BTreeSet::from([Arc::from("a"), Arc::from("b")]);
        let bytes = subscription(
            assignor,
            &topics,
            OwnedPartitions {
                partitions: owned,
                generation: Some(7),
            },
            OwnedPartitions {
                partitions: previous,
                generation: Some(6),
            },
            Some("r"),
        );
        let member = JoinGroupResponseMember {
            member_id: "m".into(),
            metadata: bytes.unwrap(),
            ..Default::default()
        };
        candidate(assignor, member).unwrap()
    }

    #[test]
    fn a_cooperative_member_sends_its_owned_partitions() {
        let owned = [TopicPartition::new("a", 1), TopicPartition::new("b", 0)];
        let candidate = round_trip(Assignor::CooperativeSticky, &owned, &[]);
        assert_eq!(
            (candidate.owned, candidate.generation),
            (owned.to_vec(), Some(7))
        );
        assert_eq!(candidate.topics.len(), 2);
    }

    #[test]
    fn a_sticky_member_sends_its_previous_assignment() {
        let previous = [TopicPartition::new("a", 1)];
        let candidate = round_trip(Assignor::Sticky, &[], &previous);
        assert_eq!(
            (candidate.owned, candidate.generation),
            (previous.to_vec(), Some(6))
        );
    }

    #[test]
    fn a_decoded_assignment_is_sorted() {
        let assigned = [TopicPartition::new("b", 0), TopicPartition::new("a", 1)];
        let read = read_assignment(assignment(&assigned).unwrap()).unwrap();
        assert_eq!(read, [assigned[1].clone(), assigned[0].clone()]);
        assert_eq!(read_assignment(Bytes::new()).unwrap(), []);
        assert!(read_assignment(Bytes::from_static(&[0, 1, 9])).is_err());
    }
}
