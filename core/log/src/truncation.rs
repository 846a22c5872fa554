//! Completes a truncation on disk before any other change of the log.

use headwater_env::Env;
use headwater_record::Offset;

use crate::active_segment::ActiveSegment;
use crate::append_lock::AppendLock;
use crate::error::{ChangeError, FileError};
use crate::file_name::{self, FileKind, FileName};
use crate::index_file::SyncTime;
use crate::log_directory::LogDirectory;
use crate::mutants::{self, Mutant};
use crate::producer_replay::rebuild_producers;
use crate::segment::{Largest, Segment};

impl<E: Env> AppendLock<'_, E> {
    /// Checks that the log may be changed. First completes an earlier truncation that failed.
    pub(crate) fn begin_change(&mut self) -> Result<(), ChangeError> {
        self.check_open()?;
        self.complete_truncation()
    }

    /// Makes the files agree with the view: removes later segments, newest first, truncates the last one, and recovers
    /// the state at the end. Can be repeated after it failed half-way.
    pub(crate) fn complete_truncation(&mut self) -> Result<(), ChangeError> {
        let Some(truncation) = self.truncation() else {
            return Ok(());
        };
        if mutants::is_active(Mutant::ForgetTruncation) {
            self.set_truncation(None);
        }
        let log = self.log();
        log.finish_removals()?;
        let end = truncation.log_end_offset;
        let view = log.view().now();
        let active = view.segments().active();
        cut_segment(active, end, truncation.position)?;
        active
            .file()
            .sync_cut()
            .map_err(|error| log.directory().sync_error(error))?;
        log.change_epochs(|epochs| epochs.truncate_from_end(end))?;
        remove_snapshots_after(log.directory(), end)?;
        *self.producers_mut() = rebuild_producers(&view)?;
        self.publish_first_unstable();
        self.set_active(ActiveSegment::opened(active.clone()));
        self.set_truncation(None);
        Ok(())
    }
}

/// Truncates a segment's files at `end`, the position of the batch that contains `offset`.
fn cut_segment<E: Env>(segment: &Segment<E>, offset: Offset, end: u64) -> Result<(), FileError> {
    segment.file().cut(end)?;
    segment.truncate_indexes(offset)?;
    segment.set_largest_timestamp(Largest::Unknown);
    // Recovery must not find entries of the truncated part in the index files.
    segment.save_indexes(SyncTime::Now)
}

/// Removes producer snapshots after the end of the log, which are outdated.
fn remove_snapshots_after<E: Env>(
    directory: &LogDirectory<E>,
    log_end_offset: Offset,
) -> Result<(), FileError> {
    let entries = directory
        .env()
        .read_dir(directory.path())
        .map_err(|source| FileError::new("list", directory.path(), source))?;
    for entry in entries {
        if let FileName::Segment(offset, FileKind::ProducerSnapshot) = file_name::parse(&entry.name)
            && offset > log_end_offset
        {
            directory.remove(&entry.name)?;
        }
    }
    directory.sync()
}
