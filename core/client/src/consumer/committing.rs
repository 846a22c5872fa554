//! Commits: what the caller asks for, and what is committed for it from time to time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::Str;
use headwater_record::Offset;
use tokio::task::JoinHandle;

use super::Consumer;
use super::group::offsets::{self, Offsets};
use super::group::{Coordinator, Identity};
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};

/// When records count as finished, which is what `enable.auto.commit` commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finishing {
    /// A table is finished when the next one is asked for.
    #[default]
    WhenNextIsAsked,
    /// When the caller says so, with [`Consumer::finish`].
    WhenTold,
}

/// What is finished, and what of it is committed.
#[derive(Debug)]
pub(super) struct Committing {
    pub(super) finishing: Finishing,
    /// How often it commits by itself; `None` never.
    interval: Option<Duration>,
    due: Instant,
    /// For each partition that is read the first offset that is not finished.
    finished: Offsets,
    /// What it committed by itself last.
    committed: Offsets,
    /// A commit that nobody waits for. The next one does, so that they arrive in order.
    on_its_way: Option<JoinHandle<()>>,
}

impl Committing {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self {
            finishing: Finishing::default(),
            due: Instant::now() + interval.unwrap_or_default(),
            interval,
            finished: Offsets::new(),
            committed: Offsets::new(),
            on_its_way: None,
        }
    }

    /// These partitions are read, and no others. New ones are finished up to where they start.
    pub(super) fn follow(&mut self, positions: &Offsets) {
        self.finished
            .retain(|partition, _| positions.contains_key(partition));
        self.committed
            .retain(|partition, _| positions.contains_key(partition));
        for (partition, position) in positions {
            self.finished.entry(partition.clone()).or_insert(*position);
        }
    }

    fn finish(&mut self, next_offsets: &Offsets) {
        for (partition, next) in next_offsets {
            if let Some(finished) = self.finished.get_mut(partition) {
                *finished = *next;
            }
        }
    }

    /// What is finished and not committed.
    fn to_commit(&self) -> Offsets {
        self.finished
            .iter()
            .filter(|(partition, offset)| self.committed.get(partition) != Some(offset))
            .map(|(partition, offset)| (partition.clone(), *offset))
            .collect()
    }
}

impl Consumer {
    /// When records count as finished.
    pub fn finish_when(&mut self, finishing: Finishing) {
        self.committing.finishing = finishing;
    }

    /// The records before these offsets are finished. Only partitions that are assigned count.
    pub fn finish(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        self.committing.finish(next_offsets);
    }

    /// For a caller who works through what was handed out without polling: tells the group that it is alive, and commits what is due.
    pub fn keep_up(&mut self) {
        self.group_polled();
        self.commit_if_due();
    }

    /// Commits the positions of all assigned partitions, or `what`: the offsets to be read next.
    ///
    /// An error tells that nothing is known to be committed. If the group has rebalanced without this member, its partitions are lost, and
    /// the next poll joins again.
    pub async fn commit(&mut self, what: Option<BTreeMap<TopicPartition, Offset>>) -> Result<()> {
        let (coordinator, offsets) = self.commit_of(what)?;
        self.wait_for_commit().await;
        self.commit_now(&coordinator, &offsets).await
    }

    /// [`Consumer::commit`] without waiting for the answer; a failure is logged only.
    pub async fn commit_async(
        &mut self,
        what: Option<BTreeMap<TopicPartition, Offset>>,
    ) -> Result<()> {
        let (coordinator, offsets) = self.commit_of(what)?;
        self.wait_for_commit().await;
        self.send_commit(coordinator, offsets);
        Ok(())
    }

    /// The committed offsets of these partitions, or of all assigned ones if none is named. Those without one are left out.
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        self.refuse_if_closed()?;
        let coordinator = self.coordinator()?;
        let assigned = self.assignment.partitions();
        let partitions = if partitions.is_empty() {
            &assigned
        } else {
            partitions
        };
        offsets::committed(&self.client, &coordinator, partitions).await
    }

    pub(super) fn coordinator(&self) -> Result<Arc<Coordinator>> {
        self.coordinator.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "The consumer has no group: give it a group.id to subscribe and to commit.",
            )
        })
    }

    pub(super) fn finish_what_was_handed_out(&mut self) {
        if self.committing.finishing == Finishing::WhenNextIsAsked {
            self.committing.finish(&self.assignment.positions());
        }
    }

    /// Commits by itself, if it is time. Nobody waits for it.
    pub(super) fn commit_if_due(&mut self) {
        let (Some(interval), Some(coordinator)) = (self.committing.interval, &self.coordinator)
        else {
            return;
        };
        let now = Instant::now();
        if now < self.committing.due || self.commit_is_on_its_way() {
            return;
        }
        self.committing.due = now + interval;
        let offsets = self.committing.to_commit();
        if !offsets.is_empty() {
            let coordinator = Arc::clone(coordinator);
            self.committing.committed.extend(offsets.clone());
            self.send_commit(coordinator, offsets);
        }
    }

    /// Commits what is finished before partitions go. A failure does not keep them: their records come again elsewhere.
    pub(super) async fn commit_finished(&mut self) {
        let Some(coordinator) = self.coordinator.clone() else {
            return;
        };
        if self.committing.interval.is_none() {
            return;
        }
        self.wait_for_commit().await;
        // The last one may have failed, so all of it.
        let offsets = self.committing.finished.clone();
        if let Err(error) = self.commit_now(&coordinator, &offsets).await {
            tracing::warn!(%error, "records since the last commit come again");
        }
    }

    fn commit_of(&self, what: Option<Offsets>) -> Result<(Arc<Coordinator>, Offsets)> {
        self.refuse_if_closed()?;
        let coordinator = self.coordinator()?;
        Ok((
            coordinator,
            what.unwrap_or_else(|| self.assignment.positions()),
        ))
    }

    async fn commit_now(&mut self, coordinator: &Coordinator, offsets: &Offsets) -> Result<()> {
        let identity = self.identity();
        let result = offsets::commit(&self.client, coordinator, &identity, offsets).await;
        if let (Err(error), Some(group)) = (&result, &self.group) {
            group.commit_refused(error.code(), &identity);
        }
        result
    }

    fn send_commit(&mut self, coordinator: Arc<Coordinator>, offsets: Offsets) {
        let client = self.client.clone();
        let identity = self.identity();
        let commit = async move {
            if let Err(error) = offsets::commit(&client, &coordinator, &identity, &offsets).await {
                tracing::warn!(%error, "a commit failed; the next one covers it");
            }
        };
        self.committing.on_its_way = Some(self.client.runtime().spawn(commit));
    }

    fn commit_is_on_its_way(&self) -> bool {
        let commit = self.committing.on_its_way.as_ref();
        commit.is_some_and(|commit| !commit.is_finished())
    }

    async fn wait_for_commit(&mut self) {
        if let Some(commit) = &mut self.committing.on_its_way {
            let _ = commit.await;
        }
        self.committing.on_its_way = None;
    }

    fn identity(&self) -> Identity {
        match &self.group {
            Some(group) => group.identity(),
            None => Identity {
                member_id: Str::default(),
                instance_id: None,
                generation: -1,
            },
        }
    }
}
