//! Makes records durable: one fsync for all callers that wait (group commit), outside the append lock.

use headwater_env::Env;
use headwater_record::Offset;

use crate::error::{FileError, FlushError};
use crate::flusher::FlushTurn;
use crate::index_file::SyncTime;
use crate::log_state::LogState;
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::view::LogView;

impl<E: Env> PartitionLog<E> {
    /// Makes everything appended so far durable, and the indexes of sealed segments. Returns the new recovery point.
    /// After a failed sync it always fails, even with nothing to flush.
    pub fn flush(&self) -> Result<Offset, FlushError> {
        self.state().flush()
    }

    /// Returns when everything before `offset` is durable. Callers share an fsync: one of them syncs everything
    /// appended so far, the others wait. After a failed fsync the partition is read-only, and no fsync is tried again.
    pub fn wait_flushed(&self, offset: Offset) -> Result<(), FlushError> {
        self.state().wait_flushed(offset)
    }

    /// Flushes if `flush.messages` or `flush.ms` require it, or if a sealed segment waits for it. Returns whether it
    /// flushed.
    pub fn flush_if_due(&self) -> Result<bool, FlushError> {
        let log = self.state();
        let is_due = log.is_flush_due();
        if is_due {
            log.flush()?;
        }
        Ok(is_due)
    }
}

/// None of these can take the append lock, so a thread that appends may wait for them.
impl<E: Env> LogState<E> {
    fn flush(&self) -> Result<Offset, FlushError> {
        if let Some(poisoned) = self.directory().poisoned() {
            return Err(poisoned.into());
        }
        let flusher = self.flusher();
        if flusher.recovery_point() < self.log_end_offset() {
            let end = self.log_end_offset();
            let turn = flusher.turn();
            if flusher.recovery_point() < end {
                self.sync(&turn)?;
            }
        }
        Ok(flusher.recovery_point())
    }

    fn wait_flushed(&self, offset: Offset) -> Result<(), FlushError> {
        loop {
            if self.flusher().durable_end() >= offset {
                return Ok(());
            }
            if let Some(poisoned) = self.directory().poisoned() {
                return Err(poisoned.into());
            }
            let offset = offset.min(self.log_end_offset());
            match self.flusher().turn_unless_flushed(offset) {
                None => return Ok(()),
                Some(turn) => self.sync(&turn)?,
            }
        }
    }

    fn is_flush_due(&self) -> bool {
        let (config, view) = (self.config(), self.view().now());
        let recovery_point = self.flusher().recovery_point();
        let unflushed = (view.log_end_offset() - recovery_point) as u64;
        if unflushed == 0 || self.directory().poisoned().is_some() {
            return false;
        }
        let waited_ms = self.flusher().waited_ms(self.env().monotonic());
        let has_unflushed_seal = recovery_point < view.segments().active().base_offset();
        unflushed >= config.flush_messages || waited_ms >= config.flush_ms || has_unflushed_seal
    }

    /// Syncs everything that is in the log now and may not be on disk.
    pub(crate) fn sync(&self, turn: &FlushTurn<'_>) -> Result<(), FlushError> {
        if let Some(poisoned) = self.directory().poisoned() {
            return Err(poisoned.into());
        }
        let (flusher, view) = (self.flusher(), self.view().now());
        if flusher.is_abandoned() {
            turn.set_durable_end(view.log_end_offset());
            return Ok(());
        }
        let segments = view.segments();
        let first = segments.floor(flusher.recovery_point()).unwrap_or(0);
        for index in first..segments.list().len() {
            self.sync_segment(&view, index)?;
            let segment = &segments.list()[index];
            if !segments.is_active(index) && save_indexes(segment) {
                flusher.has_saved(segment.base_offset());
            }
        }
        self.directory()
            .sync()
            .map_err(|error| self.flush_error(error))?;
        turn.has_synced(view.log_end_offset(), self.env().monotonic());
        Ok(())
    }

    fn sync_segment(&self, view: &LogView<E>, index: usize) -> Result<(), FlushError> {
        let segment = &view.segments().list()[index];
        if segment.file().is_synced() || mutants::is_active(Mutant::SkipFsync) {
            return Ok(());
        }
        match segment.file().sync() {
            Ok(()) => Ok(()),
            // Retention removed the segment during the sync, so it need not be durable.
            Err(error) if self.view().first_base_offset() > segment.base_offset() => {
                tracing::debug!(%error, "a segment was deleted before it was synced");
                Ok(())
            }
            Err(error) => {
                let error = self.directory().sync_error(error);
                Err(self.flush_error(error))
            }
        }
    }

    /// The error of a flush after a failed sync.
    fn flush_error(&self, error: FileError) -> FlushError {
        match self.directory().poisoned() {
            Some(poisoned) => poisoned.into(),
            None => FlushError::File(error),
        }
    }
}

/// Writes the indexes of a sealed segment; recovery does not read the segment again once the recovery point has passed
/// it. If the write fails, for lack of space for example, the records are durable all the same, and the next flush
/// tries again.
fn save_indexes<E: Env>(segment: &Segment<E>) -> bool {
    match segment.save_indexes(SyncTime::Now) {
        Ok(()) => {
            segment.release_indexes();
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the indexes of a segment could not be written; after a crash recovery would read the segment again");
            false
        }
    }
}
