//! The options of encoding.

use headwater_record::{BatchOptions, PartitionId};

/// The options of an [`Encoder`](crate::Encoder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Codec, producer state, and the maximum size of a batch (`capacity`).
    pub batch: BatchOptions,
    /// The number of partitions of the topic, at least 1.
    pub partition_count: i32,
    /// Sends all rows to this partition, whatever their key.
    pub partition: Option<PartitionId>,
    /// The first partition for rows without a key. After each batch they continue with the next partition.
    pub sticky_partition: PartitionId,
    /// The timestamp of rows without one, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// The maximum size of one record: key, value and headers with their lengths (`max.request.size`).
    pub max_record_bytes: usize,
}

impl Default for EncodeOptions {
    /// One partition, batches of 1 MiB, records of 1 MiB.
    fn default() -> Self {
        Self {
            batch: BatchOptions {
                capacity: 1 << 20,
                ..BatchOptions::default()
            },
            partition_count: 1,
            partition: None,
            sticky_partition: PartitionId::new(0),
            now_ms: 0,
            max_record_bytes: 1 << 20,
        }
    }
}
