//! The background task of a member: sends what [`Member`](super::member::Member) says, in the client's runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::ApiRequest;

use super::Shared;
use super::assignors::PartitionCounts;
use super::caller::Todo;
use super::member::{Look, Step};
use crate::error::Result;

/// The coordinator holds a join until the slowest member has joined; the network takes its time, too.
const BEYOND_REBALANCE: Duration = Duration::from_secs(5);

impl Shared {
    /// Runs until it is aborted.
    pub(super) async fn keep_membership(self: Arc<Self>) {
        loop {
            let step = self.member.lock().next(Instant::now());
            match step {
                Step::Wait(until) => {
                    // Nobody is woken for nothing: that would cut a fetch short.
                    if !matches!(self.member.lock().todo(), Todo::Nothing) {
                        self.changed.notify_one();
                    }
                    self.rest(until).await;
                }
                Step::FindCoordinator => {
                    let found = self.coordinator.find(&self.cluster).await.map(drop);
                    self.member.lock().coordinator_found(found, Instant::now());
                }
                Step::Look(look) => {
                    let counts = self.look(look).await;
                    self.member.lock().looked(counts, Instant::now());
                }
                Step::Join(request) => {
                    let answer = self.ask(request, self.join_timeout()).await;
                    self.member.lock().joined(answer, Instant::now());
                }
                Step::Sync(request) => {
                    let answer = self.ask(request, self.join_timeout()).await;
                    self.member.lock().synced(answer, Instant::now());
                }
                Step::Heartbeat(request) => {
                    let timeout = self.cluster.config().request_timeout;
                    let answer = self.ask(request, timeout).await;
                    self.member.lock().heard(answer, Instant::now());
                }
                Step::Leave(request) => {
                    let timeout = self.cluster.config().request_timeout;
                    let answer = self.ask(request, timeout).await;
                    if let Err(error) = answer {
                        tracing::info!(%error, "the group waits for the end of the session");
                    }
                    self.member.lock().left();
                }
            }
        }
    }

    async fn rest(&self, until: Option<Instant>) {
        let woken = self.wake.notified();
        match until {
            Some(until) => {
                let _ = tokio::time::timeout_at(until.into(), woken).await;
            }
            None => woken.await,
        }
    }

    /// One request to the coordinator.
    async fn ask<R: ApiRequest>(&self, request: R, timeout: Duration) -> Result<R::Response> {
        let node = self.coordinator.node(&self.cluster).await?;
        self.cluster.call_within(node, request, timeout).await
    }

    fn join_timeout(&self) -> Duration {
        let held = self.max_poll_interval + BEYOND_REBALANCE;
        self.cluster.config().request_timeout.max(held)
    }

    async fn look(&self, look: Look) -> Result<PartitionCounts> {
        let topics = match look {
            Look::All => {
                let mut topics = self.cluster.all_topics().await?;
                topics.retain(|topic| !(topic.internal && self.exclude_internal_topics));
                topics
            }
            Look::Named(topics) => self.cluster.existing_topics(&topics).await?,
        };
        Ok(topics
            .iter()
            .map(|topic| (Arc::clone(&topic.name), topic.partitions.len() as i32))
            .collect())
    }
}
