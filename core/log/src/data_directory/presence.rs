//! Whether an open data directory is still the one at its path.

use headwater_env::{Env, Lock as _};

use super::{DataDirectory, DataDirectoryError, META_PROPERTIES};

impl<E: Env> DataDirectory<E> {
    /// Whether its path still leads to it and its lock keeps others out. What is written by its path goes elsewhere otherwise.
    pub fn check_in_place(&self) -> Result<(), DataDirectoryError> {
        if self.lock.is_in_force() {
            Ok(())
        } else {
            Err(DataDirectoryError::Replaced {
                path: self.path.clone(),
            })
        }
    }

    /// As [`check_in_place`](Self::check_in_place), and whether it still has the file that makes it ours.
    pub fn check_not_emptied(&self) -> Result<(), DataDirectoryError> {
        self.check_in_place()?;
        match self.env.metadata(&self.path.join(META_PROPERTIES)) {
            Ok(None) => Err(DataDirectoryError::Replaced {
                path: self.path.clone(),
            }),
            // What cannot be looked at is not known to be gone.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}
