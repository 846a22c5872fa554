//! The log of one partition in one directory: its state and its locks.

use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use headwater_env::{Env, is_out_of_files};
use headwater_record::Offset;
use parking_lot::{Mutex, RwLock};

use crate::cleaner::turn::CleanerTurn;
use crate::config::LogConfig;
use crate::error::{ChangeError, FileError, OpenError, Poisoned, ReadError};
use crate::flush::Flusher;
use crate::gaps::Gaps;
use crate::leader_epochs::LeaderEpochs;
use crate::mutants::{self, Mutant};
use crate::producer_state::ProducerStates;
use crate::removals::Removals;
use crate::report::RecoveryReport;
use crate::roll::Head;
use crate::segment::Segment;
use crate::truncate::Truncation;
use crate::types::{OpenState, ProducerSummary, SegmentInfo};
use crate::view::View;

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
    pub(crate) env: E,
    pub(crate) dir: Arc<Path>,
    pub(crate) config: RwLock<Arc<LogConfig>>,
    /// The state for readers. Written only while `writer` is locked.
    pub(crate) view: RwLock<View<E>>,
    /// The result of [`first_unstable_offset`](Self::first_unstable_offset); `i64::MAX` for none. Written only while
    /// `writer` is locked.
    pub(crate) first_unstable_offset: AtomicI64,
    /// The append lock. Taken before `flusher`, `epochs` and `view`.
    pub(crate) writer: Mutex<Writer>,
    pub(crate) flusher: Flusher,
    pub(crate) epochs: RwLock<LeaderEpochs>,
    /// Set when the partition refuses writes after a failure: the reason.
    pub(crate) poison: OnceLock<String>,
    /// Whether names in the directory have changed since it was last synced.
    pub(crate) directory_changed: Mutex<bool>,
    pub(crate) removals: Removals<E>,
    /// Taken before `writer`.
    pub(crate) cleaner: CleanerTurn,
    /// Whether compaction may have left gaps.
    pub(crate) may_have_gaps: AtomicBool,
}

/// The state that only the holder of the append lock may use.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) producers: ProducerStates,
    pub(crate) head: Head,
    pub(crate) is_closed: bool,
    /// Whether there are changes that a clean shutdown would still have to write.
    pub(crate) is_changed: bool,
    /// A truncation that is not complete on disk. It must be completed before any other change.
    pub(crate) truncation: Option<Truncation>,
}

impl<E: Env> PartitionLog<E> {
    /// Opens the log in `dir`, creating it if missing, and recovers it: after a crash, reads the segments from the
    /// recovery point on, truncates an incomplete or invalid end, and rebuilds missing or wrong indexes. After a clean
    /// shutdown it reads almost nothing. The caller must own the directory (see
    /// [`DataDirectory`](crate::DataDirectory)).
    pub fn open(
        env: E,
        dir: &Path,
        config: LogConfig,
        start: OpenState,
    ) -> Result<(Self, RecoveryReport), OpenError> {
        crate::open::open(env, dir, config, start)
    }

    /// The first offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        self.view.read().log_start_offset
    }

    /// The next offset to be written.
    pub fn log_end_offset(&self) -> Offset {
        self.view.read().log_end_offset
    }

    /// The first offset that is not known to be fsynced.
    pub fn recovery_point(&self) -> Offset {
        self.flusher.recovery_point()
    }

    /// The size of all segments in bytes.
    pub fn size_in_bytes(&self) -> u64 {
        let view = self.view();
        (0..view.segments.list().len())
            .map(|index| view.limit(index))
            .sum()
    }

    /// Describes the segments, oldest first. `max_timestamp_ms` is `None` if it cannot be read.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        segment_infos(&self.view())
    }

    /// The producers whose state the log keeps, by id.
    pub fn active_producers(&self) -> Vec<ProducerSummary> {
        self.writer.lock().producers.summaries()
    }

    /// Drops the state of producers that have been inactive for `producer.id.expiration.ms`. Returns their number.
    pub fn expire_producers(&self, now_wall_ms: i64) -> usize {
        let expiration_ms = self.config_now().producer_id_expiration_ms;
        let mut writer = self.writer.lock();
        writer.producers.expire(now_wall_ms, expiration_ms)
    }

    /// The first offset of a transaction that is open, or whose end is not below the high watermark; `None` if there is
    /// none. Takes no lock. The result is valid for a high watermark that was read before the call.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        let first = self.first_unstable_offset.load(Ordering::SeqCst);
        (first != i64::MAX).then(|| Offset::new(first))
    }

    /// Sets the high watermark: transactions that ended below it are stable.
    pub fn advance_high_watermark(&self, high_watermark: Offset) {
        if self.first_unstable_offset().is_some() {
            let mut writer = self.writer.lock();
            writer.producers.advance_high_watermark(high_watermark);
            self.publish_first_unstable(&writer);
        }
    }

    /// Publishes the first unstable offset to readers. Call it with the append lock held, before publishing the records
    /// of new transactions.
    pub(crate) fn publish_first_unstable(&self, writer: &Writer) {
        let first = writer.producers.first_unstable_offset();
        let first = first.map_or(i64::MAX, Offset::get);
        self.first_unstable_offset.store(first, Ordering::SeqCst);
    }

    /// The current configuration.
    pub fn config(&self) -> LogConfig {
        (*self.config_now()).clone()
    }

    /// Changes the configuration from the next operation on.
    pub fn update_config(&self, config: LogConfig) {
        if config.cleanup_policy.compact {
            self.may_have_gaps.store(true, Ordering::SeqCst);
        }
        *self.config.write() = Arc::new(config);
    }

    /// The partition's directory.
    pub fn directory(&self) -> &Path {
        &self.dir
    }

    /// The reason why the partition refuses writes, if it does.
    pub fn poisoned(&self) -> Option<Poisoned> {
        if mutants::is_active(Mutant::IgnorePoison) {
            return None;
        }
        self.poison.get().map(|reason| Poisoned {
            directory: self.dir.to_path_buf(),
            reason: reason.clone(),
        })
    }

    pub(crate) fn config_now(&self) -> Arc<LogConfig> {
        Arc::clone(&self.config.read())
    }

    pub(crate) fn view(&self) -> View<E> {
        self.view.read().clone()
    }

    /// The meaning of missing offsets in this log.
    pub(crate) fn gaps(&self) -> Gaps {
        if self.may_have_gaps.load(Ordering::SeqCst) {
            Gaps::Allowed
        } else {
            Gaps::Damage
        }
    }

    /// Runs a read, and repeats it if segments were truncated or removed meanwhile.
    pub(crate) fn with_view<T>(
        &self,
        read: impl Fn(&View<E>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        loop {
            let view = self.view();
            let result = read(&view);
            if self.view.read().generation == view.generation {
                return result;
            }
        }
    }

    /// Publishes the next state to readers. Call it with the append lock held.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut View<E>)) {
        let mut view = self.view.write();
        let mut next = view.clone();
        change(&mut next);
        next.assert_order();
        assert!(
            next.generation != view.generation
                || (next.log_end_offset >= view.log_end_offset
                    && next.log_start_offset >= view.log_start_offset),
            "the offsets of a log only grow, except in a truncation"
        );
        *view = next;
    }

    /// Refuses all writes from now on.
    pub(crate) fn poison(&self, reason: &FileError) -> Poisoned {
        let reason = self.poison.get_or_init(|| {
            tracing::error!(partition = %self.dir.display(), %reason, "the partition is read-only until it is opened again");
            reason.to_string()
        });
        Poisoned {
            directory: self.dir.to_path_buf(),
            reason: reason.clone(),
        }
    }

    /// Syncs the directory if names in it have changed.
    pub(crate) fn sync_directory(&self) -> Result<(), FileError> {
        // Hold the lock during the sync: a caller that finds nothing to do relies on a completed sync.
        let mut changed = self.directory_changed.lock();
        if !*changed || mutants::is_active(Mutant::SkipDirectorySync) {
            return Ok(());
        }
        if let Err(source) = self.env.sync_dir(&self.dir) {
            return Err(self.sync_error(FileError::new("sync", &*self.dir, source)));
        }
        *changed = false;
        Ok(())
    }

    /// Poisons the log after a failed sync, unless the file could not be opened, in which case no sync was attempted.
    pub(crate) fn sync_error(&self, error: FileError) -> FileError {
        if !is_out_of_files(&error.source) {
            self.poison(&error);
        }
        error
    }

    /// Records that a name in the directory has changed.
    pub(crate) fn directory_has_changed(&self) {
        *self.directory_changed.lock() = true;
    }

    /// Checks that the log may be changed.
    pub(crate) fn check_open(&self, writer: &Writer) -> Result<(), ChangeError> {
        match self.poisoned() {
            Some(poisoned) => Err(poisoned.into()),
            None if writer.is_closed => Err(ChangeError::Closed),
            None => Ok(()),
        }
    }
}

/// Describes the segments of a view.
pub(crate) fn segment_infos<E: Env>(view: &View<E>) -> Vec<SegmentInfo> {
    let info = |(index, segment): (usize, &Arc<Segment<E>>)| {
        let largest = segment
            .largest_timestamp(view.phase(index))
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "the greatest timestamp of a segment cannot be read; using the time of its file");
                None
            });
        SegmentInfo {
            base_offset: segment.base_offset(),
            end_offset: view.segments.end_offset(index, view.log_end_offset),
            size_bytes: view.limit(index),
            max_timestamp_ms: largest.map(|largest| largest.timestamp_ms),
            modified_ms: segment.modified_ms(),
            is_active: view.segments.is_active(index),
        }
    };
    view.segments.list().iter().enumerate().map(info).collect()
}

#[cfg(test)]
mod tests {
    use headwater_env::MemoryEnv;
    use headwater_record::{
        BatchBuilder, BatchOptions, ControlType, LeaderEpoch, ProducerEpoch, ProducerId,
        ProducerState, ValidationRules, control_batch, validate,
    };

    use super::*;

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
            let _appending = log.writer.lock();
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
