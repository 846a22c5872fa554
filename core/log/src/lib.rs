//! A partition's log: segments, indexes, append, read, retention, compaction and recovery. Synchronous.
//!
//! [`PartitionLog`] is one partition in one directory; [`DataDirectory`] is the directory of all partitions, with its
//! lock and checkpoints. File names and formats are identical to Apache Kafka's (`core/docs/format.md`). All I/O, time
//! and randomness go through [`headwater_env::Env`].
//!
//! Any number of threads may append, read and flush concurrently. One lock per partition orders the appends. Readers
//! never take it: they use an atomic snapshot of the segment list and the offsets. `fsync` runs outside the lock too.

mod active_segment;
mod append;
mod append_lock;
mod base64;
mod checkpoint;
mod cleaner;
mod close;
mod config;
mod continuity;
mod control_records;
mod data_directory;
mod error;
mod file_name;
mod flush;
mod flusher;
mod gaps;
mod header_walk;
mod housekeeping;
mod index_builder;
mod index_file;
mod leader_epoch_file;
mod leader_epochs;
mod listing;
mod log_directory;
mod log_state;
mod mutants;
mod offset_index;
mod open;
mod partition_log;
mod partition_metadata;
mod pooled_file;
mod presence;
mod producer_replay;
mod producer_snapshot;
mod producer_state;
mod published_view;
mod read;
mod read_buffer;
mod recovery;
mod removals;
mod report;
mod retention;
mod roll;
mod segment;
mod segment_file;
mod segment_paths;
mod segments;
mod stray;
mod time_index;
mod time_lookup;
mod transaction_index;
mod truncate;
mod truncation;
mod types;
mod view;

pub use cleaner::{CleanError, Cleanable, Cleaned, Cleaning, Extent};
pub use close::close_all;
pub use config::{CleanupPolicy, LogConfig};
pub use data_directory::{
    CheckpointKind, DataDirectory, DataDirectoryError, MetaProperties, Offsets, PartitionDirectory,
};
pub use error::{
    AppendError, ChangeError, FileError, FlushError, OpenError, Poisoned, ReadError, advice,
};
pub use partition_log::PartitionLog;
pub use partition_metadata::{DirectoryOwner, read_owner, write_owner};
pub use read::{BatchHeaders, FirstBatch, READ_BYTES_PREFERRED};
pub use report::{Cut, Damage, RecoveryReport, SetAside};
pub use transaction_index::AbortedTransaction;
pub use types::{
    Appended, DeletedSegment, DeletionReason, EpochEnd, OpenState, ProducerSummary, Read,
    RecordPosition, SegmentInfo,
};
