//! How tables are encoded.

use headwater_record::{BatchOptions, PartitionId};

/// How an [`Encoder`](crate::Encoder) encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Codec, producer state, and the size that a batch does not exceed (`capacity`).
    pub batch: BatchOptions,
    /// How many partitions the topic has, at least 1.
    pub partition_count: i32,
    /// All rows go here, whatever their key.
    pub partition: Option<PartitionId>,
    /// Where rows without a key start; after each batch they go on with the next partition.
    pub sticky_partition: PartitionId,
    /// The timestamp of rows without one, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// The most bytes of one record, key, value and headers with their lengths (`max.request.size`).
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
