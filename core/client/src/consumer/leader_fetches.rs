//! Fetches in flight, at most one for each leader, so that a leader that has nothing new never delays the records of another.

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

/// The fetches of one consumer. They outlive the call that sent them: a caller that stops waiting loses no answer.
#[derive(Debug, Default)]
pub(super) struct LeaderFetches {
    in_flight: Vec<LeaderFetch>,
    /// Leaders that failed, and when they may be asked again.
    resting: BTreeMap<i32, Rest>,
}

struct LeaderFetch {
    leader: i32,
    targets: Vec<FetchTarget>,
    /// Only locked where it is borrowed mutably anyway: the lock makes a consumer `Sync`.
    answer: Mutex<Pin<Box<dyn Future<Output = Answer> + Send>>>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    failures: u32,
    until: Instant,
}

/// What a leader answered, or why it did not.
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

    /// Drops fetches that do not read what is wanted now: the caller has sought, or was assigned more. Returns the leaders to be asked, which
    /// have no fetch in flight and do not rest.
    pub(super) fn keep_wanted(
        &mut self,
        wanted: Vec<LeaderTargets>,
        now: Instant,
    ) -> Vec<LeaderTargets> {
        let mut to_ask = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let leader = wanted.leader;
            let fetch = self
                .in_flight
                .iter()
                .position(|fetch| fetch.leader == leader);
            let covers = |fetch: &LeaderFetch| {
                if mutants::lives(Mutant::DropFetches) {
                    return false;
                }
                let mut targets = wanted.targets();
                targets.all(|target| fetch.targets.contains(target))
            };
            match fetch {
                Some(index) if covers(&self.in_flight[index]) => continue,
                Some(index) => drop(self.in_flight.swap_remove(index)),
                None => {}
            }
            let rest = self.resting.get(&leader);
            if rest.is_none_or(|rest| rest.until <= now) {
                to_ask.push(wanted);
            }
        }
        to_ask
    }

    /// Sends a fetch to a leader that has none in flight.
    pub(super) fn start(&mut self, cluster: &Cluster, asked: LeaderTargets, limits: FetchLimits) {
        let cluster = cluster.clone();
        self.in_flight.push(LeaderFetch {
            leader: asked.leader,
            targets: asked.targets().cloned().collect(),
            answer: Mutex::new(Box::pin(async move {
                fetch_from(&cluster, &asked, limits).await
            })),
        });
    }

    /// Waits until a leader has answered. Returns the answers of all leaders that have by then. Waits for ever if no fetch is in flight.
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

    /// A leader has answered.
    pub(super) fn succeeded(&mut self, leader: i32) {
        if !self.resting.is_empty() {
            self.resting.remove(&leader);
        }
    }

    /// A leader has failed: it rests before it is asked again, longer with each failure.
    pub(super) fn failed(&mut self, leader: i32, retry: &RetryConfig, now: Instant) {
        let failures = self.resting.get(&leader).map_or(0, |rest| rest.failures) + 1;
        let until = now + retry.jittered_pause(failures);
        self.resting.insert(leader, Rest { failures, until });
    }

    /// When the next leader that rests may be asked again.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        let rests = self.resting.values().map(|rest| rest.until);
        rests.filter(|until| *until > now).min()
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
