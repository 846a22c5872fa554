//! Markers of transactions: batches with the control bit and one record.

use bytes::Bytes;

use crate::ids::{ProducerEpoch, ProducerId};
use crate::record::RecordView;

/// What a control record says, by Kafka's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// The transaction was aborted (0).
    Abort,
    /// The transaction was committed (1).
    Commit,
    /// Another type, of Kafka's metadata quorum or newer than this.
    Other(i16),
}

/// A transaction marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRecord {
    /// What it says.
    pub control_type: ControlType,
    /// The epoch of the coordinator that wrote it; `None` where the record has no end-of-transaction value.
    pub coordinator_epoch: Option<i32>,
}

impl ControlRecord {
    /// Reads the record of a control batch; `None` where its key is none that a control record has.
    pub fn parse(record: &RecordView<'_>) -> Option<Self> {
        todo!("{record:?}")
    }
}

/// A batch with one marker that ends the producer's transaction.
pub fn control_batch(
    control_type: ControlType,
    timestamp_ms: i64,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    coordinator_epoch: i32,
) -> Bytes {
    todo!("{control_type:?} {timestamp_ms} {producer_id} {producer_epoch} {coordinator_epoch}")
}
