//! `Metadata` (key 3), versions 0-13.
//!
//! Behaviour: the brokers, and all topics (null), none (empty list), or the given ones by name or, from version 12 on,
//! by id. An unknown topic is created if both the client (`allow_auto_topic_creation`) and the broker
//! (`auto.create.topics.enable`) allow it.
//!
//! Notes: in version 0 an empty list means all topics. A repeated topic is answered once. Kafka answers the first
//! request for a topic that it creates with an error, because the leader is not elected yet; here the leader is known
//! at once, so the response contains the topic. There are no ACLs yet: requests for authorized operations get all of
//! them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, TopicImage, is_internal_topic, validate_topic_name};
use headwater_protocol::create_topics_request::CreatableTopic;
use headwater_protocol::create_topics_response::CreatableTopicResult;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use headwater_protocol::{CreateTopicsRequest, ErrorCode, MetadataRequest, MetadataResponse, Str};

use super::create_topics;
use super::support::authorized_operations::{self, if_requested};
use crate::RequestContext;
use crate::controller::Controller;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    context: &RequestContext,
    request: MetadataRequest,
) -> MetadataResponse {
    let may_create = request.allow_auto_topic_creation && controller.config().auto_create_topics;
    let mut topics = match request.topics {
        Some(wanted) if !wanted.is_empty() || context.is_at_least(1) => {
            let wanted = once(wanted);
            let refusals = if may_create {
                make_missing(controller, context, &wanted).await
            } else {
                Refusals::new()
            };
            let image = controller.image();
            let answer = |wanted| answer(&image, context, wanted, &refusals);
            wanted.into_iter().map(answer).collect()
        }
        _ => controller
            .image()
            .topics()
            .map(described)
            .collect::<Vec<_>>(),
    };
    let topic_operations = if_requested(
        request.include_topic_authorized_operations,
        authorized_operations::TOPIC,
    );
    for topic in &mut topics {
        topic.topic_authorized_operations = topic_operations;
    }
    MetadataResponse {
        brokers: brokers(&controller.image(), context),
        cluster_id: Some(controller.node.cluster_id.as_str().into()),
        controller_id: controller.node.id,
        topics,
        cluster_authorized_operations: if_requested(
            request.include_cluster_authorized_operations,
            authorized_operations::CLUSTER,
        ),
        error_code: ErrorCode::None.code(),
        ..MetadataResponse::default()
    }
}

/// The error codes of topics that could not be created, by name.
type Refusals = HashMap<Str, ErrorCode>;

/// The requested topics without repetitions.
fn once(wanted: Vec<MetadataRequestTopic>) -> Vec<MetadataRequestTopic> {
    let mut seen = HashSet::new();
    wanted
        .into_iter()
        .filter(|wanted| seen.insert((wanted.topic_id, wanted.name.clone())))
        .collect()
}

fn answer(
    image: &Image,
    context: &RequestContext,
    wanted: MetadataRequestTopic,
    refusals: &Refusals,
) -> MetadataResponseTopic {
    let name = match &wanted.name {
        Some(name) if wanted.topic_id.is_nil() => name,
        _ => return by_id(image, context, wanted),
    };
    if let Some(topic) = image.topic(name) {
        return described(topic);
    }
    let code = if validate_topic_name(name).is_err() {
        ErrorCode::InvalidTopicException
    } else {
        refusals
            .get(name)
            .copied()
            .unwrap_or(ErrorCode::UnknownTopicOrPartition)
    };
    unknown(wanted, code)
}

/// Versions 10 and 11 have a field for the id that no broker ever supported.
fn by_id(
    image: &Image,
    context: &RequestContext,
    wanted: MetadataRequestTopic,
) -> MetadataResponseTopic {
    if !context.is_at_least(12) {
        let name = Some(wanted.name.clone().unwrap_or_default());
        return unknown(
            MetadataRequestTopic { name, ..wanted },
            ErrorCode::InvalidRequest,
        );
    }
    match image.topic_by_id(wanted.topic_id) {
        Some(topic) => described(topic),
        None => unknown(
            MetadataRequestTopic {
                name: None,
                ..wanted
            },
            ErrorCode::UnknownTopicId,
        ),
    }
}

/// Creates the unknown topics with the broker's defaults, in one metadata change.
async fn make_missing<E: Env>(
    controller: &Arc<Controller<E>>,
    context: &RequestContext,
    wanted: &[MetadataRequestTopic],
) -> Refusals {
    let image = controller.image();
    let missing = |name: &&Str| {
        image.topic(name).is_none() && validate_topic_name(name).is_ok() && !is_internal_topic(name)
    };
    let topics: Vec<_> = wanted
        .iter()
        .filter(|wanted| wanted.topic_id.is_nil())
        .filter_map(|wanted| wanted.name.as_ref())
        .filter(missing)
        .map(|name| CreatableTopic {
            name: name.clone(),
            num_partitions: -1,
            replication_factor: -1,
            ..CreatableTopic::default()
        })
        .collect();
    if topics.is_empty() {
        return Refusals::new();
    }
    let request = CreateTopicsRequest {
        topics,
        ..CreateTopicsRequest::default()
    };
    let response = create_topics::handle(controller, context, request).await;
    let refusal = |topic: CreatableTopicResult| {
        let code = ErrorCode::from_code(topic.error_code);
        (!code.is_ok()).then_some((topic.name, code))
    };
    response.topics.into_iter().filter_map(refusal).collect()
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
        ..MetadataResponseTopic::default()
    }
}

fn unknown(wanted: MetadataRequestTopic, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code.code(),
        is_internal: wanted.name.as_deref().is_some_and(is_internal_topic),
        name: wanted.name,
        topic_id: wanted.topic_id,
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
