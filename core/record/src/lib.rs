//! Kafka's record batch v2: header, builder, views, validation, compression. No I/O.
//!
//! A batch stays one range of encoded [`bytes::Bytes`] from the producer to the disk to the consumer; this crate never
//! builds a list of record objects.
//!
//! - [`BatchBuilder`] encodes records into a batch, one by one or many at once; [`control_batch`] encodes a
//!   transaction marker.
//! - [`validate`] turns untrusted bytes into [`ValidatedBatches`], which later code relies on.
//! - [`batches`] and [`RecordBatch`] iterate over batches; [`Records`] iterates over the records of one batch as
//!   views ([`RecordView`]) or as positions ([`RawRecord`]).
//! - [`visible_batches`] skips the batches that a reader with isolation level `read_committed` must not see: control
//!   batches, and the batches of [`AbortedTransactions`].
//!
//! ```
//! use headwater_record::{BatchBuilder, BatchOptions, DecompressLimit, RecordBatch, ValidationRules, validate};
//!
//! let mut builder = BatchBuilder::new(BatchOptions::default());
//! builder.try_append(1_700_000_000_000, Some(b"UA"), Some(b"on time"), &[("origin", Some(b"EWR"))])?;
//! let batch = builder.finish().expect("it has a record");
//!
//! let valid = validate(batch, &ValidationRules::default())?;
//! let batch = RecordBatch::parse(valid.into_bytes())?;
//! for record in &batch.records(DecompressLimit::default())? {
//!     assert_eq!(record?.value, Some(&b"on time"[..]));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The format
//!
//! Integers are big-endian; a varint is zigzag in groups of seven bits, least significant first.
//!
//! ```text
//! batch   = base_offset:i64 batch_length:i32 leader_epoch:i32 magic:i8=2 crc:u32 attributes:i16
//!           last_offset_delta:i32 base_timestamp:i64 max_timestamp:i64
//!           producer_id:i64 producer_epoch:i16 base_sequence:i32 record_count:i32 record*
//! record  = length:varint attributes:i8=0 timestamp_delta:varlong offset_delta:varint
//!           key_length:varint(-1 = null) key value_length:varint(-1 = null) value
//!           header_count:varint header*
//! header  = key_length:varint key value_length:varint(-1 = null) value
//! ```
//!
//! `batch_length` is the number of bytes after it. The CRC (CRC-32C) covers everything from `attributes` on, so
//! base offset and leader epoch may be changed in place. When `attributes` names a codec, everything after
//! `record_count` is one compressed run of records.

mod attributes;
mod batch;
mod buffer;
mod builder;
pub mod compression;
mod control;
pub mod crc;
mod encode;
mod error;
mod header;
mod ids;
mod invalid;
mod record;
mod records;
mod rewrite;
mod transactions;
mod validate;
mod validated;
pub mod varint;

pub use attributes::{Attributes, TimestampType};
pub use batch::{Batches, RecordBatch, batches, find_batch};
pub use builder::{BatchBuilder, BatchOptions, PlainRecord, ProducerState};
pub use compression::{Compression, CompressionLevel, DecompressError, DecompressLimit};
pub use control::{ControlRecord, ControlType, control_batch};
pub use error::{AppendError, BatchError, RecordDefect};
pub use header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, MAGIC};
pub use ids::{LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId};
pub use invalid::{InvalidBatch, InvalidBatchKind, RecordRefusal, RefusedRecord};
pub use record::{Header, Headers, RawRecord, RecordView, Span};
pub use records::{RawRecords, RecordIter, Records};
pub use transactions::{AbortedTransactions, TransactionFilter, VisibleBatches, visible_batches};
pub use validate::{AppendOrigin, ByteSource, TimestampRule, ValidationRules, validate};
pub use validated::{RecompressError, ValidatedBatches};
