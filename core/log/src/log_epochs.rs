//! The leader epochs of a log and their checkpoint file.

use headwater_env::Env;
use headwater_record::{LeaderEpoch, Offset};

use crate::error::FileError;
use crate::file_name::LEADER_EPOCH_CHECKPOINT;
use crate::leader_epochs::LeaderEpochs;
use crate::partition_log::PartitionLog;
use crate::types::EpochEnd;

impl<E: Env> PartitionLog<E> {
    /// The newest leader epoch in the log.
    pub fn latest_leader_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest()
    }

    /// The end offset of `epoch` in this log; `None` if all epochs of the log are larger.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        let epochs = self.epochs.read();
        epochs.end_offset_for(epoch, self.log_end_offset())
    }

    /// Changes the leader epochs, and writes their file if `change` returns true. Nothing changes after an error.
    pub(crate) fn change_epochs(
        &self,
        change: impl FnOnce(&mut LeaderEpochs) -> bool,
    ) -> Result<(), FileError> {
        let mut epochs = self.epochs.write();
        let mut next = epochs.clone();
        if change(&mut next) {
            self.write_epochs(&next)?;
        }
        *epochs = next;
        Ok(())
    }

    /// Removes the leader epochs before the start of the log. If the file cannot be written, it lists them until the
    /// next change or open, which is harmless: the entries of the remaining records are right.
    pub(crate) fn forget_epochs_before(&self, log_start_offset: Offset) {
        let mut epochs = self.epochs.write();
        if epochs.truncate_from_start(log_start_offset)
            && let Err(error) = self.write_epochs(&epochs)
        {
            tracing::warn!(%error, "the leader epochs of deleted records remain in their file until the next change");
        }
    }

    fn write_epochs(&self, epochs: &LeaderEpochs) -> Result<(), FileError> {
        let path = self.dir.join(LEADER_EPOCH_CHECKPOINT);
        self.env
            .replace_file(&path, epochs.format().as_bytes())
            .map_err(|source| FileError::new("replace", path, source))
    }
}
