//! `OffsetDelete` (key 47), version 0.
//!
//! Behaviour: deletes committed offsets of partitions that the group is not subscribed to (`GROUP_SUBSCRIBED_TO_TOPIC`
//! for the others).
//!
//! Notes: the subscription of members that are not consumers is unknown: `NON_EMPTY_GROUP`.

use std::collections::HashMap;

use headwater_env::Env;
use headwater_protocol::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use headwater_protocol::{ErrorCode, OffsetDeleteRequest, OffsetDeleteResponse, Str};

use super::support::lookup;
use crate::RequestContext;
use crate::groups::Groups;
use crate::partitions::Partitions;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    groups: &Groups<E>,
    _context: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let exists = |topic: &Str, partition: i32| {
        let topic = partitions.topic(topic);
        topic.is_some_and(|topic| lookup::partition(&topic, partition).is_ok())
    };
    let wanted = request.topics.iter().flat_map(|topic| {
        let indexes = topic.partitions.iter();
        indexes.map(|partition| (topic.name.clone(), partition.partition_index))
    });
    let (known, unknown): (Vec<_>, Vec<_>) =
        wanted.partition(|(topic, partition)| exists(topic, *partition));
    let mut codes: HashMap<(Str, i32), ErrorCode> =
        match groups.delete_offsets(&request.group_id, &known) {
            Ok(codes) => known.into_iter().zip(codes).collect(),
            Err(code) => {
                return OffsetDeleteResponse {
                    error_code: code.code(),
                    ..OffsetDeleteResponse::default()
                };
            }
        };
    codes.extend(
        unknown
            .into_iter()
            .map(|partition| (partition, ErrorCode::UnknownTopicOrPartition)),
    );
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let code = codes[&(topic.name.clone(), wanted.partition_index)];
            OffsetDeleteResponsePartition {
                partition_index: wanted.partition_index,
                error_code: code.code(),
            }
        });
        OffsetDeleteResponseTopic {
            partitions: partitions.collect(),
            name: topic.name,
        }
    });
    OffsetDeleteResponse {
        topics: topics.collect(),
        ..OffsetDeleteResponse::default()
    }
}
