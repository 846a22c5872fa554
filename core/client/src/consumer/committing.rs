//! Commits: what the caller asks for, and what is committed for it from time to time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use headwater_protocol::{ErrorCode, Str};
use headwater_record::Offset;
use tokio::task::JoinHandle;

use super::Consumer;
use super::finished::Finished;
use super::group::Identity;
use super::group::offsets::{self, Offsets};
use crate::batch::TopicPartition;
use crate::cluster::Coordinator;
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

/// What is finished, and when it is committed.
#[derive(Debug)]
pub(super) struct Committing {
    pub(super) finishing: Finishing,
    pub(super) finished: Finished,
    /// How often it commits by itself; `None` never.
    interval: Option<Duration>,
    due: Instant,
    /// A commit that nobody waits for. The next one does, so that they arrive in order.
    on_its_way: Option<SentCommit>,
}

/// A commit that was sent, and whether it succeeds.
#[derive(Debug)]
struct SentCommit {
    offsets: Offsets,
    answer: JoinHandle<bool>,
}

impl Committing {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self {
            finishing: Finishing::default(),
            finished: Finished::default(),
            due: Instant::now() + interval.unwrap_or_default(),
            interval,
            on_its_way: None,
        }
    }
}

impl Consumer {
    /// When records count as finished.
    pub fn finish_when(&mut self, finishing: Finishing) {
        self.committing.finishing = finishing;
    }

    /// The records before these offsets are finished. Only partitions that are assigned count.
    pub fn finish(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        self.committing.finished.finish(next_offsets);
    }

    /// For a caller who works through what was handed out without polling: tells the group that it is alive, and commits what is due.
    pub fn keep_up(&mut self) {
        self.group_polled();
        self.commit_if_due();
    }

    /// Commits the positions of all assigned partitions, or `what`: the offsets to be read next. The records before them are finished:
    /// auto-commit does not go back behind them.
    ///
    /// A topic that was deleted since it was assigned is left out. An error tells that nothing is known to be committed. If the group has
    /// rebalanced without this member, its partitions are lost, and the next poll joins again.
    pub async fn commit(&mut self, what: Option<BTreeMap<TopicPartition, Offset>>) -> Result<()> {
        let (coordinator, offsets) = self.commit_of(what)?;
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        let commit = async {
            self.wait_for_commit().await;
            self.commit_now(&coordinator, &offsets).await
        };
        wakeup.end(&cluster, commit).await
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
        for partition in partitions {
            self.cluster.topic_metadata(&partition.topic).await?;
        }
        let assigned = self.assignment.partitions();
        let partitions = if partitions.is_empty() {
            &assigned
        } else {
            partitions
        };
        offsets::committed(&self.cluster, &coordinator, partitions).await
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
            let positions = self.assignment.positions();
            self.committing.finished.finish(&positions);
        }
    }

    /// Commits by itself, if it is time. Nobody waits for it.
    pub(super) fn commit_if_due(&mut self) {
        let (Some(interval), Some(coordinator)) = (self.committing.interval, &self.coordinator)
        else {
            return;
        };
        let coordinator = Arc::clone(coordinator);
        let now = Instant::now();
        if now < self.committing.due || self.commit_is_on_its_way() {
            return;
        }
        self.committing.due = now + interval;
        let offsets = self.committing.finished.to_commit();
        if !offsets.is_empty() {
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
        let offsets = self.committing.finished.to_commit();
        if let Err(error) = self.commit_now(&coordinator, &offsets).await {
            tracing::warn!(%error, "records since the last commit come again");
        }
    }

    /// What an explicit commit commits. It is finished from now on, whether the commit succeeds or not.
    fn commit_of(&mut self, what: Option<Offsets>) -> Result<(Arc<Coordinator>, Offsets)> {
        self.refuse_if_closed()?;
        let coordinator = self.coordinator()?;
        let offsets = what.unwrap_or_else(|| self.assignment.positions());
        self.committing.finished.say(&offsets);
        Ok((coordinator, offsets))
    }

    async fn commit_now(&mut self, coordinator: &Coordinator, offsets: &Offsets) -> Result<()> {
        let identity = self.identity();
        let ids = self.known_topics.ids();
        let result = offsets::commit(&self.cluster, coordinator, &identity, offsets, &ids).await;
        let missing = match result {
            Ok(missing) => missing,
            Err(error) => {
                if let Some(group) = &self.group {
                    group.commit_refused(error.code(), &identity);
                }
                return Err(self.explain_refusal(error, coordinator));
            }
        };
        let mut committed = offsets.clone();
        committed.retain(|partition, _| !missing.contains_key(partition));
        self.committing.finished.committed(&committed);
        // The topic was deleted while it was read: its offsets are of no use.
        let unknown = missing
            .into_iter()
            .find(|(partition, _)| !self.assignment.contains(partition));
        unknown.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// A member that has never had partitions has lost none.
    fn explain_refusal(&self, error: Error, coordinator: &Coordinator) -> Error {
        let is_about_membership = matches!(
            error.code(),
            ErrorCode::UnknownMemberId
                | ErrorCode::IllegalGeneration
                | ErrorCode::RebalanceInProgress
        );
        if !is_about_membership || !self.waits_for_partitions() {
            return error;
        }
        Error::with_code(
            error.kind(),
            error.code(),
            format!(
                "Cannot commit offsets of group \"{}\": the consumer has not joined the group yet, and the group has other members. Poll \
                 until partitions are assigned, then commit.",
                coordinator.group_id()
            ),
        )
        .caused_by(error)
    }

    fn send_commit(&mut self, coordinator: Arc<Coordinator>, offsets: Offsets) {
        let cluster = self.cluster.clone();
        let identity = self.identity();
        let ids = self.known_topics.ids();
        let sent = offsets.clone();
        let commit = async move {
            let committed = offsets::commit(&cluster, &coordinator, &identity, &sent, &ids).await;
            if let Err(error) = &committed {
                tracing::warn!(%error, "a commit failed; the next one covers it");
            }
            committed.is_ok()
        };
        self.committing.on_its_way = Some(SentCommit {
            offsets,
            answer: self.cluster.runtime().spawn(commit),
        });
    }

    /// Whether a commit that was sent is not answered yet.
    fn commit_is_on_its_way(&mut self) -> bool {
        let Some(sent) = &mut self.committing.on_its_way else {
            return false;
        };
        let Some(answer) = (&mut sent.answer).now_or_never() else {
            return true;
        };
        self.commit_arrived(answer.unwrap_or(false));
        false
    }

    async fn wait_for_commit(&mut self) {
        if let Some(sent) = &mut self.committing.on_its_way {
            let answer = (&mut sent.answer).await;
            self.commit_arrived(answer.unwrap_or(false));
        }
    }

    fn commit_arrived(&mut self, succeeded: bool) {
        if let Some(sent) = self.committing.on_its_way.take()
            && succeeded
        {
            self.committing.finished.committed(&sent.offsets);
        }
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
