//! The report of opening a data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_log::RecoveryReport;
use headwater_record::{Offset, PartitionId};

/// The findings of [`Broker::open`](crate::Broker::open).
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Whether this call created the directory.
    pub created: bool,
    /// Whether the last shutdown was clean.
    pub clean_shutdown: bool,
    /// The number of partitions.
    pub partitions: usize,
    /// The duration of the call.
    pub elapsed: Duration,
    /// Partitions that were truncated, whose indexes were rebuilt, or that are damaged. The metadata log is one of
    /// them.
    pub recovered: Vec<RecoveredPartition>,
    /// Partitions whose directory was missing. Each continues, empty, at its last checkpoint; without a checkpoint its
    /// offsets restart at 0.
    pub missing: Vec<(Arc<str>, PartitionId)>,
    /// Checkpoint files that were damaged and recreated; because of them all logs were recovered.
    pub damaged_checkpoints: Vec<PathBuf>,
    /// Directories that belong to no topic. They were not changed.
    pub strays: Vec<StrayDirectory>,
}

/// The recovery of one partition.
#[derive(Debug, Clone)]
pub struct RecoveredPartition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Bytes of incomplete or invalid batches that were cut from the end.
    pub truncated_bytes: u64,
    /// The log end offset.
    pub log_end_offset: Offset,
    /// The number of rebuilt index files.
    pub rebuilt_indexes: usize,
    /// All details; `Display` formats them for people.
    pub details: RecoveryReport,
}

/// A partition directory whose topic is not in the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayDirectory {
    /// The path.
    pub path: PathBuf,
}

impl OpenReport {
    /// Whether there is something to report: an end without a close, or recovered, missing, damaged or unknown files.
    pub fn has_news(&self) -> bool {
        !(self.created || self.clean_shutdown)
            || !self.recovered.is_empty()
            || !self.missing.is_empty()
            || !self.damaged_checkpoints.is_empty()
            || !self.strays.is_empty()
    }

    /// Adds the recovery of a partition, if there was one.
    pub(crate) fn add(
        &mut self,
        topic: &str,
        partition: i32,
        log_end_offset: Offset,
        details: RecoveryReport,
    ) {
        if details.is_clean() {
            return;
        }
        tracing::warn!(topic, partition, report = %details, "a partition was recovered");
        let removed: u64 = details
            .segments_removed
            .iter()
            .map(|(_, bytes)| bytes)
            .sum();
        self.recovered.push(RecoveredPartition {
            topic: Arc::from(topic),
            partition: PartitionId::new(partition),
            truncated_bytes: details.cut.as_ref().map_or(0, |cut| cut.bytes) + removed,
            log_end_offset,
            rebuilt_indexes: details.indexes_rebuilt.len(),
            details,
        });
    }
}
