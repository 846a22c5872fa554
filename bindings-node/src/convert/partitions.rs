//! Partitions and their offsets.

use std::collections::BTreeMap;

use headwater::{CommitMetadata, Offset, PartitionId, TopicPartition as Partition};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

/// A partition of a topic.
#[napi(object)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
}

/// An offset in a partition of one topic.
#[napi(object)]
pub struct PartitionOffset {
    /// The partition's number.
    pub partition: i32,
    /// The offset.
    pub offset: BigInt,
}

/// An offset in a partition of a topic.
#[napi(object)]
pub struct TopicPartitionOffset {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset.
    pub offset: BigInt,
}

/// An offset to commit in a partition of a topic.
#[napi(object, object_to_js = false)]
pub struct TopicPartitionOffsetAndMetadata {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset.
    pub offset: BigInt,
    /// The text that the group stores with it.
    pub metadata: Option<String>,
}

/// A number for each partition.
#[napi(object)]
pub struct TopicPartitionLag {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The number of offsets between the position and the end.
    pub lag: BigInt,
}

/// The offset in a `bigint`. TypeScript has checked that it is valid.
pub(crate) fn offset(value: &BigInt) -> Offset {
    Offset::new(value.get_i64().0)
}

pub(crate) fn partition(given: &TopicPartition) -> Partition {
    Partition::new(given.topic.as_str(), given.partition)
}

pub(crate) fn partitions(given: &[TopicPartition]) -> Vec<Partition> {
    given.iter().map(partition).collect()
}

pub(crate) fn offsets(given: &[TopicPartitionOffset]) -> BTreeMap<Partition, Offset> {
    let offset = |given: &TopicPartitionOffset| {
        let partition = Partition::new(given.topic.as_str(), given.partition);
        (partition, offset(&given.offset))
    };
    given.iter().map(offset).collect()
}

/// The offsets of a commit, and their metadata.
pub(crate) fn offsets_and_metadata(
    given: Vec<TopicPartitionOffsetAndMetadata>,
) -> (BTreeMap<Partition, Offset>, CommitMetadata) {
    let (mut offsets, mut texts) = (BTreeMap::new(), CommitMetadata::new());
    for given in given {
        let partition = Partition::new(given.topic, given.partition);
        if let Some(text) = given.metadata {
            texts.insert(partition.clone(), text);
        }
        offsets.insert(partition, offset(&given.offset));
    }
    (offsets, texts)
}

pub(crate) fn to_js(partition: &Partition) -> TopicPartition {
    TopicPartition {
        topic: partition.topic.to_string(),
        partition: partition.partition.get(),
    }
}

pub(crate) fn list(partitions: &[Partition]) -> Vec<TopicPartition> {
    partitions.iter().map(to_js).collect()
}

pub(crate) fn with_offsets(offsets: BTreeMap<Partition, Offset>) -> Vec<TopicPartitionOffset> {
    let offset = |(partition, offset): (Partition, Offset)| TopicPartitionOffset {
        topic: partition.topic.to_string(),
        partition: partition.partition.get(),
        offset: offset.get().into(),
    };
    offsets.into_iter().map(offset).collect()
}

pub(crate) fn by_number(offsets: BTreeMap<PartitionId, Offset>) -> Vec<PartitionOffset> {
    let offset = |(partition, offset): (PartitionId, Offset)| PartitionOffset {
        partition: partition.get(),
        offset: offset.get().into(),
    };
    offsets.into_iter().map(offset).collect()
}
