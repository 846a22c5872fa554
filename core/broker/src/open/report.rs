//! What opening a data directory found and did.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_log::RecoveryReport;
use headwater_record::{Offset, PartitionId};

/// What [`Broker::open`](crate::Broker::open) found.
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Whether the directory was made by this call.
    pub created: bool,
    /// Whether the last owner closed it.
    pub clean_shutdown: bool,
    /// How many partitions of topics it holds.
    pub partitions: usize,
    /// How long opening took.
    pub elapsed: Duration,
    /// Partitions whose end was cut, whose indexes were made anew, or in which damage was found. The metadata log is one of them.
    pub recovered: Vec<RecoveredPartition>,
    /// Partitions whose directory was missing. Each goes on, empty, at its last checkpoint; without one its offsets start again at 0.
    pub missing: Vec<(Arc<str>, PartitionId)>,
    /// Checkpoint files that could not be understood and were made anew; because of them everything was checked.
    pub damaged_checkpoints: Vec<PathBuf>,
    /// Directories of topics that nobody knows: they were left as they are.
    pub strays: Vec<StrayDirectory>,
}

/// What recovery did to one partition.
#[derive(Debug, Clone)]
pub struct RecoveredPartition {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Bytes at the end that were no whole, valid batch, and were cut.
    pub truncated_bytes: u64,
    /// The next offset that will be written.
    pub log_end_offset: Offset,
    /// Index files that were made anew.
    pub rebuilt_indexes: usize,
    /// Everything in detail; its `Display` is for people.
    pub details: RecoveryReport,
}

/// A partition's directory whose topic is not in the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayDirectory {
    /// Where it is.
    pub path: PathBuf,
}

impl OpenReport {
    /// Whether there is something to tell: it was not closed, or something was recovered, missing, damaged or unknown.
    pub fn has_news(&self) -> bool {
        !(self.created || self.clean_shutdown)
            || !self.recovered.is_empty()
            || !self.missing.is_empty()
            || !self.damaged_checkpoints.is_empty()
            || !self.strays.is_empty()
    }

    /// Notes what recovery did, if it did anything.
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
