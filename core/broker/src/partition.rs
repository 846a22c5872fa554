//! One partition: a log, who leads it, and how far it may be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use headwater_env::Env;
use headwater_log::{
    AppendError, Appended, ChangeError, DeletedSegment, FlushError, PartitionLog, Read, ReadError,
};
use headwater_metadata::{PartitionImage, TopicConfig};
use headwater_record::{LeaderEpoch, Offset, PartitionId, ValidatedBatches};
use parking_lot::RwLock;

use crate::waiters::Waiters;

/// What this broker is to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It takes appends.
    Leader,
    /// Another broker takes appends.
    Follower,
    /// The topic was deleted, or the broker is closed.
    Gone,
}

/// The facts of leadership that the cluster's image gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) role: Role,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) in_sync_replicas: usize,
}

/// Which records a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// All below the high watermark.
    ReadUncommitted,
    /// All below the last stable offset.
    ReadCommitted,
}

/// Who must hold a batch before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acks {
    /// Nobody.
    None,
    /// The leader.
    Leader,
    /// All in-sync replicas, at least `min.insync.replicas`.
    All,
}

/// Why a partition did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaderError {
    /// Another broker leads.
    #[error("this broker does not lead the partition: refresh the metadata and ask its leader")]
    NotLeader,
    /// The topic has been deleted, or the engine closed.
    #[error("the partition is gone: its topic was deleted, or the engine is closed")]
    Gone,
    /// The caller's epoch is of the past.
    #[error("leader epoch {asked} is older than {current}: refresh the metadata")]
    FencedEpoch {
        /// The caller's.
        asked: LeaderEpoch,
        /// The partition's.
        current: LeaderEpoch,
    },
    /// The caller's epoch is of the future.
    #[error("leader epoch {asked} is newer than {current}, which this broker knows: try again")]
    UnknownEpoch {
        /// The caller's.
        asked: LeaderEpoch,
        /// The partition's.
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

/// A partition of this broker. Any number of threads may use it at once; the log puts appends in order.
#[derive(Debug)]
pub(crate) struct Partition<E: Env> {
    pub(crate) topic: Arc<str>,
    pub(crate) id: PartitionId,
    pub(crate) waiters: Waiters,
    /// It was found in a state in which it cannot be compacted.
    pub(crate) uncleanable: AtomicBool,
    log: PartitionLog<E>,
    leadership: RwLock<Leadership>,
    config: RwLock<Arc<TopicConfig>>,
    high_watermark: AtomicI64,
    bytes_appended: AtomicU64,
}

impl<E: Env> Partition<E> {
    /// A partition over an open log. This broker is the only replica that is asked, so all of the log may be read.
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

    /// Its log.
    pub(crate) const fn log(&self) -> &PartitionLog<E> {
        &self.log
    }

    /// The configuration of its topic now.
    pub(crate) fn config(&self) -> Arc<TopicConfig> {
        Arc::clone(&self.config.read())
    }

    /// From the next operation on its topic is configured so.
    pub(crate) fn update_config(&self, config: Arc<TopicConfig>) {
        *self.config.write() = config;
    }

    /// Who leads it.
    pub(crate) fn leadership(&self) -> Leadership {
        *self.leadership.read()
    }

    /// First offset that is not on all in-sync replicas.
    pub(crate) fn high_watermark(&self) -> Offset {
        Offset::new(self.high_watermark.load(Ordering::SeqCst))
    }

    /// First offset of an open transaction, or the high watermark.
    pub(crate) fn last_stable_offset(&self) -> Offset {
        // In this order: what begins below the high watermark is known as unstable before it is moved.
        let high_watermark = self.high_watermark();
        self.log
            .first_unstable_offset()
            .map_or(high_watermark, |first| first.min(high_watermark))
    }

    /// First offset that a reader of that isolation does not see.
    pub(crate) fn readable_end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark(),
            Isolation::ReadCommitted => self.last_stable_offset(),
        }
    }

    /// Bytes appended since it was opened: two readings tell how much came in between.
    pub(crate) fn bytes_appended(&self) -> u64 {
        self.bytes_appended.load(Ordering::SeqCst)
    }

    /// Whether this broker leads it in the epoch that the caller believes in, if it tells one.
    pub(crate) fn check_leader(
        &self,
        believed: Option<LeaderEpoch>,
    ) -> Result<Leadership, LeaderError> {
        let leadership = self.leadership();
        leadership.check(believed)?;
        Ok(leadership)
    }

    /// Appends batches and lets readers see them. Returns when they are as safe as the topic promises.
    ///
    /// The leadership cannot change while this runs: whoever takes it away waits for appends that have begun.
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

    /// Appends the batches of several requests together; `None` where they must be appended one by one, and nothing of them was
    /// acknowledged.
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

    /// What follows an append of so many bytes, the last of which are these: makes all safe, and lets readers see it.
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

    /// Reads batches that a reader of that isolation may see.
    pub(crate) fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        min_one_batch: bool,
        isolation: Isolation,
    ) -> Result<Read, ReadError> {
        let end = self.readable_end(isolation);
        self.log.read(from, end, max_bytes, min_one_batch)
    }

    /// Moves the start of the log to `before`; returns the start. Retention removes the segments below it.
    pub(crate) fn delete_records(&self, before: Offset) -> Result<Offset, ChangeError> {
        self.log.delete_records(before)
    }

    /// Takes segments out of the log that retention says may go; what is not yet on all in-sync replicas stays.
    pub(crate) fn apply_retention(
        &self,
        now_wall_ms: i64,
    ) -> Result<Vec<DeletedSegment>, ChangeError> {
        self.log
            .apply_retention_below(now_wall_ms, self.high_watermark())
    }

    /// Takes the leadership away for good and wakes who waits. Returns after appends that had begun.
    pub(crate) fn retire(&self) {
        self.leadership.write().role = Role::Gone;
        self.waiters.wake();
    }

    fn advance_high_watermark(&self, to: Offset) {
        assert!(
            to <= self.log.log_end_offset(),
            "the high watermark must not pass the log's end"
        );
        self.high_watermark.fetch_max(to.get(), Ordering::SeqCst);
        self.log.advance_high_watermark(self.high_watermark());
        self.waiters.wake();
    }
}

impl Leadership {
    /// What the image says of a partition, seen from broker `node`.
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

    fn check(&self, believed: Option<LeaderEpoch>) -> Result<(), LeaderError> {
        match self.role {
            Role::Gone => return Err(LeaderError::Gone),
            Role::Follower => return Err(LeaderError::NotLeader),
            Role::Leader => {}
        }
        let current = self.leader_epoch;
        match believed {
            Some(asked) if asked < current => Err(LeaderError::FencedEpoch { asked, current }),
            Some(asked) if asked > current => Err(LeaderError::UnknownEpoch { asked, current }),
            _ => Ok(()),
        }
    }
}
