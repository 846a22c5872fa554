//! Validation of new topics.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::config::{TOPIC, check_topic};
use headwater_metadata::{
    Image, Layer, MetadataRecord, NodeId, PartitionImage, RESOURCE_TOPIC, TopicImage,
    is_internal_topic, validate_topic_name,
};
use headwater_protocol::{ConfigRecord, ErrorCode};

use crate::controller::Controller;
use crate::refusal::Refusal;

/// Kafka's limit for one request; each partition needs a directory and open files.
pub(crate) const PARTITIONS_MAX: i32 = 10_000;
/// Requests the broker's default.
const DEFAULT: i32 = -1;

/// The owner of a new topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A client, which must not use internal names.
    Client,
    /// The broker.
    Broker,
}

/// The description of a new topic.
#[derive(Debug)]
pub(crate) struct NewTopic<'a> {
    pub(crate) name: &'a str,
    pub(crate) owner: Owner,
    /// -1 for the broker's default, or if `assignments` are given.
    pub(crate) partitions: i32,
    /// -1 for the broker's default, or if `assignments` are given.
    pub(crate) replication_factor: i16,
    /// The brokers of each partition, if the caller assigns them.
    pub(crate) assignments: Vec<(i32, &'a [NodeId])>,
    pub(crate) configs: Vec<(&'a str, Option<&'a str>)>,
}

/// Validates `wanted` against the topics of `image`. Returns the new topic.
pub(crate) fn check<E: Env>(
    controller: &Controller<E>,
    image: &Image,
    wanted: &NewTopic<'_>,
) -> Result<TopicImage, Refusal> {
    check_name(image, wanted)?;
    let partitions = check_counts(controller, wanted)?;
    let layer = layer(wanted)?;
    check_topic(&layer, controller.config().layer())?;
    Ok(TopicImage {
        id: controller.random_uuid(),
        name: Arc::from(wanted.name),
        partitions: (0..partitions)
            .map(|_| PartitionImage::new(vec![controller.node.id]))
            .collect(),
    })
}

/// The metadata records of a topic that passed [`check`].
pub(crate) fn records(
    topic: &TopicImage,
    wanted: &NewTopic<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let mut records = vec![topic.record()];
    records.extend(
        topic
            .partitions()
            .map(|(id, partition)| partition.record(topic.id, id.get())),
    );
    records.extend(config_records(RESOURCE_TOPIC, wanted)?);
    Ok(records)
}

/// The metadata records of the topic's configuration.
fn config_records(
    resource_type: i8,
    wanted: &NewTopic<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let layer = layer(wanted)?;
    let record = |(name, value): (&str, &headwater_metadata::Value)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: wanted.name.into(),
            name: name.into(),
            value: Some(value.to_string().into()),
            ..ConfigRecord::default()
        })
    };
    Ok(layer.iter().map(record).collect())
}

/// Checks that this broker is the only replica.
pub(crate) fn check_assignment(node_id: NodeId, brokers: &[NodeId]) -> Result<(), Refusal> {
    if brokers == [node_id] {
        return Ok(());
    }
    let message = format!(
        "a partition was assigned to the brokers {brokers:?}: the only broker is {node_id}"
    );
    Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message))
}

fn check_name(image: &Image, wanted: &NewTopic<'_>) -> Result<(), Refusal> {
    let name = wanted.name;
    validate_topic_name(name)
        .map_err(|error| Refusal::new(ErrorCode::InvalidTopicException, error.to_string()))?;
    if is_internal_topic(name) && wanted.owner == Owner::Client {
        let message = format!("the name \"{name}\" is internal: choose another");
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    if image.topic(name).is_some() {
        return Err(Refusal::new(
            ErrorCode::TopicAlreadyExists,
            format!("the topic \"{name}\" exists already"),
        ));
    }
    if let Some(other) = image.collision(name) {
        let message = format!(
            "\"{name}\" collides with the topic \"{other}\": names must differ in more than '.' and '_'"
        );
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    Ok(())
}

fn check_counts<E: Env>(controller: &Controller<E>, wanted: &NewTopic<'_>) -> Result<i32, Refusal> {
    if !wanted.assignments.is_empty() {
        return check_assignments(controller.node.id, wanted);
    }
    let config = controller.config();
    let partitions = if wanted.partitions == DEFAULT {
        config.default_partitions
    } else {
        wanted.partitions
    };
    if !(1..=PARTITIONS_MAX).contains(&partitions) {
        let message = format!(
            "a topic cannot have {partitions} partitions: use a number from 1 to {PARTITIONS_MAX}"
        );
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    let requested = i32::from(wanted.replication_factor);
    let replicas = if requested == DEFAULT {
        i32::from(config.default_replication_factor)
    } else {
        requested
    };
    if replicas != 1 {
        let message = format!(
            "replication factor {replicas} needs that many brokers: there is one, so use 1"
        );
        return Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message));
    }
    Ok(partitions)
}

fn check_assignments(node_id: NodeId, wanted: &NewTopic<'_>) -> Result<i32, Refusal> {
    if wanted.partitions != DEFAULT || i32::from(wanted.replication_factor) != DEFAULT {
        let message =
            "use either assignments or a number of partitions and a replication factor, not both";
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    let mut indexes: Vec<i32> = wanted.assignments.iter().map(|(index, _)| *index).collect();
    indexes.sort_unstable();
    if !(0..)
        .zip(&indexes)
        .all(|(expected, index)| expected == *index)
    {
        let message = format!(
            "partitions are numbered from 0 without gaps, the assignments are for {indexes:?}"
        );
        return Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    for (_, brokers) in &wanted.assignments {
        check_assignment(node_id, brokers)?;
    }
    match i32::try_from(indexes.len()) {
        Ok(partitions) if partitions <= PARTITIONS_MAX => Ok(partitions),
        _ => Err(Refusal::new(
            ErrorCode::InvalidPartitions,
            format!("a topic has at most {PARTITIONS_MAX} partitions"),
        )),
    }
}

/// A null value means the default, as in Kafka.
fn layer(wanted: &NewTopic<'_>) -> Result<Layer, Refusal> {
    let mut layer = Layer::new(&TOPIC);
    for (name, value) in &wanted.configs {
        match value {
            Some(value) => layer.set(name, value)?,
            None => {
                TOPIC.require(name)?;
            }
        }
    }
    Ok(layer)
}
