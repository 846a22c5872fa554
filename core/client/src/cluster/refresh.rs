//! Metadata requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use headwater_protocol::find_coordinator_response::Coordinator as FoundCoordinator;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::{MetadataResponse, MetadataResponseTopic};
use headwater_protocol::{MetadataRequest, Response, Str};
use headwater_record::PartitionId;
use uuid::Uuid;

use super::Cluster;
use super::metadata::Brokers;
use super::named_leaders::NamedLeaders;
use super::retry::is_unanswered;
use super::topic_metadata::TopicMetadata;
use crate::admin::ClusterDescription;
use crate::error::{ErrorKind, Result};
use crate::error_codes;
use crate::mutants::{self, Mutant};
use crate::transport::{BrokerAddress, Node};

impl Cluster {
    /// Increases whenever the metadata of a topic changes.
    pub(crate) fn metadata_generation(&self) -> u64 {
        self.metadata.generation()
    }

    /// Expects a topic that this client has created, or changed to this number of partitions, even if a broker does not
    /// have it yet.
    pub(crate) fn topic_changed(&self, name: &str, partitions: usize) {
        self.metadata.forget(name);
        if self.transport.applies_changes_late() {
            self.metadata.changed(name, partitions, Instant::now());
        }
    }

    /// Drops a topic that this client has deleted.
    pub(crate) fn topic_deleted(&self, name: &str) {
        self.metadata.deleted(name);
    }

    /// Whether a broker that returned the topic with this number of partitions (0: unknown topic) lags behind the
    /// changes of this client.
    fn is_behind(&self, name: &str, partitions: usize) -> bool {
        self.metadata.is_behind(name, partitions, Instant::now())
    }

    /// Whether the topic is expected to exist although a broker has not returned it.
    pub(crate) fn expects_topic(&self, name: &str) -> bool {
        self.metadata.is_expected(name, Instant::now())
    }

    /// Records that the topic is unknown to a broker. Returns whether it may exist, because this client has recently
    /// created it, or has used it and there are other brokers.
    pub(crate) fn may_exist(&self, name: &str) -> bool {
        self.metadata.unknown(name, Instant::now())
    }

    /// The current metadata of the topic, for calls that begin with it. Includes the changes of this client, and
    /// retries like all calls.
    pub(crate) async fn look_up_topic(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        self.retried(Some(name), || {
            self.request_changed_topic(name, Some(Instant::now()))
        })
        .await
    }

    /// The topic's metadata, at most `metadata.max.age.ms` old. It is refreshed in the background before it expires, so
    /// that callers rarely wait. Includes the changes of this client.
    pub(crate) async fn topic_metadata(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        let since = match self.cached_topic(name) {
            Some(known) if self.is_behind(name, known.partitions.len()) => Some(Instant::now()),
            Some(known) => return Ok(known),
            // The response to a request in flight is recent enough.
            None => Instant::now().checked_sub(self.config.metadata_max_age),
        };
        self.request_changed_topic(name, since).await
    }

    /// The topic's metadata from a request sent at or after `since` (`None`: at any time). The request is repeated if
    /// the broker does not have the topic or partitions yet that this client has created.
    async fn request_changed_topic(
        &self,
        name: &str,
        mut since: Option<Instant>,
    ) -> Result<Arc<TopicMetadata>> {
        let mut attempts = 0;
        loop {
            let metadata = self.request_topic(name, since).await;
            let partitions = match &metadata {
                Ok(metadata) => metadata.partitions.len(),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => 0,
                Err(_) => return metadata,
            };
            if !self.is_behind(name, partitions) {
                return metadata;
            }
            attempts += 1;
            tokio::time::sleep(self.config.retry.jittered_pause(attempts)).await;
            since = Some(Instant::now());
        }
    }

    /// The topic's metadata, if it is cached and at most `metadata.max.age.ms` old. It is refreshed in the background
    /// before it expires.
    pub(crate) fn cached_topic(&self, name: &str) -> Option<Arc<TopicMetadata>> {
        let max_age = self.config.metadata_max_age;
        let known = self.metadata.fresh(name, max_age, Instant::now())?;
        if known.refresh_soon {
            self.refresh_in_background(Arc::clone(&known.metadata.name));
        }
        Some(known.metadata)
    }

    /// Refreshes the topic without waiting.
    pub(crate) fn refresh_in_background(&self, name: Arc<str>) {
        let cluster = self.clone();
        self.runtime.spawn(async move {
            if let Err(error) = cluster.refresh_topic(&name).await {
                tracing::debug!(topic = &*name, %error, "could not refresh the topic; it is requested again when its metadata expires");
            }
        });
    }

    /// The current metadata of the topic; `None` if no broker responds.
    pub(crate) async fn try_refresh_topic(&self, name: &str) -> Result<Option<Arc<TopicMetadata>>> {
        self.try_refresh_topic_since(name, Instant::now()).await
    }

    /// The topic's metadata from a request sent at or after `since`; `None` if no broker responds.
    pub(super) async fn try_refresh_topic_since(
        &self,
        name: &str,
        since: Instant,
    ) -> Result<Option<Arc<TopicMetadata>>> {
        if_answered(self.request_topic(name, Some(since)).await)
    }

    /// [`Cluster::topic_metadata`]; `None` if it is not cached and no broker responds.
    pub(crate) async fn try_topic_metadata(
        &self,
        name: &str,
    ) -> Result<Option<Arc<TopicMetadata>>> {
        if_answered(self.topic_metadata(name).await)
    }

    /// The current metadata of the topic, from a request sent after this call. Concurrent callers share one request.
    pub(crate) async fn refresh_topic(&self, name: &str) -> Result<Arc<TopicMetadata>> {
        self.request_topic(name, Some(Instant::now())).await
    }

    /// Applies the leaders from a response.
    pub(super) fn note_leaders(&self, response: &Response) {
        if !mutants::is_active(Mutant::IgnoreNamedLeaders)
            && let Some(named) = NamedLeaders::of(response)
            && let Some(brokers) = self.metadata.note_leaders(named)
        {
            self.transport.learn(&brokers);
        }
    }

    /// Records the address of a coordinator. The metadata may lack it: it is refreshed only when topics are used, and a
    /// broker that was starting at that time is not in it.
    pub(super) fn note_coordinator(&self, found: &FoundCoordinator) {
        let port = u16::try_from(found.port).unwrap_or_default();
        if port == 0 || found.host.is_empty() || mutants::is_active(Mutant::ForgetCoordinator) {
            return;
        }
        let brokers = self.metadata.note_address(found.node_id, &found.host, port);
        // Always: after a new start from the bootstrap addresses the transport has fewer brokers than the cache.
        self.transport.learn(&brokers);
    }

    /// Whether the cache has a leader with a later epoch than in `used` for the partition.
    pub(crate) fn knows_later_leader(&self, used: &TopicMetadata, partition: PartitionId) -> bool {
        let known = self.metadata.known(&used.name);
        known.is_some_and(|known| used.is_behind(&known, partition))
    }

    /// The topic's metadata from a request sent at or after `since` (`None`: at any time).
    async fn request_topic(
        &self,
        name: &str,
        since: Option<Instant>,
    ) -> Result<Arc<TopicMetadata>> {
        let lock = self.metadata.request_lock(name);
        let _guard = lock.lock().await;
        if let Some(metadata) = self.metadata.requested_since(name, since) {
            return Ok(metadata);
        }
        let requested_at = Instant::now();
        let response = self.request_metadata(Some(vec![by_name(name)])).await?;
        match read_topic(name, response) {
            Ok(metadata) => Ok(self.metadata.insert(metadata, requested_at)),
            Err(mut error) => {
                if error.kind() == ErrorKind::UnknownTopicOrPartition {
                    let may_exist = self.metadata.unknown(name, Instant::now());
                    if let Some(metadata) = self.request_topic_everywhere(name).await {
                        return Ok(self.metadata.insert(metadata, requested_at));
                    }
                    if !may_exist {
                        error = self.with_nearest_topic(error).await;
                    }
                } else {
                    self.metadata.forget(name);
                }
                Err(self.located(error))
            }
        }
    }

    /// The existing topics of `names`, sorted by name.
    pub(crate) async fn existing_topics(
        &self,
        names: &BTreeSet<Arc<str>>,
    ) -> Result<Vec<Arc<TopicMetadata>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let requested_at = Instant::now();
        let response = self
            .request_metadata(Some(names.iter().map(|name| by_name(name)).collect()))
            .await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            match self.cache_topic(&name, topic, requested_at) {
                Ok(metadata) => topics.push(metadata),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    let known = self.metadata.known(&name);
                    let may_exist = self.metadata.unknown(&name, Instant::now());
                    topics.extend(known.filter(|_| may_exist));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(by_topic_name(topics))
    }

    /// All topics, sorted by name.
    pub(crate) async fn all_topics(&self) -> Result<Vec<Arc<TopicMetadata>>> {
        let requested_at = Instant::now();
        let response = self.request_metadata(None).await?;
        let mut topics = Vec::with_capacity(response.topics.len());
        for topic in response.topics {
            let name = topic.name.clone().unwrap_or_default();
            topics.push(self.cache_topic(&name, topic, requested_at)?);
        }
        Ok(by_topic_name(topics))
    }

    /// Requests the names of all topics for suggestions. Without a response the known names stay.
    pub(super) async fn request_names(&self) {
        let Ok(response) = self.request_metadata(None).await else {
            return;
        };
        let topics = response.topics.iter().filter(|topic| !topic.is_internal);
        let names = topics.filter_map(|topic| topic.name.as_deref().map(Arc::from));
        self.metadata.set_topic_names(names.collect());
    }

    /// The names of the topics with these ids. Leaves out topics that are unknown to the broker.
    pub(crate) async fn topic_names(
        &self,
        ids: &BTreeSet<Uuid>,
    ) -> Result<BTreeMap<Uuid, Arc<str>>> {
        let requested_at = Instant::now();
        let topics = ids.iter().map(|id| MetadataRequestTopic {
            topic_id: *id,
            name: None,
            ..Default::default()
        });
        let response = self.request_metadata(Some(topics.collect())).await?;
        let mut names = BTreeMap::new();
        for topic in response.topics {
            let id = topic.topic_id;
            let Some(name) = topic.name.clone().filter(|name| !name.is_empty()) else {
                continue;
            };
            match self.cache_topic(&name, topic, requested_at) {
                Ok(metadata) => drop(names.insert(id, Arc::clone(&metadata.name))),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
                Err(error) => return Err(error),
            }
        }
        Ok(names)
    }

    /// The controller, which handles changes of topics and users.
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

    /// Replaces the list of brokers.
    pub(crate) async fn refresh_brokers(&self) -> Result<()> {
        self.request_metadata(Some(Vec::new())).await.map(drop)
    }

    /// The cluster as a broker describes it now.
    pub(crate) async fn describe(&self) -> Result<ClusterDescription> {
        let response = self.request_metadata(Some(Vec::new())).await?;
        let Brokers { known, controller } = brokers_of(&response);
        Ok(ClusterDescription {
            cluster_id: response.cluster_id.as_deref().map(str::to_owned),
            controller,
            brokers: known,
        })
    }

    fn cache_topic(
        &self,
        name: &str,
        topic: MetadataResponseTopic,
        requested_at: Instant,
    ) -> Result<Arc<TopicMetadata>> {
        let metadata = TopicMetadata::read(name, topic)?;
        Ok(self.metadata.insert(metadata, requested_at))
    }

    /// Sends a Metadata request (`None`: for all topics) to any broker, and caches the brokers of the response.
    async fn request_metadata(
        &self,
        topics: Option<Vec<MetadataRequestTopic>>,
    ) -> Result<MetadataResponse> {
        self.request_metadata_at(Node::Any, topics).await
    }

    pub(super) async fn request_metadata_at(
        &self,
        node: Node,
        topics: Option<Vec<MetadataRequestTopic>>,
    ) -> Result<MetadataResponse> {
        let request = MetadataRequest {
            topics,
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let response = self.call_for_metadata(node, request).await?;
        let brokers = brokers_of(&response);
        // A broker that starts does not have them yet.
        if brokers.known.is_empty() {
            return Ok(response);
        }
        // Always: two responses may reach the cache and the transport in different order, which the next one corrects.
        self.transport.learn(&brokers.known);
        self.metadata.set_brokers(brokers);
        Ok(response)
    }
}

fn if_answered(metadata: Result<Arc<TopicMetadata>>) -> Result<Option<Arc<TopicMetadata>>> {
    match metadata {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_unanswered(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn read_topic(name: &str, response: MetadataResponse) -> Result<TopicMetadata> {
    TopicMetadata::read(name, error_codes::only(response.topics, "Metadata")?)
}

pub(super) fn by_name(name: &str) -> MetadataRequestTopic {
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
