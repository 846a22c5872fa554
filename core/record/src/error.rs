//! Errors in the bytes of a batch, and in records to be appended.

use crate::compression::{DecompressError, UnknownCompression};
use crate::ids::Offset;

/// The reason why bytes are not a readable batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch.
    #[error("the batch has {needed} bytes, but only {available} are present: it was cut")]
    Truncated {
        /// The size of the batch, or of the prefix that contains its size.
        needed: usize,
        /// The number of bytes.
        available: usize,
    },
    /// There are bytes after the batch (only if exactly one batch is expected).
    #[error("the batch has {size} bytes, but {available} were passed: pass exactly one batch")]
    TrailingBytes {
        /// The size of the batch.
        size: usize,
        /// The number of bytes.
        available: usize,
    },
    /// An older format than Kafka 0.11's.
    #[error(
        "the batch has record format {magic} and only format 2 (Kafka 0.11 and newer) is supported: {}",
        if matches!(magic, 0 | 1) { "use a client or a message.format.version of Kafka 0.11 or newer" }
        else { "the bytes are damaged or not a record batch" }
    )]
    UnsupportedMagic {
        /// The magic byte.
        magic: i8,
    },
    /// The length field is smaller than a header.
    #[error(
        "the batch announces a length of {batch_length}, less than its header's: the bytes are damaged"
    )]
    InvalidLength {
        /// The length field.
        batch_length: i32,
    },
    /// The CRC does not match.
    #[error(
        "the batch has CRC {computed:#010x}, but its header {stored:#010x}: its bytes are damaged"
    )]
    CrcMismatch {
        /// The CRC in the header.
        stored: u32,
        /// The CRC of the bytes.
        computed: u32,
    },
    /// The number of the codec is unknown.
    #[error(transparent)]
    Compression(#[from] UnknownCompression),
    /// The records could not be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// A record is malformed.
    #[error("record {index} of the batch is malformed: {defect}")]
    Record {
        /// The index of the record in the batch.
        index: usize,
        /// The defect.
        defect: RecordDefect,
    },
    /// The header counts fewer records than the bytes contain.
    #[error("the batch has {extra} bytes after its {count} records: its bytes are damaged")]
    BytesAfterRecords {
        /// The record count in the header.
        count: i32,
        /// The number of bytes after the last record.
        extra: usize,
    },
    /// The offset does not follow the previous batch. The CRC does not cover the base offset, so this check detects its
    /// damage.
    #[error(
        "the batch has base offset {base_offset} instead of {expected}: its bytes are damaged, or batches are missing"
    )]
    OffsetOutOfOrder {
        /// The base offset in the header.
        base_offset: Offset,
        /// The offset after the previous batch.
        expected: Offset,
    },
    /// The record count is negative.
    #[error("the batch announces {count} records: the bytes are damaged")]
    InvalidCount {
        /// The record count in the header.
        count: i32,
    },
}

/// A defect of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordDefect {
    /// The bytes end before the record.
    #[error("it is cut")]
    Truncated,
    /// A varint is too long, or exceeds the record.
    #[error("a number in it does not end")]
    Varint,
    /// The length is negative, or differs from the size of the fields.
    #[error("its length does not match its fields")]
    Length,
    /// The length of the key or value is less than -1, or exceeds the record.
    #[error("its key or value does not fit into it")]
    Field,
    /// The key of a header is null, or the number of headers is negative or too large for the record.
    #[error("its headers are malformed")]
    Headers,
    /// The record of a control batch has a key without a control type.
    #[error("its key is not the key of a control record")]
    ControlKey,
    /// The offset delta is not the index of the record.
    #[error("its offset delta is not its index in the batch")]
    OffsetDelta,
    /// The offset does not fit in 64 bits.
    #[error("its offset is out of range")]
    OffsetOverflow,
}

/// The reason why a record was not appended. The batch is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The batch has records and no space for this one: finish it and append to the next.
    #[error("the batch is full: finish it and append the record to the next one")]
    Full,
    /// The timestamp is before 1970. In Kafka -1 means no timestamp; other negative values are invalid.
    #[error(
        "the timestamp {timestamp_ms} is negative: use milliseconds since 1970, or -1 for none"
    )]
    NegativeTimestamp {
        /// The timestamp.
        timestamp_ms: i64,
    },
    /// The record is too large for any batch: it needs more than 2 GiB.
    #[error("the record needs {size} bytes, more than a record batch can hold: split it")]
    TooLarge {
        /// The size that the batch would have.
        size: usize,
    },
}
