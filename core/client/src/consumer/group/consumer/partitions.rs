//! Partitions by topic id, as in the coordinator's responses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_protocol::{consumer_group_heartbeat_request, consumer_group_heartbeat_response};
use uuid::Uuid;

use crate::batch::TopicPartition;

/// A partition of the topic with this id.
pub(super) type IdPartition = (Uuid, i32);

/// The names of topics.
pub(super) type TopicNames = BTreeMap<Uuid, Arc<str>>;

/// The partitions of an assignment in a response.
pub(super) fn read(
    assignment: consumer_group_heartbeat_response::Assignment,
) -> BTreeSet<IdPartition> {
    let topics = assignment.topic_partitions.into_iter();
    topics
        .flat_map(|topic| {
            let numbers = topic.partitions.into_iter();
            numbers.map(move |number| (topic.topic_id, number))
        })
        .collect()
}

/// The partitions for a request.
pub(super) fn write(
    partitions: &BTreeSet<IdPartition>,
) -> Vec<consumer_group_heartbeat_request::TopicPartitions> {
    let mut topics: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
    for (topic, number) in partitions {
        topics.entry(*topic).or_default().push(*number);
    }
    topics
        .into_iter()
        .map(
            |(topic_id, partitions)| consumer_group_heartbeat_request::TopicPartitions {
                topic_id,
                partitions,
                ..Default::default()
            },
        )
        .collect()
}

/// The partitions by topic name, sorted. Leaves out topics without a known name.
pub(super) fn named<'a>(
    partitions: impl IntoIterator<Item = &'a IdPartition>,
    names: &TopicNames,
) -> Vec<TopicPartition> {
    let mut found: Vec<_> = partitions
        .into_iter()
        .filter_map(|(topic, number)| {
            let name = names.get(topic)?;
            Some(TopicPartition::new(Arc::clone(name), *number))
        })
        .collect();
    found.sort_unstable();
    found
}
