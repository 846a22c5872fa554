//! The checkpoint files of the data directory.

use std::collections::BTreeMap;

use headwater_env::Env;
use headwater_log::{CheckpointKind, DataDirectoryError};
use headwater_record::Offset;

use crate::metadata_log;
use crate::partition::Partition;
use crate::state::State;

impl<E: Env> State<E> {
    /// Writes down how much of each log is known to be on the disk.
    pub(crate) fn write_recovery_points(&self) {
        report(self.checkpoint(CheckpointKind::RecoveryPoint));
    }

    /// Writes down where each log starts.
    pub(crate) fn write_log_starts(&self) {
        report(self.checkpoint(CheckpointKind::LogStartOffset));
    }

    /// Writes one checkpoint, of the partitions that there are now. Writers take turns, so an older list never replaces a newer one.
    pub(crate) fn checkpoint(&self, kind: CheckpointKind) -> Result<(), DataDirectoryError> {
        let _turn = self.checkpoint_turn.lock();
        let directory = self.directory.read();
        let Some(directory) = &*directory else {
            return Ok(());
        };
        let offset_of = |partition: &Partition<E>| match kind {
            CheckpointKind::RecoveryPoint => partition.log().recovery_point(),
            CheckpointKind::LogStartOffset => partition.log().log_start_offset(),
        };
        let key = |partition: &Partition<E>| (partition.topic.to_string(), partition.id.get());
        let partitions = self.topics.partitions();
        let mut offsets: BTreeMap<(String, i32), Offset> = partitions
            .iter()
            .map(|partition| (key(partition), offset_of(partition)))
            .collect();
        if kind == CheckpointKind::RecoveryPoint {
            offsets.insert(
                (metadata_log::TOPIC.to_owned(), 0),
                self.metadata_log.recovery_point(),
            );
        }
        // A log that starts at 0 needs no line: that is what a missing one means.
        offsets.retain(|_, offset| *offset > Offset::ZERO);
        directory.write_checkpoint(kind, &offsets)
    }
}

fn report(result: Result<(), DataDirectoryError>) {
    if let Err(error) = result {
        tracing::error!(%error, "a checkpoint was not written; after a crash more of the logs is read");
    }
}
