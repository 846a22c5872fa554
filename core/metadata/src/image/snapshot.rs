//! Converts an image to records.

use headwater_protocol::{
    ConfigRecord, FeatureLevelRecord, PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord,
    TopicRecord,
};

use super::{BrokerImage, Image, NodeId, PartitionImage, TopicImage};
use crate::MetadataRecord;
use crate::config::Layer;
use crate::records::{NO_LEADER, RESOURCE_BROKER, RESOURCE_TOPIC};

impl Image {
    /// The records that rebuild this image from an empty one, in order. Equal images give equal records.
    pub fn records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        for (name, level) in &self.features {
            let record = FeatureLevelRecord {
                name: name.as_str().into(),
                feature_level: *level,
                ..Default::default()
            };
            records.push(MetadataRecord::FeatureLevel(record));
        }
        records.extend(self.brokers().map(|(id, broker)| broker.record(id)));
        for topic in self.topics() {
            records.push(topic.record());
            let partitions = topic
                .partitions()
                .map(|(id, partition)| partition.record(topic.id, id.get()));
            records.extend(partitions);
            if let Some(layer) = self.topic_config(&topic.name) {
                records.extend(config_records(RESOURCE_TOPIC, &topic.name, layer));
            }
        }
        for (node, layer) in &self.broker_configs {
            let name = node.map_or_else(String::new, |id| id.to_string());
            records.extend(config_records(RESOURCE_BROKER, &name, layer));
        }
        if self.next_producer_id.get() > 0 {
            let next_producer_id = self.next_producer_id.get();
            let record = ProducerIdsRecord {
                next_producer_id,
                ..Default::default()
            };
            records.push(MetadataRecord::ProducerIds(record));
        }
        for (user, credentials) in &self.scram_credentials {
            let of_user = credentials
                .iter()
                .map(|(mechanism, credential)| credential.record(user, *mechanism));
            records.extend(of_user);
        }
        records
    }
}

impl BrokerImage {
    /// The record that registers this broker with `id`.
    pub fn record(&self, id: NodeId) -> MetadataRecord {
        MetadataRecord::RegisterBroker(RegisterBrokerRecord {
            broker_id: id,
            broker_epoch: self.epoch,
            incarnation_id: self.incarnation,
            rack: self.rack.as_ref().map(|rack| (&**rack).into()),
            fenced: self.fenced,
            ..Default::default()
        })
    }
}

impl TopicImage {
    /// The record that creates this topic, without its partitions.
    pub fn record(&self) -> MetadataRecord {
        let record = TopicRecord {
            name: (&*self.name).into(),
            topic_id: self.id,
            ..Default::default()
        };
        MetadataRecord::Topic(record)
    }
}

impl PartitionImage {
    /// The record that creates this partition of `topic` with the index `partition`.
    pub fn record(&self, topic: uuid::Uuid, partition: i32) -> MetadataRecord {
        MetadataRecord::Partition(PartitionRecord {
            partition_id: partition,
            topic_id: topic,
            replicas: self.replicas.clone(),
            isr: self.isr.clone(),
            leader: self.leader.unwrap_or(NO_LEADER),
            leader_epoch: self.leader_epoch.get(),
            partition_epoch: self.partition_epoch,
            ..Default::default()
        })
    }
}

fn config_records<'a>(
    resource_type: i8,
    name: &'a str,
    layer: &'a Layer,
) -> impl Iterator<Item = MetadataRecord> + 'a {
    layer.iter().map(move |(key, value)| {
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: name.into(),
            name: key.into(),
            value: Some(value.to_string().into()),
            ..Default::default()
        })
    })
}
