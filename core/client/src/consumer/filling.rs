//! Fetching ahead: keeps one fetch in flight to every leader, or preferred replica, of fetchable partitions.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Consumer;
use super::leader_fetches::{NodeAnswer, TargetAnswers};
use super::options::BatchStream;
use super::preferred_replica::PreferredReplica;
use crate::error::{Error, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::{FetchLimits, FetchTarget, NodeTargets, by_node};

impl Consumer {
    /// [`Consumer::fetch_ahead`] that returns early when the group may have a todo.
    pub(super) async fn fetch_or_group_change(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let Some(group) = &self.group else {
            return self.fetch_ahead(wait, stream).await;
        };
        let news = group.changed();
        tokio::select! {
            biased;
            () = news => Ok(false),
            filled = self.fetch_ahead(wait, stream) => filled,
        }
    }

    /// Sends fetches and waits up to `wait` for any response. Fetches without a response stay in flight. Retriable
    /// errors and missing partitions are retried later; other errors are returned. Returns whether anything was
    /// fetched.
    pub(super) async fn fetch_ahead(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        self.find_positions().await?;
        let mut any = self.send_to_idle_nodes(stream).await?;
        let wait = self.until_retry(wait);
        if self.leader_fetches.is_empty() {
            tokio::time::sleep(wait).await;
            return Ok(any);
        }
        let answered = tokio::time::timeout(wait, self.leader_fetches.answered()).await;
        let mut answers = Vec::new();
        let mut validations = Vec::new();
        let mut failures = Vec::new();
        for NodeAnswer {
            node,
            targets,
            answer,
        } in answered.unwrap_or_default()
        {
            match answer {
                Ok(TargetAnswers::Fetched(of_node)) => answers.extend(of_node),
                Ok(TargetAnswers::Validated(of_node)) => validations.extend(of_node),
                Err(error) => {
                    failures.push((node, targets, error));
                    continue;
                }
            }
            self.leader_fetches.succeeded(node);
        }
        // Errors last, so that good batches are kept even if the caller stops waiting.
        any |= self.handle_answers(answers, stream).await?;
        any |= self.handle_validations(validations, stream).await?;
        for (node, targets, error) in failures {
            self.node_failed(node, targets, &error)?;
        }
        Ok(any)
    }

    /// Sends fetches to the nodes that have none in flight. Looks up leaders only if a target has no fetch in flight,
    /// or the metadata has changed. Returns whether a position has changed.
    async fn send_to_idle_nodes(&mut self, stream: Option<&BatchStream>) -> Result<bool> {
        let targets = self.fetch_targets(stream);
        let generation = self.cluster.metadata_generation();
        if self.leader_fetches.covers(&targets, generation) {
            return Ok(false);
        }
        let (nodes, without_leader) = by_node(&self.cluster, targets).await;
        self.send_fetches(nodes, generation, stream);
        self.handle_answers(without_leader, stream).await
    }

    fn fetch_targets(&self, stream: Option<&BatchStream>) -> Vec<FetchTarget> {
        let now = Instant::now();
        let ends = stream.and_then(BatchStream::ends);
        let targets = self
            .assignment
            .fetchable(ends.as_deref())
            .filter(|assigned| !self.known_topics.is_backing_off(&assigned.partition, now));
        let targets = targets.filter_map(|assigned| {
            let fetch_offset = assigned.fetch_offset()?;
            Some(FetchTarget {
                partition: assigned.partition.clone(),
                fetch_offset,
                max_bytes: self.config.max_partition_fetch_bytes,
                offset_epoch: assigned.leader_epochs.before(fetch_offset),
                validated_epoch: assigned.validated_epoch,
                preferred_replica: assigned
                    .preferred_replica
                    .and_then(PreferredReplica::current),
            })
        });
        targets.collect()
    }

    /// Sends fetches to the nodes that have none in flight. They share `fetch.max.bytes` (or the stream's `max_bytes`,
    /// if larger), less the bytes already fetched ahead.
    fn send_fetches(
        &mut self,
        nodes: Vec<NodeTargets>,
        generation: u64,
        stream: Option<&BatchStream>,
    ) {
        let sharers = nodes.len().max(1);
        let ends = stream.and_then(BatchStream::ends);
        let ahead = self.assignment.fetched_bytes(ends.as_deref());
        let table = stream.map_or(0, |stream| stream.options().max_bytes);
        let budget = self.config.fetch_max_bytes.max(table);
        let share = budget.saturating_sub(ahead) / sharers;
        if share == 0 && ahead > 0 {
            return;
        }
        let limits = FetchLimits {
            max_wait: self.config.fetch_max_wait,
            min_bytes: self.config.fetch_min_bytes,
            max_bytes: share.max(1),
            isolation: self.config.isolation_level,
        };
        let now = Instant::now();
        for targets in self.leader_fetches.retain_current(nodes, generation, now) {
            self.leader_fetches.start(&self.fetches, targets, limits);
        }
    }

    /// The shorter of `wait` and the time until the next retry of a failed leader or partition.
    fn until_retry(&self, wait: Duration) -> Duration {
        let now = Instant::now();
        let retries = [
            self.known_topics.next_retry(now),
            self.leader_fetches.next_retry(now),
        ];
        let retry = retries.into_iter().flatten().min();
        retry.map_or(wait, |retry| retry.saturating_duration_since(now).min(wait))
    }

    /// Backs off from a node, and refreshes its topics in the background, so that fetches from other nodes continue.
    /// Partitions for which it was the preferred replica are read from their leader again.
    fn node_failed(&mut self, node: i32, targets: Vec<FetchTarget>, error: &Error) -> Result<()> {
        self.cluster.check_retry(error)?;
        let retry = self.cluster.config().retry;
        self.leader_fetches.failed(node, &retry, Instant::now());
        let mut topics = BTreeSet::new();
        for target in targets {
            if target.preferred_replica == Some(node) {
                self.replica_failed(&target.partition);
            } else if remedy(error.code()) == Remedy::FindLeader {
                topics.insert(target.partition.topic);
            }
        }
        for topic in topics {
            self.cluster.refresh_in_background(topic);
        }
        Ok(())
    }
}
