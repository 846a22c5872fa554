//! Applies records to an image.

use std::sync::Arc;

use headwater_protocol::{
    ConfigRecord, PartitionChangeRecord, PartitionRecord, RegisterBrokerRecord,
    RemoveUserScramCredentialRecord, TopicRecord, UserScramCredentialRecord,
};
use headwater_record::{LeaderEpoch, ProducerId};
use uuid::Uuid;

use super::{BrokerImage, Image, NodeId, PartitionImage, TopicImage};
use crate::MetadataRecord;
use crate::config::{BROKER, Layer, TOPIC, Table};
use crate::records::{NO_LEADER, NO_LEADER_CHANGE, RESOURCE_BROKER, RESOURCE_TOPIC};
use crate::scram::{ScramCredential, ScramMechanism};
use crate::topic_name::{collision_key, validate_topic_name};

/// Why a record contradicts the records before it. The image is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A topic of this name or id exists already.
    #[error("the topic {name} ({id}) is recorded twice")]
    DuplicateTopic {
        /// The name.
        name: String,
        /// The id.
        id: Uuid,
    },
    /// A record for an unknown topic.
    #[error("a record is for the unknown topic {0}")]
    UnknownTopic(Uuid),
    /// A topic name that is not valid.
    #[error("a topic record has an invalid name: {0}")]
    InvalidName(#[from] crate::TopicNameError),
    /// The partition is not the next one of its topic, or a changed partition does not exist.
    #[error("a record is for partition {partition} of the topic {topic}, which has {count}")]
    PartitionGap {
        /// The topic.
        topic: Uuid,
        /// The partition.
        partition: i32,
        /// The number of partitions of the topic.
        count: usize,
    },
    /// The configuration of a resource that is neither a topic nor a broker.
    #[error("a configuration record has the unknown resource type {0}")]
    UnknownResource(i8),
    /// The next producer id went back, so an id would be used twice.
    #[error("the next producer id is recorded as {recorded} after {known}")]
    ProducerIdsGoBack {
        /// The id in the record.
        recorded: i64,
        /// The id before the record.
        known: i64,
    },
    /// A credential for an unknown mechanism.
    #[error("a credential record has the unknown SCRAM mechanism {0}")]
    UnknownScramMechanism(i8),
}

impl Image {
    /// The image after these records.
    pub fn with(&self, records: &[MetadataRecord]) -> Result<Self, ApplyError> {
        let mut next = self.clone();
        for record in records {
            next.apply(record)?;
        }
        Ok(next)
    }

    /// Applies a record. After an error the image is unchanged.
    pub fn apply(&mut self, record: &MetadataRecord) -> Result<(), ApplyError> {
        match record {
            MetadataRecord::RegisterBroker(record) => self.register_broker(record),
            MetadataRecord::Topic(record) => return self.add_topic(record),
            MetadataRecord::Partition(record) => return self.add_partition(record),
            MetadataRecord::PartitionChange(record) => return self.change_partition(record),
            MetadataRecord::RemoveTopic(record) => return self.remove_topic(record.topic_id),
            MetadataRecord::Config(record) => return self.set_config(record),
            MetadataRecord::FeatureLevel(record) => {
                self.features
                    .insert(record.name.to_string(), record.feature_level);
            }
            MetadataRecord::ProducerIds(record) => {
                return self.set_next_producer_id(record.next_producer_id);
            }
            MetadataRecord::UserScramCredential(record) => return self.set_scram(record),
            MetadataRecord::RemoveUserScramCredential(record) => return self.remove_scram(record),
        }
        Ok(())
    }

    fn register_broker(&mut self, record: &RegisterBrokerRecord) {
        let broker = BrokerImage {
            epoch: record.broker_epoch,
            incarnation: record.incarnation_id,
            rack: record.rack.as_ref().map(|rack| Arc::from(&**rack)),
            fenced: record.fenced,
        };
        self.brokers.insert(record.broker_id, broker);
    }

    fn add_topic(&mut self, record: &TopicRecord) -> Result<(), ApplyError> {
        validate_topic_name(&record.name)?;
        let id = record.topic_id;
        if self.topics.contains_key(&id) || self.ids.contains_key(&*record.name) {
            return Err(ApplyError::DuplicateTopic {
                name: record.name.to_string(),
                id,
            });
        }
        let name: Arc<str> = Arc::from(&*record.name);
        self.ids.insert(Arc::clone(&name), id);
        self.collisions
            .insert(collision_key(&name), Arc::clone(&name));
        self.topics.insert(
            id,
            Arc::new(TopicImage {
                id,
                name,
                partitions: Vec::new(),
            }),
        );
        Ok(())
    }

    fn add_partition(&mut self, record: &PartitionRecord) -> Result<(), ApplyError> {
        let topic = self.topic_mut(record.topic_id)?;
        if usize::try_from(record.partition_id) != Ok(topic.partitions.len()) {
            return Err(gap(topic, record.partition_id));
        }
        topic.partitions.push(PartitionImage {
            replicas: record.replicas.clone(),
            isr: record.isr.clone(),
            leader: leader(record.leader),
            leader_epoch: LeaderEpoch::new(record.leader_epoch),
            partition_epoch: record.partition_epoch,
        });
        Ok(())
    }

    /// A change of the leader starts a new leader epoch, even if it is the same broker, as in Kafka.
    fn change_partition(&mut self, record: &PartitionChangeRecord) -> Result<(), ApplyError> {
        let topic = self.topic_mut(record.topic_id)?;
        let index = usize::try_from(record.partition_id).unwrap_or(usize::MAX);
        if index >= topic.partitions.len() {
            return Err(gap(topic, record.partition_id));
        }
        let partition = &mut topic.partitions[index];
        if let Some(isr) = &record.isr {
            partition.isr.clone_from(isr);
        }
        if let Some(replicas) = &record.replicas {
            partition.replicas.clone_from(replicas);
        }
        if record.leader != NO_LEADER_CHANGE {
            partition.leader = leader(record.leader);
            partition.leader_epoch = LeaderEpoch::new(partition.leader_epoch.get() + 1);
        }
        partition.partition_epoch += 1;
        Ok(())
    }

    fn remove_topic(&mut self, id: Uuid) -> Result<(), ApplyError> {
        let topic = self
            .topics
            .remove(&id)
            .ok_or(ApplyError::UnknownTopic(id))?;
        self.ids.remove(&topic.name);
        self.topic_configs.remove(&topic.name);
        let key = collision_key(&topic.name);
        if self.collisions.get(&key) == Some(&topic.name) {
            self.collisions.remove(&key);
        }
        Ok(())
    }

    /// Unknown keys and values are ignored: a newer version wrote them, and they must not make the whole directory
    /// unusable.
    fn set_config(&mut self, record: &ConfigRecord) -> Result<(), ApplyError> {
        match record.resource_type {
            RESOURCE_TOPIC => {
                let name: Arc<str> = Arc::from(&*record.resource_name);
                let layer = self
                    .topic_configs
                    .entry(name)
                    .or_insert_with(|| empty(&TOPIC));
                change(Arc::make_mut(layer), record);
            }
            RESOURCE_BROKER => {
                let node: Option<NodeId> = record.resource_name.parse().ok();
                let layer = self
                    .broker_configs
                    .entry(node)
                    .or_insert_with(|| empty(&BROKER));
                change(Arc::make_mut(layer), record);
            }
            other => return Err(ApplyError::UnknownResource(other)),
        }
        Ok(())
    }

    fn set_next_producer_id(&mut self, next: i64) -> Result<(), ApplyError> {
        let known = self.next_producer_id.get();
        if next < known {
            return Err(ApplyError::ProducerIdsGoBack {
                recorded: next,
                known,
            });
        }
        self.next_producer_id = ProducerId::new(next);
        Ok(())
    }

    fn set_scram(&mut self, record: &UserScramCredentialRecord) -> Result<(), ApplyError> {
        let mechanism = scram_mechanism(record.mechanism)?;
        self.scram_credentials
            .entry(Arc::from(&*record.name))
            .or_default()
            .insert(mechanism, ScramCredential::from(record));
        Ok(())
    }

    fn remove_scram(&mut self, record: &RemoveUserScramCredentialRecord) -> Result<(), ApplyError> {
        let mechanism = scram_mechanism(record.mechanism)?;
        if let Some(credentials) = self.scram_credentials.get_mut(&*record.name) {
            credentials.remove(&mechanism);
            if credentials.is_empty() {
                self.scram_credentials.remove(&*record.name);
            }
        }
        Ok(())
    }

    fn topic_mut(&mut self, id: Uuid) -> Result<&mut TopicImage, ApplyError> {
        self.topics
            .get_mut(&id)
            .map(Arc::make_mut)
            .ok_or(ApplyError::UnknownTopic(id))
    }
}

fn empty(table: &'static Table) -> Arc<Layer> {
    Arc::new(Layer::new(table))
}

fn change(layer: &mut Layer, record: &ConfigRecord) {
    match &record.value {
        Some(value) => {
            let _ = layer.set(&record.name, value);
        }
        None => {
            layer.unset(&record.name);
        }
    }
}

fn scram_mechanism(code: i8) -> Result<ScramMechanism, ApplyError> {
    ScramMechanism::from_code(code).ok_or(ApplyError::UnknownScramMechanism(code))
}

fn leader(id: NodeId) -> Option<NodeId> {
    (id != NO_LEADER).then_some(id)
}

fn gap(topic: &TopicImage, partition: i32) -> ApplyError {
    ApplyError::PartitionGap {
        topic: topic.id,
        partition,
        count: topic.partitions.len(),
    }
}
