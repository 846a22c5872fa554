//! One partition in one directory.

use std::path::Path;

use headwater_env::Env;
use headwater_record::{BatchHeader, DecompressLimit, LeaderEpoch, Offset, ValidatedBatches};

use crate::config::LogConfig;
use crate::error::{AppendError, ChangeError, FlushError, OpenError, ReadError};
use crate::report::RecoveryReport;
use crate::types::{
    Appended, DeletedSegment, EpochEnd, OpenState, ProducerSummary, Read, RecordPosition,
    SegmentInfo,
};

/// The log of one partition.
#[derive(Debug)]
pub struct PartitionLog<E: Env> {
    env: E,
}

impl<E: Env> PartitionLog<E> {
    /// Opens the log in `dir`, which is made if need be, and makes it whole.
    pub fn open(
        env: E,
        dir: &Path,
        config: LogConfig,
        start: OpenState,
    ) -> Result<(Self, RecoveryReport), OpenError> {
        let _ = (dir, config, start);
        let _ = Self { env }.env;
        todo!()
    }

    /// Appends batches of a producer, gives them offsets, and returns when they can be read.
    pub fn append_as_leader(
        &self,
        batches: ValidatedBatches,
        leader_epoch: LeaderEpoch,
    ) -> Result<Appended, AppendError> {
        let _ = (batches, leader_epoch);
        todo!()
    }

    /// Reads batches from the one that holds `from` up to `upper` (exclusive), `max_bytes` at most; with `min_one_batch` the first batch
    /// comes whole even if it is larger. Batches that begin at or after `upper` are not given.
    pub fn read(
        &self,
        from: Offset,
        upper: Offset,
        max_bytes: usize,
        min_one_batch: bool,
    ) -> Result<Read, ReadError> {
        let _ = (from, upper, max_bytes, min_one_batch);
        todo!()
    }

    /// The first record, by offset, whose timestamp is at least `timestamp_ms`.
    pub fn offset_for_timestamp(
        &self,
        timestamp_ms: i64,
        limit: DecompressLimit,
    ) -> Result<Option<RecordPosition>, ReadError> {
        let _ = (timestamp_ms, limit);
        todo!()
    }

    /// The first record that has the greatest timestamp of the log.
    pub fn offset_of_max_timestamp(
        &self,
        limit: DecompressLimit,
    ) -> Result<Option<RecordPosition>, ReadError> {
        let _ = limit;
        todo!()
    }

    /// The headers of the batches from the one that holds `from` up to `upper` (exclusive), without their records.
    pub fn batch_headers(
        &self,
        from: Offset,
        upper: Offset,
    ) -> Result<impl Iterator<Item = Result<BatchHeader, ReadError>>, ReadError> {
        let _ = (from, upper);
        Ok(std::iter::empty())
    }

    /// First offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        todo!()
    }

    /// Next offset to be written.
    pub fn log_end_offset(&self) -> Offset {
        todo!()
    }

    /// First offset not known to be fsynced.
    pub fn recovery_point(&self) -> Offset {
        todo!()
    }

    /// Bytes of all segments.
    pub fn size_in_bytes(&self) -> u64 {
        todo!()
    }

    /// Facts about the segments, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        todo!()
    }

    /// The newest leader epoch in the log.
    pub fn latest_leader_epoch(&self) -> Option<LeaderEpoch> {
        todo!()
    }

    /// Where `epoch` ends in this log; `None` when the log knows no epoch that is not larger.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        let _ = epoch;
        todo!()
    }

    /// The producers that are remembered, by id.
    pub fn active_producers(&self) -> Vec<ProducerSummary> {
        todo!()
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`; returns how many.
    pub fn expire_producers(&self, now_wall_ms: i64) -> usize {
        let _ = now_wall_ms;
        todo!()
    }

    /// First offset of an open transaction, or of one whose end lies at or above `high_watermark`; `None` when there is none.
    pub fn first_unstable_offset(&self, high_watermark: Offset) -> Option<Offset> {
        let _ = high_watermark;
        todo!()
    }

    /// Makes everything appended so far durable; returns the new recovery point. Many callers share one fsync.
    pub fn flush(&self) -> Result<Offset, FlushError> {
        todo!()
    }

    /// Returns when everything before `offset` is durable. Many callers share one fsync.
    pub fn wait_flushed(&self, offset: Offset) -> Result<(), FlushError> {
        let _ = offset;
        todo!()
    }

    /// Flushes when `flush.messages` or `flush.ms` say so, or when a sealed segment waits for it; returns whether it did.
    pub fn flush_if_due(&self) -> Result<bool, FlushError> {
        todo!()
    }

    /// Closes the active segment when it is older than `segment.ms`; returns whether it did.
    pub fn roll_if_due(&self, now_wall_ms: i64) -> Result<bool, ChangeError> {
        let _ = now_wall_ms;
        todo!()
    }

    /// Closes the active segment, unless it is empty, and begins the next.
    pub fn roll(&self) -> Result<(), ChangeError> {
        todo!()
    }

    /// Drops everything from `offset` on. Whole batches go, so a batch that holds `offset` goes too.
    pub fn truncate_to(&self, offset: Offset) -> Result<(), ChangeError> {
        let _ = offset;
        todo!()
    }

    /// Moves the start of the log to `before`, if it is not past it already; returns the start. Segments go with the next
    /// [`apply_retention`](Self::apply_retention).
    pub fn delete_records(&self, before: Offset) -> Result<Offset, ChangeError> {
        let _ = before;
        todo!()
    }

    /// Takes segments out of the log that retention says may go.
    pub fn apply_retention(&self, now_wall_ms: i64) -> Result<Vec<DeletedSegment>, ChangeError> {
        let _ = now_wall_ms;
        todo!()
    }

    /// Takes the oldest segment out of the log to free space, if it is sealed.
    pub fn delete_oldest_segment(&self) -> Result<Option<DeletedSegment>, ChangeError> {
        todo!()
    }

    /// Removes files of segments that were deleted longer than `file.delete.delay.ms` ago; returns how many files.
    pub fn delete_due_files(&self) -> Result<usize, ChangeError> {
        todo!()
    }

    /// The configuration now.
    pub fn config(&self) -> LogConfig {
        todo!()
    }

    /// Changes the configuration from the next operation on.
    pub fn update_config(&self, config: LogConfig) {
        let _ = config;
        todo!()
    }

    /// The partition's directory.
    pub fn directory(&self) -> &Path {
        todo!()
    }

    /// Flushes, writes the indexes and the producer snapshot, and refuses appends from then on. Reads go on. Idempotent. Returns the
    /// recovery point, which is the end of the log.
    pub fn close(&self) -> Result<Offset, ChangeError> {
        todo!()
    }
}
