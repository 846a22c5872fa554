//! Fetching ahead: every leader has a fetch in flight while there is something to read from it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Consumer;
use super::leader_fetches::LeaderAnswer;
use super::options::BatchStream;
use crate::error::{Error, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::{FetchLimits, FetchTarget, LeaderTargets, by_leader};

impl Consumer {
    /// [`Consumer::fill`] that comes back as soon as the group may want something.
    pub(super) async fn fill_or_news(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let Some(group) = &self.group else {
            return self.fill(wait, stream).await;
        };
        let news = group.changed();
        tokio::select! {
            biased;
            () = news => Ok(false),
            filled = self.fill(wait, stream) => filled,
        }
    }

    /// Waits up to `wait` for an answer of any leader; leaders that have not answered then keep their fetch in flight. Returns whether anything
    /// was fetched. What passes by itself (a leader that moves) is tried again later, and partitions that do not exist do not keep the others
    /// from being read; other errors are the caller's.
    pub(super) async fn fill(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        self.locate().await?;
        let targets = self.fetch_targets(stream);
        let (leaders, without_leader) = by_leader(&self.cluster, targets).await;
        self.ask(leaders, stream);
        let mut any = self.keep(without_leader, stream).await?;
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
        // Errors last: what came well is kept, whatever happens to the rest, and even if the caller stops waiting for that.
        any |= self.keep(answers, stream).await?;
        for (leader, targets, error) in failures {
            self.leader_failed(leader, targets, &error).await?;
        }
        Ok(any)
    }

    fn fetch_targets(&self, stream: Option<&BatchStream>) -> Vec<FetchTarget> {
        let now = Instant::now();
        let ends = stream.and_then(BatchStream::ends);
        let asked = self
            .assignment
            .fetchable(ends.as_deref())
            .filter(|assigned| !self.known_topics.rests(&assigned.partition, now));
        let targets = asked.filter_map(|assigned| {
            Some(FetchTarget {
                partition: assigned.partition.clone(),
                fetch_offset: assigned.fetch_offset()?,
                max_bytes: self.config.max_partition_fetch_bytes,
            })
        });
        targets.collect()
    }

    /// Sends fetches to the leaders that have none in flight. All leaders share `fetch.max.bytes`, less what lies ahead; a table may be larger if
    /// the caller asks for that.
    fn ask(&mut self, leaders: Vec<LeaderTargets>, stream: Option<&BatchStream>) {
        let sharers = leaders.len().max(1);
        let ends = stream.and_then(BatchStream::ends);
        let ahead = self.assignment.ahead(ends.as_deref()).bytes;
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
        for leader in self.leader_fetches.keep_wanted(leaders, Instant::now()) {
            self.leader_fetches.start(&self.fetches, leader, limits);
        }
    }

    /// How long to wait: up to `wait`, and no longer than until a leader or a partition that failed may be asked again.
    fn until_retry(&self, wait: Duration) -> Duration {
        let now = Instant::now();
        let retries = [
            self.known_topics.next_retry(now),
            self.leader_fetches.next_retry(now),
        ];
        let retry = retries.into_iter().flatten().min();
        retry.map_or(wait, |retry| retry.saturating_duration_since(now).min(wait))
    }

    /// Lets a leader rest, and asks in the background who leads its partitions now: the other leaders do not wait for that.
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
