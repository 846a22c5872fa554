//! Fetches in flight, at most one per leader, so that an idle leader does not delay the records of another.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use parking_lot::Mutex;

use crate::cluster::Cluster;
use crate::config::RetryConfig;
use crate::error::Result;
use crate::fetch::{FetchLimits, FetchTarget, LeaderTargets, PartitionAnswer, fetch_from};
use crate::mutants::{self, Mutant};

type Answer = Result<Vec<PartitionAnswer>>;

/// The fetches of one consumer. They survive the call that sent them, so a cancelled call loses no response.
#[derive(Debug, Default)]
pub(super) struct LeaderFetches {
    in_flight: Vec<LeaderFetch>,
    /// Failed leaders, and when to retry them.
    backoffs: BTreeMap<i32, Backoff>,
}

struct LeaderFetch {
    leader: i32,
    targets: Vec<FetchTarget>,
    /// Never contended: the mutex only makes the consumer `Sync`.
    answer: Mutex<Pin<Box<dyn Future<Output = Answer> + Send>>>,
}

#[derive(Debug, Clone, Copy)]
struct Backoff {
    failures: u32,
    until: Instant,
}

/// The response of a leader, or its error.
#[derive(Debug)]
pub(super) struct LeaderAnswer {
    pub(super) leader: i32,
    pub(super) targets: Vec<FetchTarget>,
    pub(super) answer: Answer,
}

impl LeaderFetches {
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Drops fetches that do not cover the current targets, after a seek or a new assignment. Returns the leaders without a fetch in flight
    /// that are not backing off.
    pub(super) fn retain_current(
        &mut self,
        current: Vec<LeaderTargets>,
        now: Instant,
    ) -> Vec<LeaderTargets> {
        let mut to_send = Vec::with_capacity(current.len());
        for current in current {
            let leader = current.leader;
            let fetch = self
                .in_flight
                .iter()
                .position(|fetch| fetch.leader == leader);
            let covers = |fetch: &LeaderFetch| {
                if mutants::is_active(Mutant::DropFetches) {
                    return false;
                }
                let mut targets = current.targets();
                targets.all(|target| fetch.targets.contains(target))
            };
            match fetch {
                Some(index) if covers(&self.in_flight[index]) => continue,
                Some(index) => drop(self.in_flight.swap_remove(index)),
                None => {}
            }
            let backoff = self.backoffs.get(&leader);
            if backoff.is_none_or(|backoff| backoff.until <= now) {
                to_send.push(current);
            }
        }
        to_send
    }

    /// Sends a fetch to a leader that has none in flight.
    pub(super) fn start(&mut self, cluster: &Cluster, targets: LeaderTargets, limits: FetchLimits) {
        let cluster = cluster.clone();
        self.in_flight.push(LeaderFetch {
            leader: targets.leader,
            targets: targets.targets().cloned().collect(),
            answer: Mutex::new(Box::pin(async move {
                fetch_from(&cluster, &targets, limits).await
            })),
        });
    }

    /// Waits for at least one response, and returns all that have arrived. Never resolves if no fetch is in flight.
    pub(super) async fn answered(&mut self) -> Vec<LeaderAnswer> {
        std::future::poll_fn(|context| {
            let mut answered = Vec::new();
            self.in_flight.retain_mut(|fetch| {
                let Poll::Ready(answer) = fetch.answer.get_mut().as_mut().poll(context) else {
                    return true;
                };
                answered.push(LeaderAnswer {
                    leader: fetch.leader,
                    targets: std::mem::take(&mut fetch.targets),
                    answer,
                });
                false
            });
            if answered.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(answered)
            }
        })
        .await
    }

    /// Resets the backoff of a leader.
    pub(super) fn succeeded(&mut self, leader: i32) {
        if !self.backoffs.is_empty() {
            self.backoffs.remove(&leader);
        }
    }

    /// Increases the backoff of a leader.
    pub(super) fn failed(&mut self, leader: i32, retry: &RetryConfig, now: Instant) {
        let failures = self
            .backoffs
            .get(&leader)
            .map_or(0, |backoff| backoff.failures)
            + 1;
        let until = now + retry.jittered_pause(failures);
        self.backoffs.insert(leader, Backoff { failures, until });
    }

    /// When the next leader may be retried.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        let retry_times = self.backoffs.values().map(|backoff| backoff.until);
        retry_times.filter(|until| *until > now).min()
    }
}

impl fmt::Debug for LeaderFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderFetch")
            .field("leader", &self.leader)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
