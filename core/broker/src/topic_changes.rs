//! Making topics and partitions: the record first, then the directories, then the world sees them.

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::OpenState;
use headwater_metadata::{Image, PartitionImage, TopicImage};
use headwater_record::PartitionId;

use crate::partition::Partition;
use crate::partition_files::{PartitionError, TopicFacts, open_partition};
use crate::state::State;
use crate::topics::Topic;

impl<E: Env> State<E> {
    /// Makes what a topic of the published image lacks on the disk and in service: all of it, or its newest partitions. The caller holds
    /// the controller. What fails here is made by the next open: the change itself is durable already.
    pub(crate) fn materialise(
        &self,
        image: &Image,
        topic: &TopicImage,
    ) -> Result<(), PartitionError> {
        let facts = TopicFacts {
            id: topic.id,
            name: Arc::clone(&topic.name),
            config: self.topic_config(image, &topic.name),
        };
        let known = self.topics.by_id(topic.id);
        let present = known.as_ref().map_or(0, |topic| topic.partitions().len());
        let mut made = Vec::new();
        let mut result = Ok(());
        for partition in topic.partitions().skip(present) {
            match self.make_partition(&facts, partition) {
                Ok(Some(partition)) => made.push(Arc::new(partition)),
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        match known {
            Some(topic) => topic.extend(made),
            None => self
                .topics
                .insert(Arc::new(Topic::new(facts.id, facts.name, made))),
        }
        result
    }

    fn make_partition(
        &self,
        facts: &TopicFacts,
        partition: (PartitionId, &PartitionImage),
    ) -> Result<Option<Partition<E>>, PartitionError> {
        let path = match &*self.directory.read() {
            Some(directory) => directory.partition_path(&facts.name, partition.0.get()),
            None => return Ok(None),
        };
        let config = self.config();
        let (partition, _) = open_partition(
            &self.env,
            &path,
            facts,
            partition,
            (&config, self.node_id),
            OpenState::UNKNOWN,
        )?;
        Ok(Some(partition))
    }
}
