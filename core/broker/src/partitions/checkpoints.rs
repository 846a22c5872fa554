//! The checkpoint files of the data directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{ChangeError, CheckpointKind, DataDirectoryError};
use headwater_record::Offset;

use super::Partitions;
use crate::metadata_log;
use crate::partition::Partition;

impl<E: Env> Partitions<E> {
    /// Checkpoints the recovery point of each log.
    pub(crate) fn write_recovery_points(&self) {
        report(self.checkpoint(CheckpointKind::RecoveryPoint));
    }

    /// Checkpoints the log start offset of each log.
    pub(crate) fn write_log_starts(&self) {
        report(self.checkpoint(CheckpointKind::LogStartOffset));
    }

    /// Checkpoints the cleaned offset of each compacted log.
    pub(crate) fn write_cleaner_offsets(&self) {
        report(self.checkpoint(CheckpointKind::Cleaner));
    }

    /// Moves log start offsets after they were checkpointed, so readers never see a start that a crash reverts. If the
    /// checkpoint cannot be written, nothing moves. A log that cannot be changed keeps its start; the next checkpoint
    /// contains the new one again.
    pub(crate) fn move_log_starts(
        &self,
        moves: &[(Arc<Partition<E>>, Offset)],
    ) -> Result<Vec<Result<Offset, ChangeError>>, DataDirectoryError> {
        // Hold the lock until all starts have moved: another checkpoint would contain the old ones.
        let _turn = self.checkpoint_turn.lock();
        self.write_checkpoint(CheckpointKind::LogStartOffset, moves)?;
        let starts = moves
            .iter()
            .map(|(partition, before)| partition.delete_records(*before));
        Ok(starts.collect())
    }

    /// Writes a checkpoint of all partitions. Writers are serialised, so an older list never replaces a newer one.
    pub(crate) fn checkpoint(&self, kind: CheckpointKind) -> Result<(), DataDirectoryError> {
        let _turn = self.checkpoint_turn.lock();
        self.write_checkpoint(kind, &[])
    }

    /// Writes a checkpoint with the log start offsets of `moves`, where they are higher. The caller holds the
    /// checkpoint lock.
    fn write_checkpoint(
        &self,
        kind: CheckpointKind,
        moves: &[(Arc<Partition<E>>, Offset)],
    ) -> Result<(), DataDirectoryError> {
        let directory = self.directory.read();
        let Some(directory) = &*directory else {
            return Ok(());
        };
        let start_of = |partition: &Arc<Partition<E>>| {
            let of_partition = moves.iter().filter(|(of, _)| Arc::ptr_eq(of, partition));
            let starts = of_partition.map(|(_, before)| *before);
            starts.fold(partition.log().log_start_offset(), Offset::max)
        };
        let offset_of = |partition: &Arc<Partition<E>>| {
            let log = partition.log();
            // A missing line means 0, so a log that starts at 0 needs none. A cleaned log always needs its line.
            match kind {
                CheckpointKind::RecoveryPoint => past_zero(log.recovery_point()),
                CheckpointKind::LogStartOffset => past_zero(start_of(partition)),
                CheckpointKind::Cleaner => log.cleaner_checkpoint(),
            }
        };
        let key = |partition: &Partition<E>| (partition.topic.to_string(), partition.id.get());
        let partitions = self.all();
        let mut offsets: BTreeMap<(String, i32), Offset> = partitions
            .iter()
            .filter_map(|partition| Some((key(partition), offset_of(partition)?)))
            .collect();
        if kind == CheckpointKind::RecoveryPoint
            && let Some(offset) = past_zero(self.metadata_log.recovery_point())
        {
            offsets.insert((metadata_log::TOPIC.to_owned(), 0), offset);
        }
        directory.write_checkpoint(kind, &offsets)
    }
}

/// The offset, unless it is 0.
fn past_zero(offset: Offset) -> Option<Offset> {
    (offset > Offset::ZERO).then_some(offset)
}

fn report(result: Result<(), DataDirectoryError>) {
    if let Err(error) = result {
        tracing::error!(%error, "a checkpoint was not written; after a crash more of the logs is recovered or compacted again");
    }
}
