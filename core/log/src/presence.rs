//! Whether the active log file is still the one at its path. Somebody may have removed, moved or replaced it or its directory: then it takes
//! writes that the next open would not find.

use std::io;
use std::time::Duration;

use headwater_env::{Env, File as _};

use crate::error::Poisoned;
use crate::file_name::FileKind;
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, Writer};
use crate::segment::Segment;
use crate::view::View;

/// How often appends compare the file with its path. Looking a path up at every append of a busy log took a twentieth of its time.
const INTERVAL: Duration = Duration::from_millis(10);

impl<E: Env> PartitionLog<E> {
    /// Before an append: whether the file has a name and, unless that was looked at within the interval, whether its path leads to it. If
    /// not, the log takes no more writes.
    pub(crate) fn check_file(
        &self,
        writer: &mut Writer,
        view: &View<E>,
        file: &E::File,
    ) -> Result<(), Poisoned> {
        let segment = view.segments.active();
        if mutants::is_active(Mutant::AppendUnlinked) {
            return Ok(());
        }
        if !matches!(file.is_linked(), Ok(true)) {
            return Err(self.lost(segment, "it was removed while it was open"));
        }
        let now = self.env.monotonic();
        let is_due = |last: Duration| now.saturating_sub(last) >= INTERVAL;
        if writer.head.found_in_place.is_none_or(is_due) {
            self.check_path(view, file)?;
            writer.head.found_in_place = Some(now);
        }
        Ok(())
    }

    /// Whether the file of the active segment still has its name, for a log that nobody appends to. If not, the log takes no more writes. Does
    /// nothing while an append is at work, which looks itself.
    pub fn check_active_file(&self) -> Result<(), Poisoned> {
        // While it is held, the active segment stays the same.
        let Some(writer) = self.writer.try_lock() else {
            return Ok(());
        };
        if writer.is_closed
            || self.poisoned().is_some()
            || mutants::is_active(Mutant::AppendUnlinked)
        {
            return Ok(());
        }
        let view = self.view();
        let segment = view.segments.active();
        match self.env.metadata(&segment.path(FileKind::Log)) {
            Ok(None) => Err(self.lost(segment, "it was removed while it was open")),
            // What cannot be looked at is not known to be gone.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// Before the active segment is sealed or the log closed: whether its path leads to its file. If not, the log takes no more writes.
    pub(crate) fn check_in_place(&self, view: &View<E>) -> Result<(), Poisoned> {
        let segment = view.segments.active();
        match segment.file() {
            Ok(file) => self.check_path(view, &file),
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
                Err(self.poison(&error))
            }
            // What cannot be looked at is not known to be gone.
            Err(_) => Ok(()),
        }
    }

    fn check_path(&self, view: &View<E>, file: &E::File) -> Result<(), Poisoned> {
        let segment = view.segments.active();
        let is_elsewhere = matches!(file.is_at(&segment.path(FileKind::Log)), Ok(false));
        // The file may have been closed, and another opened in its place.
        let is_shorter = || file.len().is_ok_and(|len| len < view.active_size);
        if !mutants::is_active(Mutant::AppendUnlinked) && (is_elsewhere || is_shorter()) {
            return Err(self.lost(segment, "it was moved or replaced while it was open"));
        }
        Ok(())
    }

    fn lost(&self, segment: &Segment<E>, what: &str) -> Poisoned {
        let lost = io::Error::new(io::ErrorKind::NotFound, what);
        self.poison(&segment.error("write", FileKind::Log, lost))
    }
}
