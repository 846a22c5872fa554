//! Explicit commits and auto-commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use headwater_protocol::ErrorCode;
use headwater_record::Offset;
use tokio::task::JoinHandle;

use super::Consumer;
use super::finished::FinishedOffsets;
use super::group::offsets::{self, CommitMetadata, CommittedOffset, Offsets, OffsetsToCommit};
use super::group::{Committer, Group};
use super::stream::Finishing;
use crate::batch::TopicPartition;
use crate::cluster::Coordinator;
use crate::error::{Error, ErrorKind, Result};

/// The finished offsets, and the state of commits.
#[derive(Debug)]
pub(super) struct Committing {
    pub(super) finished: FinishedOffsets,
    pub(super) finishing: Finishing,
    /// The auto-commit interval; `None` without auto-commit.
    interval: Option<Duration>,
    due: Instant,
    /// An asynchronous commit. The next commit waits for it, so that they arrive in order.
    in_flight: Option<SentCommit>,
}

/// A commit that was sent. `answer` resolves to whether it succeeded.
#[derive(Debug)]
struct SentCommit {
    offsets: Offsets,
    cause: Cause,
    answer: JoinHandle<bool>,
}

/// A commit that failed, which was logged.
#[derive(Debug)]
pub(super) struct FailedCommit {
    offsets: Offsets,
    cause: Cause,
}

/// The cause of a commit whose answer no call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The caller or the interval: after a failure, a later commit includes its offsets.
    Progress,
    /// Partitions are about to be released: it is the last commit of this member.
    Release,
}

impl Committing {
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self {
            finished: FinishedOffsets::default(),
            finishing: Finishing::default(),
            due: Instant::now() + interval.unwrap_or_default(),
            interval,
            in_flight: None,
        }
    }

    /// Stops waiting for a commit, and its retries.
    pub(super) fn give_up(&mut self) {
        if let Some(sent) = self.in_flight.take() {
            sent.answer.abort();
        }
    }
}

impl Consumer {
    /// Commits `offsets` (the next offsets to read), or the positions of all assigned partitions. The records before
    /// them are finished: auto-commit does not go below these offsets.
    ///
    /// Leaves out topics deleted since their assignment. On an error, offsets may or may not be committed. If the group
    /// has rebalanced without this member, its partitions are lost, and the next poll rejoins.
    pub async fn commit(&mut self, offsets: Option<Offsets>) -> Result<()> {
        self.commit_with_metadata(offsets, CommitMetadata::new())
            .await
    }

    /// [`Consumer::commit`] with text that the group stores with the offset of a partition.
    pub async fn commit_with_metadata(
        &mut self,
        offsets: Option<Offsets>,
        metadata: CommitMetadata,
    ) -> Result<()> {
        self.ready().await?;
        let (coordinator, offsets) = self.offsets_to_commit(offsets)?;
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        let commit = async {
            self.wait_for_commit().await;
            self.commit_now(&coordinator, &offsets, &metadata).await
        };
        wakeup.interruptible(&cluster, commit).await
    }

    /// [`Consumer::commit`] without waiting for the response; a failure is only logged.
    pub async fn commit_async(&mut self, offsets: Option<Offsets>) -> Result<()> {
        self.commit_async_with_metadata(offsets, CommitMetadata::new())
            .await
    }

    /// [`Consumer::commit_with_metadata`] without waiting for the response; a failure is only logged.
    pub async fn commit_async_with_metadata(
        &mut self,
        offsets: Option<Offsets>,
        metadata: CommitMetadata,
    ) -> Result<()> {
        self.ready().await?;
        let (coordinator, offsets) = self.offsets_to_commit(offsets)?;
        self.wait_for_commit().await;
        self.send_commit(coordinator, offsets, metadata, Cause::Progress);
        Ok(())
    }

    /// The committed offsets of these partitions, or of all assigned ones if empty. Leaves out partitions without one.
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
        let member = self.committer();
        let committed =
            offsets::committed(&self.cluster, &coordinator, &member, partitions).await?;
        let offset = |(partition, committed): (_, CommittedOffset)| (partition, committed.offset);
        Ok(committed.into_iter().map(offset).collect())
    }

    pub(super) fn coordinator(&self) -> Result<Arc<Coordinator>> {
        self.coordinator.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "The consumer has no group: set group.id to subscribe or commit.",
            )
        })
    }

    /// Sends an auto-commit if it is due, without waiting for the response.
    pub(super) fn commit_if_due(&mut self) {
        let (Some(interval), Some(coordinator)) = (self.committing.interval, &self.coordinator)
        else {
            return;
        };
        let coordinator = Arc::clone(coordinator);
        let now = Instant::now();
        if now < self.committing.due || self.commit_is_in_flight() {
            return;
        }
        self.committing.due = now + interval;
        let offsets = self.committing.finished.to_commit();
        if !offsets.is_empty() {
            self.send_commit(coordinator, offsets, CommitMetadata::new(), Cause::Progress);
        }
    }

    /// Waits for the last [`Consumer::commit_async`], and auto-commits, before partitions are released. A failure is
    /// only logged: the records are read again. Safe to cancel: the next call waits for the same commit.
    pub(super) async fn commit_finished(&mut self) {
        let failed = self.wait_for_commit().await;
        let Some(coordinator) = self.coordinator.clone() else {
            return;
        };
        let offsets = self.committing.finished.to_commit();
        let has_failed = failed
            .is_some_and(|failed| failed.cause == Cause::Release && failed.offsets == offsets);
        if self.committing.interval.is_some() && !offsets.is_empty() && !has_failed {
            self.send_commit(coordinator, offsets, CommitMetadata::new(), Cause::Release);
            self.wait_for_commit().await;
        }
    }

    /// The offsets of an explicit commit. They count as finished even if the commit fails.
    fn offsets_to_commit(
        &mut self,
        offsets: Option<Offsets>,
    ) -> Result<(Arc<Coordinator>, Offsets)> {
        self.refuse_if_closed()?;
        let coordinator = self.coordinator()?;
        let offsets = offsets.unwrap_or_else(|| self.assignment.positions());
        self.committing.finished.commit_explicitly(&offsets);
        self.lookups.offsets_committed(&offsets);
        Ok((coordinator, offsets))
    }

    async fn commit_now(
        &mut self,
        coordinator: &Coordinator,
        offsets: &Offsets,
        metadata: &CommitMetadata,
    ) -> Result<()> {
        let member = self.committer();
        let ids = self.known_topics.ids();
        let epochs = self.assignment.epochs_before(offsets);
        let commit = OffsetsToCommit {
            offsets,
            metadata,
            epochs: &epochs,
            ids: &ids,
        };
        let missing = offsets::commit(&self.cluster, coordinator, &member, commit)
            .await
            .map_err(|error| {
                self.cluster
                    .located(self.explain_refusal(error, coordinator))
            })?;
        let mut committed = offsets.clone();
        committed.retain(|partition, _| !missing.contains_key(partition));
        self.committing.finished.committed(&committed);
        // Ignore assigned partitions: their topic was deleted while it was read.
        let unknown = missing
            .into_iter()
            .find(|(partition, _)| !self.assignment.contains(partition));
        unknown.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Replaces the message of a refused commit if the member has never had an assignment.
    fn explain_refusal(&self, error: Error, coordinator: &Coordinator) -> Error {
        let is_about_membership = matches!(
            error.code(),
            ErrorCode::UnknownMemberId
                | ErrorCode::IllegalGeneration
                | ErrorCode::RebalanceInProgress
        );
        if !is_about_membership || !self.awaits_assignment() {
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

    fn send_commit(
        &mut self,
        coordinator: Arc<Coordinator>,
        offsets: Offsets,
        metadata: CommitMetadata,
        cause: Cause,
    ) {
        let cluster = self.cluster.clone();
        let member = self.committer();
        let ids = self.known_topics.ids();
        let epochs = self.assignment.epochs_before(&offsets);
        let sent = offsets.clone();
        let commit = async move {
            let commit = OffsetsToCommit {
                offsets: &sent,
                metadata: &metadata,
                epochs: &epochs,
                ids: &ids,
            };
            let committed = offsets::commit(&cluster, &coordinator, &member, commit).await;
            match (&committed, cause) {
                (Ok(_), _) => {}
                (Err(error), Cause::Progress) => {
                    tracing::warn!(%error, "a commit failed; the next one includes its offsets");
                }
                (Err(error), Cause::Release) => {
                    tracing::warn!(%error, "auto-commit failed; records since the last commit will be read again");
                }
            }
            committed.is_ok()
        };
        self.committing.in_flight = Some(SentCommit {
            offsets,
            cause,
            answer: self.cluster.runtime().spawn(commit),
        });
    }

    /// Whether a commit is in flight.
    fn commit_is_in_flight(&mut self) -> bool {
        let Some(sent) = &mut self.committing.in_flight else {
            return false;
        };
        let Some(answer) = (&mut sent.answer).now_or_never() else {
            return true;
        };
        self.commit_answered(answer.unwrap_or(false));
        false
    }

    /// Waits for the commit in flight. Returns it if it failed.
    pub(super) async fn wait_for_commit(&mut self) -> Option<FailedCommit> {
        let sent = self.committing.in_flight.as_mut()?;
        let answer = (&mut sent.answer).await;
        self.commit_answered(answer.unwrap_or(false))
    }

    fn commit_answered(&mut self, succeeded: bool) -> Option<FailedCommit> {
        let sent = self.committing.in_flight.take()?;
        if !succeeded {
            let SentCommit { offsets, cause, .. } = sent;
            return Some(FailedCommit { offsets, cause });
        }
        self.committing.finished.committed(&sent.offsets);
        None
    }

    /// The member for requests about offsets.
    pub(super) fn committer(&self) -> Committer {
        let group = self.group.as_ref();
        group.map_or_else(Committer::without_membership, Group::committer)
    }
}
