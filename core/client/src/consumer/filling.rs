//! Fetching ahead: keeps one fetch in flight to every leader that has fetchable partitions.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Consumer;
use super::leader_fetches::LeaderAnswer;
use super::options::BatchStream;
use crate::error::{Error, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::{FetchLimits, FetchTarget, LeaderTargets, by_leader};

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

    /// Sends fetches and waits up to `wait` for any response. Fetches without a response stay in flight. Retriable errors and missing
    /// partitions are retried later; other errors are returned. Returns whether anything was fetched.
    pub(super) async fn fetch_ahead(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        self.find_positions().await?;
        let targets = self.fetch_targets(stream);
        let (leaders, without_leader) = by_leader(&self.cluster, targets).await;
        self.send_fetches(leaders, stream);
        let mut any = self.handle_answers(without_leader, stream).await?;
        let wait = self.until_retry(wait);
        if self.leader_fetches.is_empty() {
            tokio::time::sleep(wait).await;
            return Ok(any);
        }
        let answered = tokio::time::timeout(wait, self.leader_fetches.answered()).await;
        let mut answers = Vec::new();
        let mut failures = Vec::new();
        for LeaderAnswer {
            leader,
            targets,
            answer,
        } in answered.unwrap_or_default()
        {
            match answer {
                Ok(of_leader) => {
                    self.leader_fetches.succeeded(leader);
                    answers.extend(of_leader);
                }
                Err(error) => failures.push((leader, targets, error)),
            }
        }
        // Errors last, so that good batches are kept even if the caller stops waiting.
        any |= self.handle_answers(answers, stream).await?;
        for (leader, targets, error) in failures {
            self.leader_failed(leader, targets, &error).await?;
        }
        Ok(any)
    }

    fn fetch_targets(&self, stream: Option<&BatchStream>) -> Vec<FetchTarget> {
        let now = Instant::now();
        let ends = stream.and_then(BatchStream::ends);
        let targets = self
            .assignment
            .fetchable(ends.as_deref())
            .filter(|assigned| !self.known_topics.is_backing_off(&assigned.partition, now));
        let targets = targets.filter_map(|assigned| {
            Some(FetchTarget {
                partition: assigned.partition.clone(),
                fetch_offset: assigned.fetch_offset()?,
                max_bytes: self.config.max_partition_fetch_bytes,
            })
        });
        targets.collect()
    }

    /// Sends fetches to the leaders that have none in flight. They share `fetch.max.bytes` (or the stream's `max_bytes`, if larger), less the
    /// bytes already fetched ahead.
    fn send_fetches(&mut self, leaders: Vec<LeaderTargets>, stream: Option<&BatchStream>) {
        let sharers = leaders.len().max(1);
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
        for leader in self.leader_fetches.retain_current(leaders, Instant::now()) {
            self.leader_fetches.start(&self.fetches, leader, limits);
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

    /// Backs off from a leader, and refreshes its topics in the background, so that fetches from other leaders continue.
    async fn leader_failed(
        &mut self,
        leader: i32,
        targets: Vec<FetchTarget>,
        error: &Error,
    ) -> Result<()> {
        self.cluster.prepare_retry(error, None).await?;
        let retry = self.cluster.config().retry;
        self.leader_fetches.failed(leader, &retry, Instant::now());
        if remedy(error.code()) == Remedy::FindLeader {
            let topics: BTreeSet<_> = targets
                .into_iter()
                .map(|target| target.partition.topic)
                .collect();
            for topic in topics {
                self.cluster.refresh_in_background(topic);
            }
        }
        Ok(())
    }
}
