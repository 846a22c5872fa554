//! Asks brokers for metadata.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::{MetadataResponse, MetadataResponseTopic};
use headwater_protocol::{MetadataRequest, Str};
use uuid::Uuid;

use super::Cluster;
use super::metadata::Brokers;
use super::topic_metadata::TopicMetadata;
use crate::error::{ErrorKind, Result};
use crate::error_codes;
use crate::transport::{BrokerAddress, Node};

impl Cluster {
    /// Grows whenever the description of a topic changes.
    pub(crate) fn metadata_generation(&self) -> u64 {
        self.metadata.generation()
    }

    /// Forgets a topic that this client has changed.
    pub(crate) fn forget_topic(&self, name: &str) {
        self.metadata.forget(name);
    }

    /// The topic as a broker described it within the last `metadata.max.age.ms`. It is asked for again in the background before it is that
    /// old, so that callers seldom wait.
    pub(crate) async fn topic_metadata(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        let now = Instant::now();
        let Some(known) = self.metadata.fresh(name, self.config.metadata_max_age, now) else {
            // An answer that another caller waits for already is recent enough.
            return self
                .ask_topic(name, now.checked_sub(self.config.metadata_max_age))
                .await;
        };
        if known.refresh_soon {
            self.refresh_in_background(Arc::clone(&known.metadata.name));
        }
        Ok(known.metadata)
    }

    /// Asks for the topic again; nobody waits for the answer.
    pub(crate) fn refresh_in_background(&self, name: Arc<str>) {
        let cluster = self.clone();
        self.runtime.spawn(async move {
            if let Err(error) = cluster.refresh_topic(&name).await {
                tracing::debug!(topic = &*name, %error, "the topic is asked for again when its metadata has expired");
            }
        });
    }

    /// The topic as it is now; `None` while no broker can be asked.
    pub(crate) async fn try_refresh_topic(&self, name: &str) -> Result<Option<Arc<TopicMetadata>>> {
        match self.refresh_topic(name).await {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The topic as it is now, by a request that is sent after this call. Callers that wait for one in flight share the next.
    pub(crate) async fn refresh_topic(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        self.ask_topic(name, Some(Instant::now())).await
    }

    /// The topic as described in the answer to a request that was sent at or after `since` (`None`: ever).
    async fn ask_topic(&self, name: &str, since: Option<Instant>) -> Result<Arc<TopicMetadata>> {
        let lock = self.metadata.asking(name);
        let _asking = lock.lock().await;
        if let Some(metadata) = self.metadata.asked_since(name, since) {
            return Ok(metadata);
        }
        let asked = Instant::now();
        let response = self.ask(Some(vec![by_name(name)])).await?;
        let Some(topic) = response.topics.into_iter().next() else {
            return Err(error_codes::no_answer("Metadata"));
        };
        match TopicMetadata::read(name, topic) {
            Ok(metadata) => Ok(self.metadata.learn(metadata, asked)),
            Err(error) => {
                self.metadata.forget(name);
                Err(error)
            }
        }
    }

    /// Those of `names` that exist, by name.
    pub(crate) async fn existing_topics(
        &self,
        names: &BTreeSet<Arc<str>>,
    ) -> Result<Vec<Arc<TopicMetadata>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let asked = Instant::now();
        let response = self
            .ask(Some(names.iter().map(|name| by_name(name)).collect()))
            .await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            match self.learn(&name, topic, asked) {
                Ok(metadata) => topics.push(metadata),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    self.metadata.forget(&name);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(by_topic_name(topics))
    }

    /// All topics, by name.
    pub(crate) async fn all_topics(&self) -> Result<Vec<Arc<TopicMetadata>>> {
        let asked = Instant::now();
        let response = self.ask(None).await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            topics.push(self.learn(&name, topic, asked)?);
        }
        Ok(by_topic_name(topics))
    }

    /// The controller, which takes changes of topics and users.
    pub(crate) async fn controller(&self) -> Result<Node> {
        if self.metadata.controller().is_none() {
            self.refresh_brokers().await?;
        }
        Ok(self.metadata.controller().map_or(Node::Any, Node::Id))
    }

    /// All brokers.
    pub(crate) async fn brokers(&self) -> Result<Vec<Node>> {
        self.refresh_brokers().await?;
        let ids = self.metadata.broker_ids();
        Ok(ids.into_iter().map(Node::Id).collect())
    }

    pub(super) async fn refresh_brokers(&self) -> Result<()> {
        self.ask(Some(Vec::new())).await.map(drop)
    }

    fn learn(
        &self,
        name: &str,
        topic: MetadataResponseTopic,
        asked: Instant,
    ) -> Result<Arc<TopicMetadata>> {
        let metadata = TopicMetadata::read(name, topic)?;
        Ok(self.metadata.learn(metadata, asked))
    }

    /// One Metadata request: `None` for all topics. What it says about brokers is kept.
    async fn ask(&self, topics: Option<Vec<MetadataRequestTopic>>) -> Result<MetadataResponse> {
        let request = MetadataRequest {
            topics,
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.call_admin(Node::Any, request).await?;
        let brokers = brokers_of(&response);
        if self.metadata.learn_brokers(brokers.clone()) {
            self.transport.learn(&brokers.known);
        }
        Ok(response)
    }
}

fn by_name(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        topic_id: Uuid::nil(),
        name: Some(Str::from(name)),
        ..Default::default()
    }
}

fn by_topic_name(mut topics: Vec<Arc<TopicMetadata>>) -> Vec<Arc<TopicMetadata>> {
    topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    topics
}

fn brokers_of(response: &MetadataResponse) -> Brokers {
    let known = response.brokers.iter().map(|broker| BrokerAddress {
        id: broker.node_id,
        host: broker.host.to_string(),
        port: u16::try_from(broker.port).unwrap_or_default(),
        rack: broker.rack.as_deref().map(str::to_owned),
    });
    Brokers {
        known: known.collect(),
        controller: (response.controller_id >= 0).then_some(response.controller_id),
    }
}
