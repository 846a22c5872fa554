//! Requests a topic that one broker does not have from the others.

use std::time::Duration;

use super::Cluster;
use super::refresh::{by_name, read_topic};
use super::topic_metadata::TopicMetadata;
use crate::mutants::{self, Mutant};
use crate::transport::Node;

/// The maximum time to wait for brokers while one of them does not have a topic.
const EVERYWHERE_MAX: Duration = Duration::from_secs(1);

impl Cluster {
    /// The metadata of a topic that one of several brokers does not have, from the first other one that has it: another
    /// client may have created it a moment ago. `None` if this client has just deleted it, or no broker had it a moment
    /// ago.
    pub(super) async fn request_topic_everywhere(&self, name: &str) -> Option<TopicMetadata> {
        let brokers = self.metadata.broker_ids();
        if brokers.len() < 2
            || !self.metadata.may_be_elsewhere(name)
            || mutants::is_active(Mutant::BelieveLaggingBrokers)
        {
            return None;
        }
        let requests = brokers.into_iter().map(|id| {
            Box::pin(async move {
                let topics = Some(vec![by_name(name)]);
                let response = self.request_metadata_at(Node::Id(id), topics).await?;
                read_topic(name, response)
            })
        });
        let first = futures_util::future::select_ok(requests);
        if let Ok(Ok((metadata, _))) = tokio::time::timeout(EVERYWHERE_MAX, first).await {
            return Some(metadata);
        }
        self.metadata.not_found(name);
        None
    }
}
