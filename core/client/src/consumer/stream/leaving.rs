//! Gives up partitions: first reports them, while their offsets can still be committed.

use super::super::Consumer;
use super::super::group::Todo;
use super::super::rebalancing::Rebalance;
use super::{Event, Operation};
use crate::error::Result;

impl Consumer {
    /// Commits finished records (with `enable.auto.commit`), leaves the group and clears the assignment. The last table
    /// or message that was handed out is not finished.
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
        self.release_all().await;
        self.leader_fetches.close(&self.fetches).await;
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
                self.commit_finished().await;
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
}
