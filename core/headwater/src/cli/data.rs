//! The directory that a command works on.

use std::path::PathBuf;

use clap::Args;

use super::exit::Failure;
use crate::{Engine, NO_CONFIG};

/// What every data directory has.
const MARK: &str = "meta.properties";

#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The data directory; no other process may have it open
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Data {
    /// Opens the directory, which must be there, for `work`, and closes it.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.data.join(MARK).exists() {
            return Err(Failure::Failed(format!(
                "There is no data directory at {}: correct the path, or make one with headwater topic create.",
                self.data.display()
            )));
        }
        self.with_new(work)
    }

    /// As [`Data::with`]; the directory is made if it is missing.
    pub(crate) fn with_new<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let engine = crate::open(Some(&self.data), NO_CONFIG)?;
        let done = work(&engine);
        let closed = engine.close();
        let done = done?;
        closed?;
        Ok(done)
    }
}
