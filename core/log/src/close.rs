//! The end of a log: `close`, after which the next open needs no recovery, or `abandon`.

use headwater_env::{Env, File, OpenMode};
use headwater_record::Offset;
use parking_lot::MutexGuard;

use crate::cleaner::turn::Pause;
use crate::data_directory::DataDirectory;
use crate::error::{ChangeError, FileError};
use crate::file_name::{FileKind, segment_file};
use crate::index_file::SyncTime;
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_snapshot;
use crate::roll::finish_time_index;

/// From this number of logs on, the whole disk is synced with one call. For fewer logs that could take longer than
/// syncing their files, because it also writes the data of other programs.
const LOGS_MIN_FOR_DISK_SYNC: usize = 64;

/// Closes logs of a data directory, each like [`PartitionLog::close`]. Syncs the files of many logs together.
pub fn close_all<E: Env>(
    directory: &DataDirectory<E>,
    logs: &[&PartitionLog<E>],
) -> Vec<Result<Offset, ChangeError>> {
    let closing: Vec<_> = logs.iter().map(|log| log.begin_close()).collect();
    let written = closing
        .iter()
        .filter(|closing| closing.as_ref().is_ok_and(|closing| closing.is_written));
    let is_disk_synced = written.count() >= LOGS_MIN_FOR_DISK_SYNC
        && directory
            .sync_disk()
            .inspect_err(|error| tracing::warn!(%error, "the disk cannot be synced with one call; syncing each file instead"))
            .is_ok();
    let end = |mut closing: CloseGuard<'_, E>| {
        if is_disk_synced {
            closing.end();
            Ok(closing.log.recovery_point())
        } else {
            closing.sync_and_end()
        }
    };
    closing
        .into_iter()
        .map(|closing| closing.and_then(end))
        .collect()
}

/// A log that refuses changes and has written its files, though they may not be synced yet.
struct CloseGuard<'a, E: Env> {
    log: &'a PartitionLog<E>,
    writer: MutexGuard<'a, Writer>,
    _no_cleaning: Pause<'a>,
    /// Whether something was written that may not be on disk.
    is_written: bool,
}

impl<E: Env> PartitionLog<E> {
    /// Flushes, writes the indexes and the producer snapshot, and refuses changes from then on. Reads continue.
    /// Idempotent. Returns the recovery point, which is the end of the log. After an error the log was not closed in
    /// order: do not mark the directory as closed, so that the next open recovers.
    pub fn close(&self) -> Result<Offset, ChangeError> {
        self.begin_close()?.sync_and_end()
    }

    /// Refuses changes like [`close`](Self::close) and writes nothing: for a log whose files are about to be removed.
    /// Waits for a running append or flush. Reads continue. Idempotent.
    pub fn abandon(&self) {
        let _pause = self.cleaner.pause();
        self.writer.lock().is_closed = true;
        self.flusher.abandon();
    }

    fn begin_close(&self) -> Result<CloseGuard<'_, E>, ChangeError> {
        let pause = self.cleaner.pause();
        let mut writer = self.writer.lock();
        let mut is_written = false;
        if !writer.is_closed {
            self.begin_change(&mut writer)?;
            self.finish_removals()?;
            is_written = writer.is_changed || self.recovery_point() < self.log_end_offset();
        }
        if is_written {
            self.write_everything(&mut writer)?;
        }
        Ok(CloseGuard {
            log: self,
            writer,
            _no_cleaning: pause,
            is_written,
        })
    }

    fn write_everything(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        let view = self.view();
        self.check_in_place(&view)?;
        self.prepare_head(writer)?;
        self.end_file(writer)?;
        finish_time_index(view.segments.active(), writer);
        for segment in view.segments.list() {
            segment.save_indexes(SyncTime::Later)?;
        }
        self.directory_has_changed();
        let path = self.snapshot_path();
        self.env
            .open_file(&path, OpenMode::Create)
            .and_then(|file| {
                file.set_len(0)?;
                // A torn snapshot has a wrong CRC; then the next open uses an older one.
                file.write_all_at(&producer_snapshot::encode(&writer.producers), 0)
            })
            .map_err(|source| FileError::new("write", path, source).into())
    }

    /// The path of the producer snapshot at the end of the log.
    fn snapshot_path(&self) -> std::path::PathBuf {
        let name = segment_file(self.log_end_offset(), FileKind::ProducerSnapshot);
        self.dir.join(name)
    }
}

impl<E: Env> CloseGuard<'_, E> {
    /// Syncs the files one by one.
    fn sync_and_end(mut self) -> Result<Offset, ChangeError> {
        let log = self.log;
        if self.is_written {
            let turn = log.flusher.turn();
            log.sync(&turn)?;
            drop(turn);
            let path = log.snapshot_path();
            log.env
                .open_file(&path, OpenMode::Write)
                .and_then(|file| file.sync_data())
                .map_err(|source| FileError::new("sync", path, source))?;
            for segment in log.view().segments.list() {
                segment.save_indexes(SyncTime::Now)?;
            }
        }
        self.end();
        Ok(log.recovery_point())
    }

    /// Records that everything is on disk.
    fn end(&mut self) {
        let log = self.log;
        if self.is_written {
            let view = log.view();
            for segment in view.segments.list() {
                segment.note_synced();
            }
            let end = view.log_end_offset;
            log.flusher.turn().set_durable_end(end);
            log.flusher.keep_sealed(end, end);
            *log.directory_changed.lock() = false;
        }
        self.writer.is_closed = true;
        self.writer.is_changed = false;
    }
}
