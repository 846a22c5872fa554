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

use crate::error::FileError;
use crate::file_name::{FileKind, Suffix};
use crate::log_directory::LogDirectory;
use crate::mutants::{self, Mutant};
use crate::segment::Segment;

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

    /// Renames the files of all queued segments to `.deleted`, durably. They may be deleted after `delay`. After an
    /// error the next call continues.
    pub(crate) fn finish(
        &self,
        directory: &LogDirectory<E>,
        delay: Duration,
    ) -> Result<(), FileError> {
        let mut pending = self.pending.lock();
        while let Some(segment) = pending.retiring.front().map(Arc::clone) {
            let retired = retire(directory, &segment, delay, &mut pending.doomed);
            if retired.is_err() && mutants::is_active(Mutant::ForgetRemovals) {
                pending.retiring.clear();
            }
            retired?;
            pending.retiring.pop_front();
        }
        Ok(())
    }

    /// Deletes the renamed files whose delay is over. Returns their number. Failed deletions are tried again at the
    /// next call.
    pub(crate) fn delete_due(&self, env: &E) -> Result<usize, FileError> {
        let now = env.monotonic();
        let mut removed = 0;
        let mut failed = None;
        let mut pending = self.pending.lock();
        pending.doomed.retain(|(path, due)| {
            if *due > now {
                return true;
            }
            match env.remove_file(path) {
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
}

/// Renames the files of one segment. Can be repeated after it failed half-way.
fn retire<E: Env>(
    directory: &LogDirectory<E>,
    segment: &Segment<E>,
    delay: Duration,
    doomed: &mut Vec<(PathBuf, Duration)>,
) -> Result<(), FileError> {
    let env = directory.env();
    let due = env.monotonic() + delay;
    for kind in FileKind::ALL {
        let path = segment.path(kind);
        let mut retired = path.clone().into_os_string();
        retired.push(Suffix::Deleted.text());
        let retired = PathBuf::from(retired);
        match env.rename(&path, &retired) {
            Ok(()) => {
                directory.note_change();
                doomed.push((retired, due));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError::new("rename", path, source)),
        }
    }
    directory.sync()?;
    segment.set_suffix(Suffix::Deleted);
    Ok(())
}
