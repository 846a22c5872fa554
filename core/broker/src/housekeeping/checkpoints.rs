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

    /// Writes down how far each compacted log was cleaned.
    pub(crate) fn write_cleaner_offsets(&self) {
        report(self.checkpoint(CheckpointKind::Cleaner));
    }

    /// Writes one checkpoint, of the partitions that there are now. Writers take turns, so an older list never replaces a newer one.
    pub(crate) fn checkpoint(&self, kind: CheckpointKind) -> Result<(), DataDirectoryError> {
        let _turn = self.checkpoint_turn.lock();
        let directory = self.directory.read();
        let Some(directory) = &*directory else {
            return Ok(());
        };
        let offset_of = |partition: &Partition<E>| {
            let log = partition.log();
            // A log that starts at 0 needs no line: that is what a missing one means. One that was cleaned needs it, whatever it says.
            match kind {
                CheckpointKind::RecoveryPoint => past_zero(log.recovery_point()),
                CheckpointKind::LogStartOffset => past_zero(log.log_start_offset()),
                CheckpointKind::Cleaner => log.cleaner_checkpoint(),
            }
        };
        let key = |partition: &Partition<E>| (partition.topic.to_string(), partition.id.get());
        let partitions = self.topics.partitions();
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
        tracing::error!(%error, "a checkpoint was not written; after a crash more of the logs is read, or compacted again");
    }
}
