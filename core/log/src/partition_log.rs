//! The log of one partition in one directory, and its locks.

use std::path::Path;

use headwater_env::Env;
use headwater_record::{LeaderEpoch, Offset};
use parking_lot::Mutex;

use crate::append_lock::{AppendLock, AppendState};
use crate::cleaner::turn::CleanerTurn;
use crate::config::LogConfig;
use crate::error::{ChangeError, Poisoned};
use crate::log_state::LogState;
use crate::types::{EpochEnd, ProducerSummary, SegmentInfo};

/// The log of one partition.
///
/// Any number of threads may call any method at the same time. One lock orders the changes
/// ([`append_as_leader`](Self::append_as_leader), [`roll`](Self::roll), [`truncate_to`](Self::truncate_to),
/// [`delete_records`](Self::delete_records), retention, the end of a cleaning). Reads never take it; each sees one
/// consistent state of the log. Each change asserts that offsets only grow.
///
/// Dropping a log does not close it; like after a crash, the next open recovers. Call [`close`](Self::close).
#[derive(Debug)]
pub struct PartitionLog<E: Env> {
    // In the order in which they are locked. Only this file locks the first two.
    cleaner: CleanerTurn,
    append_state: Mutex<AppendState<E>>,
    state: LogState<E>,
}

impl<E: Env> PartitionLog<E> {
    /// A log with this state; [`open`](Self::open) recovers it.
    pub(crate) fn new(
        cleaner: CleanerTurn,
        append_state: AppendState<E>,
        state: LogState<E>,
    ) -> Self {
        Self {
            cleaner,
            append_state: Mutex::new(append_state),
            state,
        }
    }

    /// The first offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        self.state.view().log_start_offset()
    }

    /// The next offset to be written.
    pub fn log_end_offset(&self) -> Offset {
        self.state.log_end_offset()
    }

    /// The first offset that is not known to be fsynced.
    pub fn recovery_point(&self) -> Offset {
        self.state.flusher().recovery_point()
    }

    /// The size of all segments in bytes.
    pub fn size_in_bytes(&self) -> u64 {
        self.state.view().now().size_in_bytes()
    }

    /// Describes the segments, oldest first. `max_timestamp_ms` is `None` if it cannot be read.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.state.view().now().segment_infos()
    }

    /// The newest leader epoch in the log.
    pub fn latest_leader_epoch(&self) -> Option<LeaderEpoch> {
        self.state.epochs().latest()
    }

    /// The end offset of `epoch` in this log; `None` if all epochs of the log are larger.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        let log_end_offset = || self.log_end_offset();
        self.state.epochs().end_offset_for(epoch, log_end_offset)
    }

    /// The producers whose state the log keeps, by id.
    pub fn active_producers(&self) -> Vec<ProducerSummary> {
        self.lock().producers().summaries()
    }

    /// Drops the state of producers that have been inactive for `producer.id.expiration.ms`. Returns their number.
    pub fn expire_producers(&self, now_wall_ms: i64) -> usize {
        let expiration_ms = self.state.config().producer_id_expiration_ms;
        let mut lock = self.lock();
        lock.producers_mut().expire(now_wall_ms, expiration_ms)
    }

    /// The first offset of a transaction that is open, or whose end is not below the high watermark; `None` if there is
    /// none. Takes no lock. The result is valid for a high watermark that was read before the call.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        self.state.view().first_unstable_offset()
    }

    /// Sets the high watermark: transactions that ended below it are stable.
    pub fn advance_high_watermark(&self, high_watermark: Offset) {
        if self.first_unstable_offset().is_some() {
            let mut lock = self.lock();
            lock.producers_mut().advance_high_watermark(high_watermark);
            lock.publish_first_unstable();
        }
    }

    /// The current configuration.
    pub fn config(&self) -> LogConfig {
        (*self.state.config()).clone()
    }

    /// Changes the configuration from the next operation on.
    pub fn update_config(&self, config: LogConfig) {
        self.state.update_config(config);
    }

    /// The partition's directory.
    pub fn directory(&self) -> &Path {
        self.state.directory().path()
    }

    /// The reason why the partition refuses writes, if it does.
    pub fn poisoned(&self) -> Option<Poisoned> {
        self.state.directory().poisoned()
    }

    /// The state that needs no append lock.
    pub(crate) fn state(&self) -> &LogState<E> {
        &self.state
    }

    /// Serialises cleanings.
    pub(crate) fn cleaner(&self) -> &CleanerTurn {
        &self.cleaner
    }

    /// Takes the append lock for a change, which requires that the log is open. First completes an earlier truncation
    /// that failed.
    pub(crate) fn begin_change(&self) -> Result<AppendLock<'_, E>, ChangeError> {
        let mut lock = self.lock();
        lock.begin_change()?;
        Ok(lock)
    }

    /// Ends the running cleaning, then takes the append lock. No cleaning begins before it is released.
    pub(crate) fn lock_without_cleaning(&self) -> AppendLock<'_, E> {
        let pause = self.cleaner.pause();
        AppendLock::wait(&self.state, &self.append_state, Some(pause))
    }

    /// Takes the append lock if it is free.
    pub(crate) fn try_lock(&self) -> Option<AppendLock<'_, E>> {
        AppendLock::try_take(&self.state, &self.append_state)
    }

    fn lock(&self) -> AppendLock<'_, E> {
        AppendLock::wait(&self.state, &self.append_state, None)
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::MemoryEnv;
    use headwater_record::{
        BatchBuilder, BatchOptions, ControlType, LeaderEpoch, ProducerEpoch, ProducerId,
        ProducerState, ValidationRules, control_batch, validate,
    };

    use super::*;
    use crate::types::OpenState;

    fn open(env: &MemoryEnv) -> PartitionLog<MemoryEnv> {
        let dir = Path::new("/data/t-0");
        let opened = PartitionLog::open(env.clone(), dir, LogConfig::default(), OpenState::UNKNOWN);
        opened.unwrap().0
    }

    fn append(log: &PartitionLog<MemoryEnv>, batch: bytes::Bytes) {
        let rules = ValidationRules {
            origin: headwater_record::AppendOrigin::Coordinator,
            ..ValidationRules::default()
        };
        let batches = validate(batch, &rules).unwrap();
        log.append_as_leader(batches, LeaderEpoch::new(0)).unwrap();
    }

    /// One record of a transaction.
    fn transactional() -> bytes::Bytes {
        let mut builder = BatchBuilder::new(BatchOptions {
            producer: Some(ProducerState {
                id: ProducerId::new(9),
                epoch: ProducerEpoch::new(0),
                base_sequence: 0,
            }),
            transactional: true,
            ..BatchOptions::default()
        });
        builder.try_append(1, None, Some(b"value"), &[]).unwrap();
        builder.finish().unwrap()
    }

    #[test]
    fn the_first_unstable_offset_takes_no_append_lock() {
        let env = MemoryEnv::new();
        let log = open(&env);
        assert_eq!(log.first_unstable_offset(), None);
        append(&log, transactional());
        let first = Some(Offset::ZERO);
        {
            let _appending = log.lock();
            assert_eq!(log.first_unstable_offset(), first);
        }
        drop(log);
        let log = open(&env);
        assert_eq!(log.first_unstable_offset(), first, "after a restart too");
        let (id, epoch) = (ProducerId::new(9), ProducerEpoch::new(0));
        append(&log, control_batch(ControlType::Commit, 1, id, epoch, 0));
        assert_eq!(
            log.first_unstable_offset(),
            first,
            "its end is not replicated"
        );
        log.advance_high_watermark(Offset::new(1));
        assert_eq!(log.first_unstable_offset(), first);
        log.advance_high_watermark(Offset::new(2));
        assert_eq!(log.first_unstable_offset(), None);
    }
}
