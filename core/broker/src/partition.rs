//! A partition: its log, its leadership and its high watermark.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use headwater_env::Env;
use headwater_log::{
    AppendError, Appended, ChangeError, DeletedSegment, FirstBatch, FlushError, PartitionLog, Read,
    ReadError,
};
use headwater_metadata::{PartitionImage, TopicConfig};
use headwater_record::{LeaderEpoch, Offset, PartitionId, ValidatedBatches};
use parking_lot::RwLock;

use crate::waiters::Waiters;

/// The role of this broker for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It accepts appends.
    Leader,
    /// Another broker accepts appends.
    Follower,
    /// The topic was deleted, or the broker is closed.
    Gone,
}

/// The leadership from the metadata image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) role: Role,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) in_sync_replicas: usize,
}

/// The records that a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// All records below the high watermark.
    ReadUncommitted,
    /// All records below the last stable offset.
    ReadCommitted,
}

/// The replicas that must store a batch before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acks {
    /// None.
    None,
    /// The leader.
    Leader,
    /// All in-sync replicas, at least `min.insync.replicas`.
    All,
}

/// Why a partition refused an operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaderError {
    /// Another broker is the leader.
    #[error("this broker does not lead the partition: refresh the metadata and use its leader")]
    NotLeader,
    /// The topic was deleted, or the broker is closed.
    #[error("the partition is gone: its topic was deleted, or the engine is closed")]
    Gone,
    /// The caller's epoch is too old.
    #[error("leader epoch {requested} is older than {current}: refresh the metadata")]
    FencedEpoch {
        /// The caller's epoch.
        requested: LeaderEpoch,
        /// The partition's epoch.
        current: LeaderEpoch,
    },
    /// The caller's epoch is too new.
    #[error("leader epoch {requested} is newer than this broker's {current}: try again")]
    UnknownEpoch {
        /// The caller's epoch.
        requested: LeaderEpoch,
        /// The partition's epoch.
        current: LeaderEpoch,
    },
}

/// Why batches were not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProduceError {
    #[error(transparent)]
    Leader(#[from] LeaderError),
    #[error(
        "{in_sync} replicas are in sync and min.insync.replicas is {wanted}: lower it on the topic, or produce with acks=1"
    )]
    NotEnoughReplicas { in_sync: usize, wanted: u32 },
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Flush(#[from] FlushError),
}

/// A partition on this broker. All methods may be called concurrently; the log orders the appends.
#[derive(Debug)]
pub(crate) struct Partition<E: Env> {
    pub(crate) topic: Arc<str>,
    pub(crate) id: PartitionId,
    pub(crate) waiters: Waiters,
    /// Whether compaction of the partition is disabled because of damage.
    pub(crate) uncleanable: AtomicBool,
    log: PartitionLog<E>,
    leadership: RwLock<Leadership>,
    config: RwLock<Arc<TopicConfig>>,
    high_watermark: AtomicI64,
    bytes_appended: AtomicU64,
}

impl<E: Env> Partition<E> {
    /// A partition over an open log. This broker is the only replica, so the whole log is readable.
    pub(crate) fn new(
        (topic, id): (Arc<str>, PartitionId),
        log: PartitionLog<E>,
        leadership: Leadership,
        config: Arc<TopicConfig>,
    ) -> Self {
        log.advance_high_watermark(log.log_end_offset());
        let high_watermark = AtomicI64::new(log.log_end_offset().get());
        Self {
            topic,
            id,
            waiters: Waiters::default(),
            uncleanable: AtomicBool::new(false),
            log,
            leadership: RwLock::new(leadership),
            config: RwLock::new(config),
            high_watermark,
            bytes_appended: AtomicU64::new(0),
        }
    }

    /// The log.
    pub(crate) const fn log(&self) -> &PartitionLog<E> {
        &self.log
    }

    /// The current configuration of the topic.
    pub(crate) fn config(&self) -> Arc<TopicConfig> {
        Arc::clone(&self.config.read())
    }

    /// Sets the configuration of the topic for the following operations.
    pub(crate) fn update_config(&self, config: Arc<TopicConfig>) {
        *self.config.write() = config;
    }

    /// The leadership.
    pub(crate) fn leadership(&self) -> Leadership {
        *self.leadership.read()
    }

    /// The first offset that is not on all in-sync replicas.
    pub(crate) fn high_watermark(&self) -> Offset {
        Offset::new(self.high_watermark.load(Ordering::SeqCst))
    }

    /// The first offset of an open transaction, or the high watermark.
    pub(crate) fn last_stable_offset(&self) -> Offset {
        // Read the high watermark first: transactions that start below it are then registered.
        let high_watermark = self.high_watermark();
        self.log
            .first_unstable_offset()
            .map_or(high_watermark, |first| first.min(high_watermark))
    }

    /// The first offset that is not visible with this isolation level.
    pub(crate) fn readable_end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark(),
            Isolation::ReadCommitted => self.last_stable_offset(),
        }
    }

    /// The bytes appended since the partition was opened; differences measure growth.
    pub(crate) fn bytes_appended(&self) -> u64 {
        self.bytes_appended.load(Ordering::SeqCst)
    }

    /// Checks that this broker is the leader, in the given epoch if there is one.
    pub(crate) fn check_leader(
        &self,
        epoch: Option<LeaderEpoch>,
    ) -> Result<Leadership, LeaderError> {
        let leadership = self.leadership();
        leadership.check(epoch)?;
        Ok(leadership)
    }

    /// Appends batches and makes them visible to readers. Returns when they are as durable as the topic's configuration
    /// requires.
    ///
    /// The leadership cannot change meanwhile: `retire` waits for running appends.
    pub(crate) fn append_as_leader(
        &self,
        batches: ValidatedBatches,
        acks: Acks,
    ) -> Result<Appended, ProduceError> {
        let leadership = self.leadership.read();
        self.check_append(&leadership, acks)?;
        let bytes = batches.size_in_bytes() as u64;
        let appended = self
            .log
            .append_as_leader(batches, leadership.leader_epoch)?;
        self.complete(appended, bytes)?;
        Ok(appended)
    }

    /// Appends the batches of several requests with one write. `None` if they must be appended one by one; nothing has
    /// been acknowledged then.
    pub(crate) fn append_together_as_leader(
        &self,
        run: &[ValidatedBatches],
        acks: Acks,
    ) -> Option<Vec<Appended>> {
        let leadership = self.leadership.read();
        self.check_append(&leadership, acks).ok()?;
        let appended = self
            .log
            .append_together_as_leader(run, leadership.leader_epoch)?;
        let bytes: usize = run.iter().map(ValidatedBatches::size_in_bytes).sum();
        self.complete(*appended.last()?, bytes as u64).ok()?;
        Some(appended)
    }

    fn check_append(&self, leadership: &Leadership, acks: Acks) -> Result<(), ProduceError> {
        leadership.check(None)?;
        if acks == Acks::All {
            let (in_sync, wanted) = (
                leadership.in_sync_replicas,
                self.config.read().min_insync_replicas,
            );
            if in_sync < wanted as usize {
                return Err(ProduceError::NotEnoughReplicas { in_sync, wanted });
            }
        }
        Ok(())
    }

    /// Completes an append of `bytes` that ends with `last`: flushes if required and makes the records visible.
    fn complete(&self, last: Appended, bytes: u64) -> Result<(), FlushError> {
        if last.flush_required {
            self.log.wait_flushed(last.next_offset())?;
        }
        if !last.duplicate {
            self.bytes_appended.fetch_add(bytes, Ordering::SeqCst);
            self.advance_high_watermark(last.next_offset());
        }
        Ok(())
    }

    /// Reads batches that are visible with this isolation level.
    pub(crate) fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        min_one_batch: bool,
        isolation: Isolation,
    ) -> Result<Read, ReadError> {
        let end = self.readable_end(isolation);
        let first_batch = if min_one_batch {
            FirstBatch::Whole
        } else {
            FirstBatch::Limited
        };
        self.log.read(from, end, max_bytes, first_batch)
    }

    /// Moves the log start offset to `before` and returns it. Retention deletes the segments below it.
    pub(crate) fn delete_records(&self, before: Offset) -> Result<Offset, ChangeError> {
        self.log.delete_records(before)
    }

    /// Removes segments from the log according to retention, except those that are not on all in-sync replicas.
    pub(crate) fn apply_retention(
        &self,
        now_wall_ms: i64,
    ) -> Result<Vec<DeletedSegment>, ChangeError> {
        self.log
            .apply_retention_below(now_wall_ms, self.high_watermark())
    }

    /// Ends the leadership for good and wakes waiting fetches. Returns after running appends have finished.
    pub(crate) fn retire(&self) {
        self.leadership.write().role = Role::Gone;
        self.waiters.wake();
    }

    fn advance_high_watermark(&self, to: Offset) {
        assert!(
            to <= self.log.log_end_offset(),
            "the high watermark must not exceed the log end offset"
        );
        self.high_watermark.fetch_max(to.get(), Ordering::SeqCst);
        self.log.advance_high_watermark(self.high_watermark());
        self.waiters.wake();
    }
}

impl Leadership {
    /// The leadership of broker `node` according to the image.
    pub(crate) fn of(image: &PartitionImage, node: i32) -> Self {
        let role = if image.leader == Some(node) {
            Role::Leader
        } else {
            Role::Follower
        };
        Self {
            role,
            leader_epoch: image.leader_epoch,
            in_sync_replicas: image.isr.len(),
        }
    }

    fn check(&self, epoch: Option<LeaderEpoch>) -> Result<(), LeaderError> {
        match self.role {
            Role::Gone => return Err(LeaderError::Gone),
            Role::Follower => return Err(LeaderError::NotLeader),
            Role::Leader => {}
        }
        let current = self.leader_epoch;
        match epoch {
            Some(requested) if requested < current => {
                Err(LeaderError::FencedEpoch { requested, current })
            }
            Some(requested) if requested > current => {
                Err(LeaderError::UnknownEpoch { requested, current })
            }
            _ => Ok(()),
        }
    }
}
