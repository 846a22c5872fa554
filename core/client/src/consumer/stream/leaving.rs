//! Gives up partitions: first reports them, while their offsets can still be committed.

use std::time::Duration;

use tokio::time::Instant;

use super::super::Consumer;
use super::super::group::Todo;
use super::super::group::offsets::Offsets;
use super::super::rebalancing::{Rebalance, Rebalancing};
use super::{Event, Operation};
use crate::error::Result;
use crate::mutants::{self, Mutant};

/// The longest time that leaving may take, like Java's `close()`.
const LEAVE_MAX: Duration = Duration::from_secs(30);

/// The time left for the steps of leaving: commits, the request that leaves, and the end of fetch sessions. The time
/// that the caller spends on a reported rebalance does not count.
#[derive(Debug, Clone, Copy)]
pub(in crate::consumer) struct LeaveTime(Duration);

impl LeaveTime {
    /// The time for all steps. `api_timeout` is `default.api.timeout.ms`.
    fn new(api_timeout: Duration) -> Self {
        if mutants::is_active(Mutant::LeaveWithoutLimit) {
            return Self(Duration::MAX);
        }
        Self(api_timeout.min(LEAVE_MAX))
    }

    /// Waits for a step while there is time. A step that is given up may still have sent its request.
    async fn spend_on(&mut self, step: impl Future<Output = ()>) {
        let start = Instant::now();
        if tokio::time::timeout(self.0, step).await.is_err() {
            tracing::warn!(
                "no broker has answered in time: a consumer stops waiting for its commit, or to leave its group"
            );
        }
        self.0 = self.0.saturating_sub(start.elapsed());
    }
}

impl Consumer {
    /// Commits finished records (with `enable.auto.commit`), leaves the group and clears the assignment. The last table
    /// or message that was handed out is not finished.
    ///
    /// Waits for brokers for at most `default.api.timeout.ms`, or 30 seconds if that is less. Then records may be read
    /// again, and the group rebalances when the session has expired.
    pub async fn unsubscribe(&mut self) -> Result<()> {
        while !matches!(self.next_event(&Operation::Unsubscribe).await?, Event::Left) {}
        Ok(())
    }

    /// [`Consumer::unsubscribe`], and rejects further calls. Idempotent.
    pub async fn close(&mut self) {
        while !matches!(self.close_or_event().await, Event::Left) {}
    }

    pub(super) async fn unsubscribe_or_event(&mut self) -> Result<Event> {
        self.refuse_if_closed()?;
        if let Some(rebalance) = self.announce_leaving().await {
            return Ok(Event::Rebalance(rebalance));
        }
        self.release_all().await;
        Ok(Event::Left)
    }

    pub(super) async fn close_or_event(&mut self) -> Event {
        if self.closed {
            return Event::Left;
        }
        // The handle may have ended a call in another thread. While the partitions are reported, the caller may still
        // commit.
        self.wakeup.reopen();
        if let Some(rebalance) = self.announce_leaving().await {
            return Event::Rebalance(rebalance);
        }
        self.wakeup.close();
        let mut time = self.release_all().await;
        time.spend_on(self.leader_fetches.close(&self.fetches))
            .await;
        self.closed = true;
        Event::Left
    }

    /// Commits finished records (with `enable.auto.commit`), and reports the partitions of a member once, like Java's
    /// `close()`. They can still be committed, unless they are lost.
    async fn announce_leaving(&mut self) -> Option<Rebalance> {
        self.finish_before_last();
        let partitions = self.assignment.partitions();
        if let Some(group) = &self.group
            && !partitions.is_empty()
            && self.rebalancing.announced != partitions
        {
            let is_lost = matches!(group.todo(), Todo::Lose(_));
            if !is_lost {
                let mut time = self.leave_time();
                self.commit_within(&mut time).await;
                self.rebalancing.leave_time = Some(time);
            }
            self.rebalancing.announced.clone_from(&partitions);
            let rebalance = if is_lost {
                Rebalance::Lost
            } else {
                Rebalance::Revoked
            };
            self.rebalancing.events.push_back(rebalance(partitions));
        }
        self.rebalancing.events.pop_front()
    }

    /// Commits finished records while there is time. Later nothing is sent: the partitions may have other owners.
    async fn commit_within(&mut self, time: &mut LeaveTime) {
        time.spend_on(self.commit_finished()).await;
        self.committing.give_up();
    }

    fn leave_time(&self) -> LeaveTime {
        let api_timeout = self.cluster.config().api_timeout;
        let left = self.rebalancing.leave_time;
        left.unwrap_or_else(|| LeaveTime::new(api_timeout))
    }

    /// Commits finished records, leaves the group and clears the assignment. Returns the time that is left.
    async fn release_all(&mut self) -> LeaveTime {
        let mut time = self.leave_time();
        self.commit_within(&mut time).await;
        if let Some(group) = self.group.take() {
            self.gauge.set_member(self.committer());
            time.spend_on(group.leave()).await;
        }
        self.assignment.clear();
        self.followed = None;
        self.deferred_topics = None;
        self.decode_ahead = None;
        self.assignment_changed(&Offsets::new());
        self.rebalancing = Rebalancing::default();
        time
    }
}
