//! Kafka as a library: open a directory, produce, consume Arrow.

mod engine;

pub use engine::{Engine, open};
pub use headwater_broker::OpenReport;
pub use headwater_client::*;
pub use headwater_columnar::{DecodeOptions, Format, OnError, Projection};
pub use headwater_protocol::ErrorCode;
pub use headwater_record::{Offset, PartitionId};
