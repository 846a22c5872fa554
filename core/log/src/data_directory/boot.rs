//! `.boot`: the boot id of the machine, to detect a restart since the last use of the directory.

use headwater_env::{Env, File, OpenMode};

use super::file_names::BOOT;
use super::{DataDirectory, DataDirectoryError};
use crate::error::FileError;

impl<E: Env> DataDirectory<E> {
    /// Whether the machine is known not to have restarted since the last open. Then everything written to the directory
    /// is there, synced or not.
    pub fn same_boot(&self) -> bool {
        let noted = self.env.read_file(&self.path.join(BOOT)).ok().flatten();
        let now = self.boot_text();
        now.is_some() && noted.as_deref() == now.as_deref().map(str::as_bytes)
    }

    /// Writes the current boot id. Call it after all logs are open: until then recovery needs the previous id.
    ///
    /// The file is not synced: a power cut that loses it starts a new boot, and the id would not match anyway.
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
