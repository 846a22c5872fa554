//! Files of new partitions, which are put into service when the metadata record is durable.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::OpenState;
use headwater_metadata::{BrokerConfig, PartitionImage, TopicConfig, TopicImage};
use headwater_protocol::ErrorCode;
use headwater_record::PartitionId;

use super::{Partitions, Topic};
use crate::left_over::is_left_over;
use crate::partition::Partition;
use crate::partition_files::{PartitionError, TopicFacts, open_partition};
use crate::refusal::Refusal;

/// New partitions of a topic whose files exist but whose record is not written yet. Clients do not see them.
#[derive(Debug)]
pub(crate) struct NewPartitions<E: Env> {
    topic: TopicFacts,
    partitions: Vec<Arc<Partition<E>>>,
    directories: Vec<PathBuf>,
}

impl<E: Env> Partitions<E> {
    /// Creates the files of the partitions of `topic` that are not in service yet. The caller has the turn to change
    /// the metadata. After an error the files are deleted.
    pub(crate) fn prepare(
        &self,
        topic: &TopicImage,
        config: Arc<TopicConfig>,
        broker: &BrokerConfig,
    ) -> Result<NewPartitions<E>, Refusal> {
        let known = self.topics.by_id(topic.id);
        let present = known.map_or(0, |topic| topic.partitions().len());
        let mut new = NewPartitions {
            topic: TopicFacts {
                id: topic.id,
                name: Arc::clone(&topic.name),
                config,
            },
            partitions: Vec::new(),
            directories: Vec::new(),
        };
        for partition in topic.partitions().skip(present) {
            if let Err(error) = self.make_partition(&mut new, partition, broker) {
                self.discard(new);
                let message = format!(
                    "the files of \"{}\" cannot be created, and the change was not made: {error}. Then try again",
                    topic.name
                );
                return Err(Refusal::new(ErrorCode::KafkaStorageError, message));
            }
        }
        Ok(new)
    }

    /// Puts partitions into service whose record is durable.
    pub(crate) fn serve(&self, new: NewPartitions<E>) {
        match self.topics.by_id(new.topic.id) {
            Some(topic) => topic.extend(new.partitions),
            None => self.topics.insert(Arc::new(Topic::new(
                new.topic.id,
                new.topic.name,
                new.partitions,
            ))),
        }
    }

    /// Deletes the files of partitions that were not recorded. If this fails, they are deleted when the name is used
    /// again, or by the next open.
    pub(crate) fn discard(&self, new: NewPartitions<E>) {
        drop(new.partitions);
        let directory = self.directory.read();
        let Some(directory) = &*directory else { return };
        for path in new.directories {
            if let Err(error) = directory.remove_deleted(&path) {
                tracing::warn!(path = %path.display(), %error, "the files of a partition that was not recorded cannot be removed now; the next open removes them");
            }
        }
    }

    fn make_partition(
        &self,
        new: &mut NewPartitions<E>,
        partition: (PartitionId, &PartitionImage),
        broker: &BrokerConfig,
    ) -> Result<(), PartitionError> {
        let topic = &new.topic;
        let path = {
            let directory = self.directory.read();
            let Some(directory) = &*directory else {
                return Ok(());
            };
            self.finish_deletion(directory, &topic.name, partition.0)?;
            let path = directory.partition_path(&topic.name, partition.0.get());
            if self.env.metadata(&path)?.is_some() {
                if !is_left_over(&self.env, &path)? {
                    return Err(PartitionError::Taken { path });
                }
                directory.remove_deleted(&path)?;
            }
            path
        };
        new.directories.push(path.clone());
        let (opened, _) = open_partition(
            &self.env,
            &path,
            topic,
            partition,
            (broker, self.node_id),
            OpenState::UNKNOWN,
        )?;
        new.partitions.push(Arc::new(opened));
        Ok(())
    }
}
