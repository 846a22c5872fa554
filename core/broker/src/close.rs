//! Clean shutdown.

use headwater_env::Env;
use headwater_log::{CheckpointKind, close_all};

use crate::deletion::Urgency;
use crate::state::State;

/// Why the shutdown was not clean. Everything else was closed; the next open recovers the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine closed, but not cleanly, and the next open will check the logs: {}", reasons.join("; "))]
pub struct CloseError {
    /// The failures.
    pub reasons: Vec<String>,
}

impl<E: Env> State<E> {
    /// Closes the broker once; later calls do nothing.
    pub(crate) fn close(&self) -> Result<(), CloseError> {
        if !self.begin_close() {
            return Ok(());
        }
        self.closing.notify_one();
        self.close_groups();
        // Wait for the current metadata change; no other can start.
        let _changes = self.controller.lock();
        let mut reasons = Vec::new();
        let partitions = self.topics.partitions();
        for partition in &partitions {
            partition.retire();
        }
        if let Some(directory) = &*self.directory.read() {
            let logs: Vec<_> = partitions.iter().map(|partition| partition.log()).collect();
            for (partition, closed) in partitions.iter().zip(close_all(directory, &logs)) {
                if let Err(error) = closed {
                    reasons.push(format!("{}-{}: {error}", partition.topic, partition.id));
                }
            }
        }
        if let Err(error) = self.metadata_log.close() {
            reasons.push(format!("the metadata: {error}"));
        }
        self.remove_deleted_directories(Urgency::Now);
        for kind in [
            CheckpointKind::RecoveryPoint,
            CheckpointKind::LogStartOffset,
            CheckpointKind::Cleaner,
        ] {
            if let Err(error) = self.checkpoint(kind) {
                reasons.push(format!("a checkpoint: {error}"));
            }
        }
        // Dropping the directory releases its lock, which must come last.
        let directory = self.directory.write().take();
        if let Some(directory) = &directory
            && reasons.is_empty()
            && let Err(error) = directory.mark_clean_shutdown()
        {
            reasons.push(format!("writing the clean-shutdown marker: {error}"));
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(CloseError { reasons })
        }
    }
}
