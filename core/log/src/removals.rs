//! Removes the files of segments that left the log: renames them to `.deleted`, and deletes them after a delay.
//!
//! A segment leaves the view first, so that its readers can finish. Then the files are renamed, one segment after the
//! other, each durably before the next. A failed rename is tried again before any later segment, so the segments on
//! disk never have a hole.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use parking_lot::Mutex;

use crate::error::{ChangeError, FileError};
use crate::file_name::{FileKind, Suffix};
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::view::View;

/// The remaining work on disk for segments that left the view.
#[derive(Debug)]
pub(crate) struct Removals<E: Env> {
    pending: Mutex<PendingRemovals<E>>,
}

#[derive(Debug)]
struct PendingRemovals<E: Env> {
    /// Segments whose files are not renamed yet, in the order of their renaming.
    retiring: VecDeque<Arc<Segment<E>>>,
    /// Renamed files, and the monotonic time from which each may be deleted.
    doomed: Vec<(PathBuf, Duration)>,
}

impl<E: Env> Removals<E> {
    pub(crate) fn none() -> Self {
        Self {
            pending: Mutex::new(PendingRemovals {
                retiring: VecDeque::new(),
                doomed: Vec::new(),
            }),
        }
    }

    /// Queues segments that left the view, in the order in which their files are to be removed.
    pub(crate) fn add<'a>(&self, segments: impl Iterator<Item = &'a Arc<Segment<E>>>) {
        let mut pending = self.pending.lock();
        pending.retiring.extend(segments.map(Arc::clone));
    }
}

impl<E: Env> PartitionLog<E> {
    /// Renames the files of all segments that left the view to `.deleted`, durably. After an error the next call
    /// continues.
    pub(crate) fn finish_removals(&self) -> Result<(), FileError> {
        let mut pending = self.removals.pending.lock();
        while let Some(segment) = pending.retiring.front().map(Arc::clone) {
            let retired = self.retire(&segment, &mut pending.doomed);
            if retired.is_err() && mutants::is_active(Mutant::ForgetRemovals) {
                pending.retiring.clear();
            }
            retired?;
            pending.retiring.pop_front();
        }
        Ok(())
    }

    /// Renames the files of one segment. Can be repeated after it failed half-way.
    fn retire(
        &self,
        segment: &Segment<E>,
        doomed: &mut Vec<(PathBuf, Duration)>,
    ) -> Result<(), FileError> {
        let delay = Duration::from_millis(self.config_now().file_delete_delay_ms);
        let due = self.env.monotonic() + delay;
        for kind in FileKind::ALL {
            let path = segment.path(kind);
            let mut retired = path.clone().into_os_string();
            retired.push(Suffix::Deleted.text());
            let retired = PathBuf::from(retired);
            match self.env.rename(&path, &retired) {
                Ok(()) => {
                    self.directory_has_changed();
                    doomed.push((retired, due));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(FileError::new("rename", path, source)),
            }
        }
        self.sync_directory()?;
        segment.set_suffix(Suffix::Deleted);
        Ok(())
    }

    /// Deletes files of segments that were renamed at least `file.delete.delay.ms` ago, and closes files that were not
    /// used since the last call. Returns the number of deleted files. Failed renames and deletions are tried again at
    /// the next call.
    pub fn delete_due_files(&self) -> Result<usize, ChangeError> {
        self.close_idle_files(&self.view());
        let finished = match self.poisoned() {
            Some(_) => Ok(()),
            None => self.finish_removals(),
        };
        let removed = self.remove_doomed();
        finished?;
        Ok(removed?)
    }

    fn remove_doomed(&self) -> Result<usize, FileError> {
        let now = self.env.monotonic();
        let mut removed = 0;
        let mut failed = None;
        let mut pending = self.removals.pending.lock();
        pending.doomed.retain(|(path, due)| {
            if *due > now {
                return true;
            }
            match self.env.remove_file(path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    failed = Some(FileError::new("remove", path, source));
                    return true;
                }
            }
            false
        });
        failed.map_or(Ok(removed), Err)
    }

    /// Closes files and releases maps that were not used since the last call.
    fn close_idle_files(&self, view: &View<E>) {
        let recovery_point = self.recovery_point();
        for (index, segment) in view.segments.list().iter().enumerate() {
            if view.segments.end_offset(index, view.log_end_offset) <= recovery_point {
                segment.close_if_idle();
            }
            segment.release_map_if_idle();
        }
    }
}
