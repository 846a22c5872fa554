//! What the client knows of topics and leaders.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::MetadataResponseTopic;
use headwater_protocol::{ErrorCode, MetadataRequest, Str};
use headwater_record::PartitionId;
use parking_lot::RwLock;
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::position::Position;
use crate::transport::Node;

/// A topic as a broker described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    pub(crate) name: Arc<str>,
    wire_name: Str,
    pub(crate) topic_id: Uuid,
    pub(crate) internal: bool,
    /// The leader of each partition, by the partition's number.
    pub(crate) partitions: Vec<Option<i32>>,
}

impl TopicMetadata {
    /// The name as requests carry it.
    pub(crate) fn wire_name(&self) -> Str {
        self.wire_name.clone()
    }

    /// All partitions, by number.
    pub(crate) fn partition_ids(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.partitions.len() as i32).map(PartitionId::new)
    }

    /// Refuses a position that names a partition which the topic does not have.
    pub(crate) fn check(&self, at: &Position) -> Result<()> {
        if let Position::PerPartition(offsets) = at {
            for partition in offsets.keys() {
                self.leader(*partition)?;
            }
        }
        Ok(())
    }

    /// Who leads the partition; `None` while nobody does.
    pub(crate) fn leader(&self, partition: PartitionId) -> Result<Option<i32>> {
        let found = usize::try_from(partition.get())
            .ok()
            .and_then(|index| self.partitions.get(index));
        found.copied().ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownTopicOrPartition,
                format!(
                    "Topic \"{}\" has no partition {partition}: it has {}, numbered from 0.",
                    self.name,
                    self.partitions.len()
                ),
            )
            .in_topic(Arc::clone(&self.name))
            .in_partition(partition)
            .retriable(false)
        })
    }
}

/// What the client knows of topics. Old knowledge is asked for again after `metadata.max.age.ms`, wrong knowledge at once.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache {
    topics: RwLock<HashMap<Arc<str>, Entry>>,
    /// Grows whenever something known has changed.
    generation: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    metadata: Arc<TopicMetadata>,
    fetched: Instant,
}

impl MetadataCache {
    fn fresh(&self, name: &str, max_age: Duration) -> Option<Arc<TopicMetadata>> {
        let topics = self.topics.read();
        let entry = topics.get(name)?;
        (entry.fetched.elapsed() < max_age).then(|| Arc::clone(&entry.metadata))
    }

    fn learn(&self, metadata: TopicMetadata) -> Arc<TopicMetadata> {
        let metadata = Arc::new(metadata);
        let entry = Entry {
            metadata: Arc::clone(&metadata),
            fetched: Instant::now(),
        };
        let before = self
            .topics
            .write()
            .insert(Arc::clone(&metadata.name), entry);
        if before.is_some_and(|before| before.metadata != metadata) {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        metadata
    }

    fn forget(&self, name: &str) {
        if self.topics.write().remove(name).is_some() {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Client {
    /// Grows whenever something that was known about a topic has changed.
    pub(crate) fn metadata_generation(&self) -> u64 {
        self.shared.metadata.generation.load(Ordering::Acquire)
    }

    /// Forgets a topic that this client has changed.
    pub(crate) fn forget_topic(&self, name: &str) {
        self.shared.metadata.forget(name);
    }

    /// The topic as it was not longer ago than `metadata.max.age.ms`.
    pub(crate) async fn topic_metadata(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        let max_age = self.shared.config.metadata_max_age;
        match self.shared.metadata.fresh(name, max_age) {
            Some(metadata) => Ok(metadata),
            None => self.refresh_topic(name).await,
        }
    }

    /// The topic as it is now, or nothing while no broker can be asked: then what is known must do, and a retry comes back here.
    pub(crate) async fn look_again(&self, name: &str) -> Result<Option<Arc<TopicMetadata>>> {
        match self.refresh_topic(name).await {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The topic as it is now.
    pub(crate) async fn refresh_topic(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        let asked = MetadataRequestTopic {
            topic_id: Uuid::nil(),
            name: Some(Str::from(name)),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: Some(vec![asked]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let Some(topic) = response.topics.into_iter().next() else {
            return Err(error_codes::no_answer("Metadata"));
        };
        match read_topic(name, topic) {
            Ok(metadata) => Ok(self.shared.metadata.learn(metadata)),
            Err(error) => {
                self.shared.metadata.forget(name);
                Err(error)
            }
        }
    }

    /// Those of `names` that are there, by name.
    pub(crate) async fn topics_among(
        &self,
        names: &BTreeSet<Arc<str>>,
    ) -> Result<Vec<Arc<TopicMetadata>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let asked = names.iter().map(|name| MetadataRequestTopic {
            topic_id: Uuid::nil(),
            name: Some(Str::from(&**name)),
            ..Default::default()
        });
        let request = MetadataRequest {
            topics: Some(asked.collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            match read_topic(&name, topic) {
                Ok(metadata) => topics.push(self.shared.metadata.learn(metadata)),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    self.shared.metadata.forget(&name);
                }
                Err(error) => return Err(error),
            }
        }
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// All topics, by name.
    pub(crate) async fn all_topics(&self) -> Result<Vec<Arc<TopicMetadata>>> {
        let request = MetadataRequest {
            topics: None,
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            topics.push(self.shared.metadata.learn(read_topic(&name, topic)?));
        }
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }
}

fn read_topic(name: &str, topic: MetadataResponseTopic) -> Result<TopicMetadata> {
    let name: Arc<str> = Arc::from(name);
    let code = error_codes::code(topic.error_code);
    if code != ErrorCode::None {
        let error = error_codes::error(code, None, &format!("use topic \"{name}\""));
        return Err(error.in_topic(name));
    }
    let mut partitions = vec![None; topic.partitions.len()];
    for partition in topic.partitions {
        let leader = (partition.leader_id >= 0).then_some(partition.leader_id);
        if let Some(known) = usize::try_from(partition.partition_index)
            .ok()
            .and_then(|index| partitions.get_mut(index))
        {
            *known = leader;
        }
    }
    Ok(TopicMetadata {
        wire_name: Str::from(&*name),
        name,
        topic_id: topic.topic_id,
        internal: topic.is_internal,
        partitions,
    })
}
