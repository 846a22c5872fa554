//! The leader epochs of a log and their checkpoint file.

use std::ops::Range;

use headwater_env::Env;
use headwater_record::{LeaderEpoch, Offset};
use parking_lot::RwLock;

use crate::error::FileError;
use crate::file_name::LEADER_EPOCH_CHECKPOINT;
use crate::leader_epochs::LeaderEpochs;
use crate::log_directory::LogDirectory;
use crate::types::EpochEnd;

/// The leader epochs, as their file has them.
#[derive(Debug)]
pub(crate) struct LeaderEpochFile {
    epochs: RwLock<LeaderEpochs>,
}

impl LeaderEpochFile {
    /// The recovered epochs, cut to the offsets of the log. Writes the file if it differs.
    pub(crate) fn open<E: Env>(
        directory: &LogDirectory<E>,
        mut epochs: LeaderEpochs,
        offsets: Range<Offset>,
    ) -> Result<Self, FileError> {
        let path = directory.join(LEADER_EPOCH_CHECKPOINT);
        let on_disk = directory
            .env()
            .read_file(&path)
            .map_err(|source| FileError::new("read", path, source))?;
        epochs.truncate_from_end(offsets.end);
        epochs.truncate_from_start(offsets.start);
        let differs = match on_disk {
            Some(bytes) => *bytes != *epochs.format().as_bytes(),
            None => epochs.latest().is_some(),
        };
        if differs {
            write(directory, &epochs)?;
        }
        Ok(Self {
            epochs: RwLock::new(epochs),
        })
    }

    /// The newest leader epoch in the log.
    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest()
    }

    /// The end offset of `epoch`; `None` if all epochs of the log are larger.
    pub(crate) fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end_offset: impl FnOnce() -> Offset,
    ) -> Option<EpochEnd> {
        let epochs = self.epochs.read();
        epochs.end_offset_for(epoch, log_end_offset())
    }

    /// Changes the epochs, and writes their file if `change` returns true. Nothing changes after an error.
    pub(crate) fn change<E: Env>(
        &self,
        directory: &LogDirectory<E>,
        change: impl FnOnce(&mut LeaderEpochs) -> bool,
    ) -> Result<(), FileError> {
        let mut epochs = self.epochs.write();
        let mut next = epochs.clone();
        if change(&mut next) {
            write(directory, &next)?;
        }
        *epochs = next;
        Ok(())
    }

    /// Removes the epochs before the start of the log. If the file cannot be written, it lists them until the next
    /// change or open, which is harmless: the entries of the remaining records are right.
    pub(crate) fn forget_before<E: Env>(
        &self,
        directory: &LogDirectory<E>,
        log_start_offset: Offset,
    ) {
        let mut epochs = self.epochs.write();
        if epochs.truncate_from_start(log_start_offset)
            && let Err(error) = write(directory, &epochs)
        {
            tracing::warn!(%error, "the leader epochs of deleted records remain in their file until the next change");
        }
    }
}

fn write<E: Env>(directory: &LogDirectory<E>, epochs: &LeaderEpochs) -> Result<(), FileError> {
    let path = directory.join(LEADER_EPOCH_CHECKPOINT);
    directory
        .env()
        .replace_file(&path, epochs.format().as_bytes())
        .map_err(|source| FileError::new("replace", path, source))
}
