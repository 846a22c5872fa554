//! Detects that the active log file was removed, moved or replaced, or its directory. Otherwise appends would go to a
//! file that the next open does not find.

use std::io;
use std::time::Duration;

use headwater_env::{Env, File as _};

use crate::error::Poisoned;
use crate::file_name::FileKind;
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, Writer};
use crate::segment::Segment;
use crate::view::View;

/// The minimum time between two checks of the path by appends. A check at every append took a twentieth of the time of
/// a busy log.
const INTERVAL: Duration = Duration::from_millis(10);

impl<E: Env> PartitionLog<E> {
    /// Before an append, checks that the file has a name and, at most once per interval, that its path leads to it. If
    /// not, the log refuses writes.
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

    /// Checks that the file of the active segment still has its name, for a log without appends. If not, the log
    /// refuses writes. Does nothing during an append, which checks by itself.
    pub fn check_active_file(&self) -> Result<(), Poisoned> {
        // While the lock is held, the active segment stays the same.
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
            // A failed look-up does not prove that the file is gone.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// Before the active segment is sealed or the log closed, checks that its path leads to its file. If not, the log
    /// refuses writes.
    pub(crate) fn check_in_place(&self, view: &View<E>) -> Result<(), Poisoned> {
        let segment = view.segments.active();
        match segment.file() {
            Ok(file) => self.check_path(view, &file),
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
                Err(self.poison(&error))
            }
            // A failed look-up does not prove that the file is gone.
            Err(_) => Ok(()),
        }
    }

    fn check_path(&self, view: &View<E>, file: &E::File) -> Result<(), Poisoned> {
        let segment = view.segments.active();
        let is_elsewhere = matches!(file.is_at(&segment.path(FileKind::Log)), Ok(false));
        // The file may have been closed, and the path opened again to another file.
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
