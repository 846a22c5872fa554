//! `DescribeTopicPartitions` (key 75), version 0.
//!
//! Behaviour: topics with their partitions in the order of their names, all topics by default, in pages of at most
//! `response_partition_limit` partitions. The cursor marks the start of the next page.
//!
//! Notes: a page has at most `max.request.partition.size.limit` partitions. The topic of a cursor must be one of the
//! requested topics, and its partition must not be negative; otherwise every topic is `INVALID_REQUEST`. There are no
//! eligible leader replicas with one broker.

use std::collections::BTreeSet;

use headwater_env::Env;
use headwater_metadata::{PartitionImage, TopicImage, is_internal_topic, validate_topic_name};
use headwater_protocol::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition as ResponsePartition,
    DescribeTopicPartitionsResponseTopic as ResponseTopic,
};
use headwater_protocol::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, ErrorCode, Str,
};
use headwater_record::PartitionId;

use super::support::authorized_operations;
use crate::RequestContext;
use crate::controller::Controller;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    _context: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let image = controller.image();
    let begin = request.cursor.map_or((Str::default(), 0), |cursor| {
        (cursor.topic_name, cursor.partition_index)
    });
    let named: BTreeSet<Str> = request.topics.into_iter().map(|topic| topic.name).collect();
    let is_at_named = begin.0.is_empty() || named.is_empty() || named.contains(&begin.0);
    if begin.1 < 0 || !is_at_named {
        return refused(named);
    }
    let most = request
        .response_partition_limit
        .min(controller.config().described_partitions_max);
    let mut page = Page {
        left: usize::try_from(most).unwrap_or(0).max(1),
        response: DescribeTopicPartitionsResponse::default(),
    };
    if named.is_empty() {
        let after = image.topics().filter(|topic| *topic.name >= *begin.0);
        let mut after = after.map(|topic| RequestedTopic {
            name: Str::from(&*topic.name),
            topic: Some(topic),
        });
        page.fill(&mut after, &begin);
    } else {
        let after = named.into_iter().filter(|name| *name >= begin.0);
        let mut after = after.map(|name| RequestedTopic {
            topic: image.topic(&name).map(|topic| &**topic),
            name,
        });
        page.fill(&mut after, &begin);
    }
    page.response
}

/// A topic of the request; it may not exist.
struct RequestedTopic<'a> {
    name: Str,
    topic: Option<&'a TopicImage>,
}

/// A page of the response.
struct Page {
    left: usize,
    response: DescribeTopicPartitionsResponse,
}

impl Page {
    fn fill(&mut self, wanted: &mut dyn Iterator<Item = RequestedTopic<'_>>, begin: &(Str, i32)) {
        for RequestedTopic { name, topic } in wanted {
            if self.left == 0 {
                return self.end_at(name, 0);
            }
            let Some(topic) = topic else {
                self.response.topics.push(unknown(name));
                continue;
            };
            let first = if name == begin.0 { begin.1 as usize } else { 0 };
            let partitions = topic.partitions().skip(first).take(self.left);
            let partitions: Vec<_> = partitions.map(partition).collect();
            self.left -= partitions.len();
            let next = first + partitions.len();
            self.response.topics.push(described(topic, partitions));
            if next < topic.partitions.len() {
                return self.end_at(name, next as i32);
            }
        }
    }

    /// Sets the cursor of the next page.
    fn end_at(&mut self, topic_name: Str, partition_index: i32) {
        self.response.next_cursor = Some(Cursor {
            topic_name,
            partition_index,
            ..Cursor::default()
        });
    }
}

fn described(topic: &TopicImage, partitions: Vec<ResponsePartition>) -> ResponseTopic {
    ResponseTopic {
        error_code: ErrorCode::None.code(),
        name: Some((&*topic.name).into()),
        topic_id: topic.id,
        is_internal: is_internal_topic(&topic.name),
        partitions,
        topic_authorized_operations: authorized_operations::TOPIC,
        ..ResponseTopic::default()
    }
}

fn partition((id, partition): (PartitionId, &PartitionImage)) -> ResponsePartition {
    let code = if partition.leader.is_some() {
        ErrorCode::None
    } else {
        ErrorCode::LeaderNotAvailable
    };
    ResponsePartition {
        error_code: code.code(),
        partition_index: id.get(),
        leader_id: partition.leader.unwrap_or(-1),
        leader_epoch: partition.leader_epoch.get(),
        replica_nodes: partition.replicas.clone(),
        isr_nodes: partition.isr.clone(),
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        ..ResponsePartition::default()
    }
}

fn unknown(name: Str) -> ResponseTopic {
    let code = if validate_topic_name(&name).is_ok() {
        ErrorCode::UnknownTopicOrPartition
    } else {
        ErrorCode::InvalidTopicException
    };
    ResponseTopic {
        error_code: code.code(),
        is_internal: is_internal_topic(&name),
        name: Some(name),
        topic_authorized_operations: authorized_operations::TOPIC,
        ..ResponseTopic::default()
    }
}

fn refused(named: BTreeSet<Str>) -> DescribeTopicPartitionsResponse {
    let topic = |name| ResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(name),
        ..ResponseTopic::default()
    };
    DescribeTopicPartitionsResponse {
        topics: named.into_iter().map(topic).collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}
