//! `Metadata` (key 3), versions 0-13.
//!
//! Behaviour: the brokers and the topics: all of them (null), none (empty), or those named, by name or from version 12 on by id. A topic
//! that does not exist is made when both the client (`allow_auto_topic_creation`) and the broker (`auto.create.topics.enable`) say so.
//!
//! Notes: in version 0 an empty list means all; the network layer turns it into null. Authorized operations are not told: there are no
//! access rules yet. Until its leader is known a topic that was just made may be asked for again; here it is known at once.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, TopicImage, is_internal_topic};
use headwater_protocol::create_topics_request::CreatableTopic;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use headwater_protocol::{CreateTopicsRequest, ErrorCode, MetadataRequest, MetadataResponse};

use super::create_topics;
use super::describe_cluster::NO_OPERATIONS;
use crate::RequestContext;
use crate::state::State;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: MetadataRequest,
) -> MetadataResponse {
    let may_create = request.allow_auto_topic_creation && state.config().auto_create_topics;
    let topics = match request.topics {
        None => state.image().topics().map(described).collect(),
        Some(wanted) => wanted
            .into_iter()
            .map(|wanted| answer(state, context, wanted, may_create))
            .collect(),
    };
    MetadataResponse {
        brokers: brokers(&state.image(), context),
        cluster_id: Some(state.cluster_id.as_str().into()),
        controller_id: state.node_id,
        topics,
        cluster_authorized_operations: NO_OPERATIONS,
        error_code: ErrorCode::None.code(),
        ..MetadataResponse::default()
    }
}

fn answer<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    wanted: MetadataRequestTopic,
    may_create: bool,
) -> MetadataResponseTopic {
    let image = state.image();
    let Some(name) = &wanted.name else {
        return match image.topic_by_id(wanted.topic_id) {
            Some(topic) => described(topic),
            None => unknown(wanted, ErrorCode::UnknownTopicId),
        };
    };
    if let Some(topic) = image.topic(name) {
        return described(topic);
    }
    if let Err(error) = headwater_metadata::validate_topic_name(name) {
        tracing::debug!(%error, "metadata of a topic that cannot exist was asked for");
        return unknown(wanted, ErrorCode::InvalidTopicException);
    }
    if !may_create || is_internal_topic(name) {
        return unknown(wanted, ErrorCode::UnknownTopicOrPartition);
    }
    let code = create(state, context, name);
    match state.image().topic(name) {
        Some(topic) => described(topic),
        None => unknown(wanted, code),
    }
}

fn create<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    name: &headwater_protocol::Str,
) -> ErrorCode {
    let topic = CreatableTopic {
        name: name.clone(),
        num_partitions: -1,
        replication_factor: -1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..CreateTopicsRequest::default()
    };
    let response = create_topics::handle(state, context, request);
    let code = response.topics.first().map_or(0, |topic| topic.error_code);
    ErrorCode::from_code(code)
}

fn described(topic: &Arc<TopicImage>) -> MetadataResponseTopic {
    let partitions = topic
        .partitions()
        .map(|(id, partition)| MetadataResponsePartition {
            error_code: if partition.leader.is_some() {
                ErrorCode::None
            } else {
                ErrorCode::LeaderNotAvailable
            }
            .code(),
            partition_index: id.get(),
            leader_id: partition.leader.unwrap_or(-1),
            leader_epoch: partition.leader_epoch.get(),
            replica_nodes: partition.replicas.clone(),
            isr_nodes: partition.isr.clone(),
            ..MetadataResponsePartition::default()
        });
    MetadataResponseTopic {
        error_code: ErrorCode::None.code(),
        name: Some((&*topic.name).into()),
        topic_id: topic.id,
        is_internal: is_internal_topic(&topic.name),
        partitions: partitions.collect(),
        topic_authorized_operations: NO_OPERATIONS,
        ..MetadataResponseTopic::default()
    }
}

fn unknown(wanted: MetadataRequestTopic, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code.code(),
        name: wanted.name,
        topic_id: wanted.topic_id,
        topic_authorized_operations: NO_OPERATIONS,
        ..MetadataResponseTopic::default()
    }
}

fn brokers(image: &Image, context: &RequestContext) -> Vec<MetadataResponseBroker> {
    let brokers = image.brokers().map(|(id, broker)| MetadataResponseBroker {
        node_id: id,
        host: (&*context.listener.host).into(),
        port: i32::from(context.listener.port),
        rack: broker.rack.as_ref().map(|rack| (&**rack).into()),
        ..MetadataResponseBroker::default()
    });
    brokers.collect()
}
