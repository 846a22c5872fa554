//! What opening a data directory found and did.

use std::sync::Arc;
use std::time::Duration;

use headwater_record::{Offset, PartitionId};

/// What [`Broker::open`](crate::Broker::open) found.
#[derive(Debug, Clone, Default)]
pub struct OpenReport {
    /// Whether the directory was made by this call.
    pub created: bool,
    /// Whether the last owner closed it.
    pub clean_shutdown: bool,
    /// How many partitions it holds.
    pub partitions: usize,
    /// How long opening took.
    pub elapsed: Duration,
    /// Partitions whose end was cut or whose indexes were made anew.
    pub recovered: Vec<RecoveredPartition>,
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
    /// Segments whose indexes were rebuilt.
    pub rebuilt_indexes: usize,
}
