//! The background task of a classic member: carries out the steps of [`ClassicMember`] in the client's runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::assignors::PartitionCounts;
use super::member::{ClassicMember, MetadataTopics, Step};
use crate::consumer::group::membership::Membership;
use crate::error::Result;

/// Added to the rebalance timeout, for which the coordinator may delay the response to a `JoinGroup`.
const JOIN_TIMEOUT_MARGIN: Duration = Duration::from_secs(5);

impl Membership<ClassicMember> {
    /// Runs until aborted.
    pub(in crate::consumer::group) async fn run(self: Arc<Self>) {
        loop {
            let step = self.member.lock().next(Instant::now());
            match step {
                Step::Wait(until) => self.rest(until).await,
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
                    self.leave_with(request).await;
                    self.member.lock().left();
                }
            }
        }
    }

    fn join_timeout(&self) -> Duration {
        let rebalance_timeout = self.member.lock().settings.group.max_poll_interval;
        let request_timeout = self.cluster.config().request_timeout;
        request_timeout.max(rebalance_timeout + JOIN_TIMEOUT_MARGIN)
    }

    async fn partition_counts(&self, topics: MetadataTopics) -> Result<PartitionCounts> {
        let topics = match topics {
            MetadataTopics::All => self.cluster.all_topics().await?,
            MetadataTopics::AllButInternal => {
                let mut topics = self.cluster.all_topics().await?;
                topics.retain(|topic| !topic.internal);
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
