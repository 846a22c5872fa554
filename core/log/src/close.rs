//! The end of a log: `close`, after which the next open needs no recovery, or `abandon`.

use std::path::PathBuf;

use headwater_env::{Env, File, OpenMode};
use headwater_record::Offset;

use crate::append_lock::AppendLock;
use crate::data_directory::DataDirectory;
use crate::error::{ChangeError, FileError};
use crate::file_name::{FileKind, segment_file};
use crate::index_file::SyncTime;
use crate::log_state::LogState;
use crate::partition_log::PartitionLog;
use crate::producer_snapshot;

/// From this number of logs on, the whole disk is synced with one call. For fewer logs that could take longer than
/// syncing their files, because it also writes the data of other programs.
const LOGS_MIN_FOR_DISK_SYNC: usize = 64;

/// Closes logs of a data directory, each like [`PartitionLog::close`]. Syncs the files of many logs together.
pub fn close_all<E: Env>(
    directory: &DataDirectory<E>,
    logs: &[&PartitionLog<E>],
) -> Vec<Result<Offset, ChangeError>> {
    let closing: Vec<_> = logs.iter().map(|log| log.begin_close()).collect();
    let written = closing.iter().filter(|closing| {
        closing
            .as_ref()
            .is_ok_and(|closing| closing.files == FilesToSync::All)
    });
    let is_disk_synced = written.count() >= LOGS_MIN_FOR_DISK_SYNC
        && directory
            .sync_disk()
            .inspect_err(|error| tracing::warn!(%error, "the disk cannot be synced with one call; syncing each file instead"))
            .is_ok();
    let end = |mut closing: CloseGuard<'_, E>| {
        if is_disk_synced {
            closing.end();
            Ok(closing.recovery_point())
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
    lock: AppendLock<'a, E>,
    files: FilesToSync,
}

/// Whether a close wrote files that may not be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FilesToSync {
    None,
    All,
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
        let mut lock = self.lock_without_cleaning();
        lock.close();
        lock.log().flusher().abandon();
    }

    fn begin_close(&self) -> Result<CloseGuard<'_, E>, ChangeError> {
        let mut lock = self.lock_without_cleaning();
        let mut files = FilesToSync::None;
        if !lock.is_closed() {
            lock.begin_change()?;
            let log = lock.log();
            log.finish_removals()?;
            let is_flushed = log.flusher().recovery_point() >= log.log_end_offset();
            if lock.is_changed() || !is_flushed {
                lock.write_everything()?;
                files = FilesToSync::All;
            }
        }
        Ok(CloseGuard { lock, files })
    }
}

impl<E: Env> AppendLock<'_, E> {
    fn write_everything(&mut self) -> Result<(), ChangeError> {
        self.check_in_place()?;
        let active = self.active_mut();
        active.prepare()?;
        active.cut_padding()?;
        active.finish_time_index();
        let log = self.log();
        for segment in log.view().now().segments().list() {
            segment.save_indexes(SyncTime::Later)?;
        }
        log.directory().note_change();
        let path = snapshot_path(log);
        log.env()
            .open_file(&path, OpenMode::Create)
            .and_then(|file| {
                file.set_len(0)?;
                // A torn snapshot has a wrong CRC; then the next open uses an older one.
                file.write_all_at(&producer_snapshot::encode(self.producers()), 0)
            })
            .map_err(|source| FileError::new("write", path, source).into())
    }
}

/// The path of the producer snapshot at the end of the log.
fn snapshot_path<E: Env>(log: &LogState<E>) -> PathBuf {
    let name = segment_file(log.log_end_offset(), FileKind::ProducerSnapshot);
    log.directory().join(name)
}

impl<E: Env> CloseGuard<'_, E> {
    fn recovery_point(&self) -> Offset {
        self.lock.log().flusher().recovery_point()
    }

    /// Syncs the files one by one.
    fn sync_and_end(mut self) -> Result<Offset, ChangeError> {
        if self.files == FilesToSync::All {
            let log = self.lock.log();
            let turn = log.flusher().turn();
            log.sync(&turn)?;
            drop(turn);
            let path = snapshot_path(log);
            log.env()
                .open_file(&path, OpenMode::Write)
                .and_then(|file| file.sync_data())
                .map_err(|source| FileError::new("sync", path, source))?;
            for segment in log.view().now().segments().list() {
                segment.save_indexes(SyncTime::Now)?;
            }
        }
        self.end();
        Ok(self.recovery_point())
    }

    /// Records that everything is on disk.
    fn end(&mut self) {
        if self.files == FilesToSync::All {
            let log = self.lock.log();
            let view = log.view().now();
            for segment in view.segments().list() {
                segment.file().note_synced();
            }
            let end = view.log_end_offset();
            log.flusher().turn().set_durable_end(end);
            log.flusher().keep_sealed(end, end);
            log.directory().note_synced();
        }
        self.lock.close();
        self.lock.note_saved();
    }
}
