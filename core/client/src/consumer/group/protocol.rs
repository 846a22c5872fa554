//! What members of a group tell each other through the coordinator, which does not look into it: `ConsumerProtocolSubscription` and
//! `ConsumerProtocolAssignment`.
//!
//! `sticky` members also tell in the subscription's user data what they had before they gave it up:
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

/// The version that is written; older ones are read as well.
const VERSION: i16 = 3;

/// What a member had in a generation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Had<'a> {
    pub(super) partitions: &'a [TopicPartition],
    pub(super) generation: Option<i32>,
}

/// The subscription that a member offers with an assignor. `owned` is what it has while it joins, `had` what it had in its last
/// generation.
pub(super) fn subscription(
    assignor: Assignor,
    topics: &BTreeSet<Arc<str>>,
    owned: Had<'_>,
    had: Had<'_>,
) -> Result<Bytes, EncodeError> {
    let user_data = match assignor {
        Assignor::Sticky => Some(sticky_data(had)?),
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
        rack_id: None,
    };
    subscription.to_versioned_bytes(VERSION)
}

/// A member as the leader is told of it.
pub(super) fn candidate(
    assignor: Assignor,
    member: JoinGroupResponseMember,
) -> Result<Candidate, DecodeError> {
    let (told, _) = ConsumerProtocolSubscription::from_versioned_bytes(member.metadata)?;
    let mut owned = Vec::new();
    for topic in &told.owned_partitions {
        owned.extend(partitions(&topic.topic, &topic.partitions));
    }
    let mut generation = (told.generation_id >= 0).then_some(told.generation_id);
    if assignor == Assignor::Sticky
        && let Some((had, when)) = told.user_data.and_then(|data| read_sticky_data(data).ok())
    {
        owned = had;
        generation = when;
    }
    Ok(Candidate {
        member_id: member.member_id,
        instance_id: member.group_instance_id,
        topics: told
            .topics
            .iter()
            .map(|topic| Arc::from(&**topic))
            .collect(),
        owned,
        generation,
    })
}

/// An assignment as the leader writes it.
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

/// The partitions of an assignment, in order. No bytes are no partitions.
pub(super) fn read_assignment(bytes: Bytes) -> Result<Vec<TopicPartition>, DecodeError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let (told, _) = ConsumerProtocolAssignment::from_versioned_bytes(bytes)?;
    let mut assigned = Vec::new();
    for topic in &told.assigned_partitions {
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

fn sticky_data(had: Had<'_>) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::new();
    let mut encoder = Encoder::new(&mut out, false);
    let topics = by_topic(had.partitions);
    encoder.i32(topics.len() as i32)?;
    for (topic, numbers) in &topics {
        encoder.string(topic)?;
        encoder.array(numbers, 0)?;
    }
    encoder.i32(had.generation.unwrap_or(-1))?;
    Ok(out.freeze())
}

fn read_sticky_data(bytes: Bytes) -> Result<(Vec<TopicPartition>, Option<i32>), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut had = Vec::new();
    for _ in 0..decoder.i32()? {
        let topic = decoder.string()?;
        let numbers: Vec<i32> = decoder.array(0)?;
        had.extend(partitions(&topic, &numbers));
    }
    // The first version of the data ends here.
    let generation = decoder.i32().ok().filter(|generation| *generation >= 0);
    Ok((had, generation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(assignor: Assignor, owned: &[TopicPartition], had: &[TopicPartition]) -> Candidate {
        let topics = BTreeSet::from([Arc::from("a"), Arc::from("b")]);
        let bytes = subscription(
            assignor,
            &topics,
            Had {
                partitions: owned,
                generation: Some(7),
            },
            Had {
                partitions: had,
                generation: Some(6),
            },
        );
        let member = JoinGroupResponseMember {
            member_id: "m".into(),
            metadata: bytes.unwrap(),
            ..Default::default()
        };
        candidate(assignor, member).unwrap()
    }

    #[test]
    fn a_cooperative_member_tells_what_it_has() {
        let owned = [TopicPartition::new("a", 1), TopicPartition::new("b", 0)];
        let told = told(Assignor::CooperativeSticky, &owned, &[]);
        assert_eq!((told.owned, told.generation), (owned.to_vec(), Some(7)));
        assert_eq!(told.topics.len(), 2);
    }

    #[test]
    fn a_sticky_member_tells_what_it_had() {
        let had = [TopicPartition::new("a", 1)];
        let told = told(Assignor::Sticky, &[], &had);
        assert_eq!((told.owned, told.generation), (had.to_vec(), Some(6)));
    }

    #[test]
    fn an_assignment_comes_back_in_order() {
        let assigned = [TopicPartition::new("b", 0), TopicPartition::new("a", 1)];
        let read = read_assignment(assignment(&assigned).unwrap()).unwrap();
        assert_eq!(read, [assigned[1].clone(), assigned[0].clone()]);
        assert_eq!(read_assignment(Bytes::new()).unwrap(), []);
        assert!(read_assignment(Bytes::from_static(&[0, 1, 9])).is_err());
    }
}
