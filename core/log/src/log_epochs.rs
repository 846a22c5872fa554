//! The leader epochs of a log, and their file.

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

    /// Where `epoch` ends in this log; `None` when the log knows no epoch that is not larger.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        let epochs = self.epochs.read();
        epochs.end_offset_for(epoch, self.log_end_offset())
    }

    /// Changes the leader epochs, and their file if `change` says so. Nothing changes after an error.
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

    /// Forgets the leader epochs before the start of the log. Where the file cannot be written it names them until the next change or open:
    /// that says nothing wrong of the records that are left.
    pub(crate) fn forget_epochs_before(&self, log_start_offset: Offset) {
        let mut epochs = self.epochs.write();
        if epochs.truncate_from_start(log_start_offset)
            && let Err(error) = self.write_epochs(&epochs)
        {
            tracing::warn!(%error, "the leader epochs of deleted records stay in their file for now");
        }
    }

    fn write_epochs(&self, epochs: &LeaderEpochs) -> Result<(), FileError> {
        let path = self.dir.join(LEADER_EPOCH_CHECKPOINT);
        self.env
            .replace_file(&path, epochs.format().as_bytes())
            .map_err(|source| FileError::new("replace", path, source))
    }
}
