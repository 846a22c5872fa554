//! A partition's log: segments, indexes, append, read, retention, recovery. Synchronous
//!
//! [`PartitionLog`] is one partition in one directory; [`DataDirectory`] is what stands around the partitions. File names and formats are
//! Apache Kafka's to the byte (`core/docs/format.md`). All I/O, time and chance go through [`headwater_env::Env`].
//!
//! Who may do what at the same time: any number of threads append, read and flush. Appends are put in order by one lock per partition;
//! readers never take it, they work on an atomic snapshot of the segment list and the offsets. `fsync` runs outside it too.

mod config;
mod data_directory;
mod error;
mod partition_log;
mod report;
mod types;

pub use config::{CleanupPolicy, LogConfig};
pub use data_directory::{
    CheckpointKind, DataDirectory, DataDirectoryError, MetaProperties, PartitionDirectory,
};
pub use error::{
    AppendError, ChangeError, FileError, FlushError, OpenError, Poisoned, ReadError,
};
pub use partition_log::PartitionLog;
pub use report::{Cut, Damage, RecoveryReport};
pub use types::{
    Appended, DeletedSegment, DeletionReason, EpochEnd, OpenState, ProducerSummary, Read,
    RecordPosition, SegmentInfo,
};
