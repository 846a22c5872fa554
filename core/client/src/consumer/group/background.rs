//! The background task of a member: carries out the steps of [`Member`](super::member::Member) in the client's runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::ApiRequest;

use super::Membership;
use super::assignors::PartitionCounts;
use super::caller::Todo;
use super::member::{MetadataTopics, Step};
use crate::error::Result;

/// Added to the rebalance timeout, for which the coordinator may hold a `JoinGroup`.
const JOIN_TIMEOUT_MARGIN: Duration = Duration::from_secs(5);

impl Membership {
    /// Runs until aborted.
    pub(super) async fn keep_membership(self: Arc<Self>) {
        loop {
            let step = self.member.lock().next(Instant::now());
            match step {
                Step::Wait(until) => {
                    // Wake the caller only for a todo: a wakeup cuts its fetch short.
                    if !matches!(self.member.lock().todo(), Todo::Nothing) {
                        self.changed.notify_one();
                    }
                    self.wait_until(until).await;
                }
                Step::FindCoordinator => {
                    let found = self.coordinator.find(&self.cluster).await.map(drop);
                    self.member.lock().coordinator_found(found, Instant::now());
                }
                Step::FetchMetadata(topics) => {
                    let counts = self.partition_counts(topics).await;
                    self.member.lock().metadata_fetched(counts, Instant::now());
                }
                Step::Join(request) => {
                    let answer = self.call_coordinator(request, self.join_timeout()).await;
                    self.member.lock().join_answered(answer, Instant::now());
                }
                Step::Sync(request) => {
                    let answer = self.call_coordinator(request, self.join_timeout()).await;
                    self.member.lock().sync_answered(answer, Instant::now());
                }
                Step::Heartbeat(request) => {
                    let timeout = self.cluster.config().request_timeout;
                    let answer = self.call_coordinator(request, timeout).await;
                    self.member
                        .lock()
                        .heartbeat_answered(answer, Instant::now());
                }
                Step::Leave(request) => {
                    let timeout = self.cluster.config().request_timeout;
                    let answer = self.call_coordinator(request, timeout).await;
                    if let Err(error) = answer {
                        tracing::info!(%error, "could not leave the group; the session will expire");
                    }
                    self.member.lock().left();
                }
            }
        }
    }

    async fn wait_until(&self, until: Option<Instant>) {
        let woken = self.wake.notified();
        match until {
            Some(until) => {
                let _ = tokio::time::timeout_at(until.into(), woken).await;
            }
            None => woken.await,
        }
    }

    /// Sends one request to the coordinator.
    async fn call_coordinator<R: ApiRequest>(
        &self,
        request: R,
        timeout: Duration,
    ) -> Result<R::Response> {
        let node = self.coordinator.node(&self.cluster).await?;
        self.cluster.call_within(node, request, timeout).await
    }

    fn join_timeout(&self) -> Duration {
        let rebalance_timeout = self.max_poll_interval + JOIN_TIMEOUT_MARGIN;
        self.cluster.config().request_timeout.max(rebalance_timeout)
    }

    async fn partition_counts(&self, topics: MetadataTopics) -> Result<PartitionCounts> {
        let topics = match topics {
            MetadataTopics::All => {
                let mut topics = self.cluster.all_topics().await?;
                topics.retain(|topic| !(topic.internal && self.exclude_internal_topics));
                topics
            }
            MetadataTopics::Named(topics) => self.cluster.existing_topics(&topics).await?,
        };
        Ok(topics
            .iter()
            .map(|topic| (Arc::clone(&topic.name), topic.partitions.len() as i32))
            .collect())
    }
}
