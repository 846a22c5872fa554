//! Detects that the active log file was removed, moved or replaced, or its directory. Otherwise appends would go to a
//! file that the next open does not find.

use std::io;
use std::time::Duration;

use headwater_env::{Env, File as _};

use crate::append_lock::AppendLock;
use crate::error::Poisoned;
use crate::file_name::FileKind;
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;

/// The minimum time between two checks of the path by appends. A check at every append took a twentieth of the time of
/// a busy log.
const INTERVAL: Duration = Duration::from_millis(10);

impl<E: Env> PartitionLog<E> {
    /// Checks that the file of the active segment still has its name, for a log without appends. If not, the log
    /// refuses writes. Does nothing during an append, which checks by itself.
    pub fn check_active_file(&self) -> Result<(), Poisoned> {
        // While the lock is held, the active segment stays the same.
        let Some(lock) = self.try_lock() else {
            return Ok(());
        };
        if lock.check_open().is_err() || mutants::is_active(Mutant::AppendUnlinked) {
            return Ok(());
        }
        let view = lock.log().view().now();
        let segment = view.segments().active();
        match lock.log().env().metadata(&segment.path(FileKind::Log)) {
            Ok(None) => Err(lock.lost(segment, "it was removed while it was open")),
            // A failed look-up does not prove that the file is gone.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}

impl<E: Env> AppendLock<'_, E> {
    /// Before an append, checks that the file has a name and, at most once per interval, that its path leads to it. If
    /// not, the log refuses writes.
    pub(crate) fn check_file(&mut self, file: &E::File) -> Result<(), Poisoned> {
        if mutants::is_active(Mutant::AppendUnlinked) {
            return Ok(());
        }
        if !matches!(file.is_linked(), Ok(true)) {
            return Err(self.lost(self.active().segment(), "it was removed while it was open"));
        }
        let now = self.log().env().monotonic();
        if self.active().is_path_check_due(now, INTERVAL) {
            self.check_path(file)?;
            self.active_mut().note_path_checked(now);
        }
        Ok(())
    }

    /// Before the active segment is sealed or the log closed, checks that its path leads to its file. If not, the log
    /// refuses writes.
    pub(crate) fn check_in_place(&self) -> Result<(), Poisoned> {
        match self.active().segment().file().open() {
            Ok(file) => self.check_path(&file),
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
                Err(self.log().directory().poison(&error))
            }
            // A failed look-up does not prove that the file is gone.
            Err(_) => Ok(()),
        }
    }

    fn check_path(&self, file: &E::File) -> Result<(), Poisoned> {
        let active = self.active();
        let path = active.segment().path(FileKind::Log);
        let is_elsewhere = matches!(file.is_at(&path), Ok(false));
        // The file may have been closed, and the path opened again to another file.
        let is_shorter = || file.len().is_ok_and(|len| len < active.size());
        if !mutants::is_active(Mutant::AppendUnlinked) && (is_elsewhere || is_shorter()) {
            return Err(self.lost(
                active.segment(),
                "it was moved or replaced while it was open",
            ));
        }
        Ok(())
    }

    fn lost(&self, segment: &Segment<E>, what: &str) -> Poisoned {
        let lost = io::Error::new(io::ErrorKind::NotFound, what);
        let error = segment.error("write", FileKind::Log, lost);
        self.log().directory().poison(&error)
    }
}
