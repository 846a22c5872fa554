//! Detects that an open data directory was moved, replaced or emptied.

use headwater_env::{Env, Lock as _};

use super::file_names::META_PROPERTIES;
use super::{DataDirectory, DataDirectoryError};

impl<E: Env> DataDirectory<E> {
    /// Checks that the path still leads to this directory and that its lock still excludes others. Otherwise writes
    /// would go elsewhere.
    pub fn check_in_place(&self) -> Result<(), DataDirectoryError> {
        if self.lock.is_in_force() {
            Ok(())
        } else {
            Err(DataDirectoryError::Replaced {
                path: self.path.clone(),
            })
        }
    }

    /// Like [`check_in_place`](Self::check_in_place), and checks that `meta.properties` still exists.
    pub fn check_not_emptied(&self) -> Result<(), DataDirectoryError> {
        self.check_in_place()?;
        match self.env.metadata(&self.path.join(META_PROPERTIES)) {
            Ok(None) => Err(DataDirectoryError::Replaced {
                path: self.path.clone(),
            }),
            // A failed look-up does not prove that the file is gone.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }
}
