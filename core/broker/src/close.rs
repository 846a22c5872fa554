//! Clean shutdown.

use headwater_env::Env;
use headwater_log::{CheckpointKind, close_all};

use crate::partitions::Urgency;
use crate::state::State;

/// Why the shutdown was not clean. Everything else was closed; the next open recovers the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine closed, but not cleanly, and the next open will check the logs: {}", reasons.join("; "))]
pub struct CloseError {
    /// The failures.
    pub reasons: Vec<String>,
}

/// Closes the broker once; later calls do nothing.
pub(crate) fn close<E: Env>(state: &State<E>) -> Result<(), CloseError> {
    let partitions = &state.partitions;
    if !state.lifecycle.begin_close() {
        return Ok(());
    }
    state.groups.close();
    // Wait for the current metadata change; no other can start.
    let _changes = state.controller.changes();
    let mut reasons = Vec::new();
    let all = partitions.all();
    for partition in &all {
        partition.retire();
    }
    if let Some(directory) = &*partitions.directory() {
        let logs: Vec<_> = all.iter().map(|partition| partition.log()).collect();
        for (partition, closed) in all.iter().zip(close_all(directory, &logs)) {
            if let Err(error) = closed {
                reasons.push(format!("{}-{}: {error}", partition.topic, partition.id));
            }
        }
    }
    if let Err(error) = state.controller.close() {
        reasons.push(format!("the metadata: {error}"));
    }
    partitions.remove_deleted_directories(Urgency::Now);
    for kind in [
        CheckpointKind::RecoveryPoint,
        CheckpointKind::LogStartOffset,
        CheckpointKind::Cleaner,
    ] {
        if let Err(error) = partitions.checkpoint(kind) {
            reasons.push(format!("a checkpoint: {error}"));
        }
    }
    // Dropping the directory releases its lock, which must come last.
    let directory = partitions.take_directory();
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
