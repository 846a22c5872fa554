//! Regular work on a log that needs no append lock: deletes due files and closes idle ones.

use headwater_env::Env;

use crate::error::ChangeError;
use crate::log_state::LogState;
use crate::partition_log::PartitionLog;
use crate::segment_file::IdleParts;

impl<E: Env> PartitionLog<E> {
    /// Deletes files of segments that were renamed at least `file.delete.delay.ms` ago, and closes files that were not
    /// used since the last call. Returns the number of deleted files. Failed renames and deletions are tried again at
    /// the next call.
    pub fn delete_due_files(&self) -> Result<usize, ChangeError> {
        let log = self.state();
        log.close_idle_files();
        let finished = match self.poisoned() {
            Some(_) => Ok(()),
            None => log.finish_removals(),
        };
        let removed = log.removals().delete_due(log.env());
        finished?;
        Ok(removed?)
    }
}

impl<E: Env> LogState<E> {
    /// Closes files and releases maps that were not used since the last call.
    fn close_idle_files(&self) {
        let (view, recovery_point) = (self.view().now(), self.flusher().recovery_point());
        for (index, segment) in view.segments().list().iter().enumerate() {
            let idle = if view.end_offset(index) <= recovery_point {
                IdleParts::FileAndMaps
            } else {
                IdleParts::Maps
            };
            segment.file().release_idle(idle);
        }
    }
}
