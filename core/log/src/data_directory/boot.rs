//! `.boot`: whether the machine has run on since a data directory was last used.

use headwater_env::{Env, File, OpenMode};

use super::{DataDirectory, DataDirectoryError};
use crate::error::FileError;

/// The boot in which the directory was last opened.
pub(super) const BOOT: &str = ".boot";

impl<E: Env> DataDirectory<E> {
    /// Whether the machine has not been restarted since the directory was last opened; `false` if that is unknown. If so, everything that was
    /// written to the directory is there, synced or not.
    pub fn same_boot(&self) -> bool {
        let noted = self.env.read_file(&self.path.join(BOOT)).ok().flatten();
        let now = self.boot_text();
        now.is_some() && noted.as_deref() == now.as_deref().map(str::as_bytes)
    }

    /// Writes down the boot id. Call it after all logs are open: until then recovery needs the id of the earlier boot.
    ///
    /// The file is not synced: a power cut that loses it is followed by another boot, and the id would not match anyway.
    pub fn note_boot(&self) -> Result<(), DataDirectoryError> {
        let Some(text) = self.boot_text() else {
            return Ok(());
        };
        if self.same_boot() {
            return Ok(());
        }
        let path = self.path.join(BOOT);
        let write = || {
            let file = self.env.open_file(&path, OpenMode::Create)?;
            file.set_len(0)?;
            file.write_all_at(text.as_bytes(), 0)
        };
        write().map_err(|source| FileError::new("write", path, source).into())
    }

    fn boot_text(&self) -> Option<String> {
        self.env.boot_id().map(|id| format!("{id:032x}\n"))
    }
}
