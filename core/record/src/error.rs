//! What can be wrong with the bytes of a batch, and with a record that is to be appended.

use crate::compression::{DecompressError, UnknownCompression};
use crate::ids::Offset;

/// Why bytes are no batch that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does.
    #[error("the batch needs {needed} bytes and {available} are there: it was cut")]
    Truncated {
        /// The size of the batch, or of what must be there to know it.
        needed: usize,
        /// What is there.
        available: usize,
    },
    /// The batch goes on after what its length says (only where exactly one batch is expected).
    #[error(
        "the batch is {size} bytes long and {available} bytes are there: pass exactly one batch"
    )]
    TrailingBytes {
        /// What the length says.
        size: usize,
        /// What is there.
        available: usize,
    },
    /// Not the format of Kafka 0.11 and newer.
    #[error(
        "the batch has record format {magic} and only format 2 (Kafka 0.11 and newer) is supported: {}",
        if matches!(magic, 0 | 1) { "use a client or a message.format.version of Kafka 0.11 or newer" }
        else { "the bytes are damaged or no record batch" }
    )]
    UnsupportedMagic {
        /// What stands in the magic byte.
        magic: i8,
    },
    /// The length field is smaller than a header.
    #[error(
        "the batch gives its length as {batch_length}, less than its header has: the bytes are damaged"
    )]
    InvalidLength {
        /// What stands in the length field.
        batch_length: i32,
    },
    /// The checksum does not match.
    #[error("the batch has CRC {computed:#010x} and says {stored:#010x}: its bytes are damaged")]
    CrcMismatch {
        /// What the header says.
        stored: u32,
        /// What the bytes have.
        computed: u32,
    },
    /// The codec's number names none.
    #[error(transparent)]
    Compression(#[from] UnknownCompression),
    /// The records could not be decompressed.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    /// A record is malformed.
    #[error("record {index} of the batch is malformed: {defect}")]
    Record {
        /// The record's place in the batch, from 0.
        index: usize,
        /// What is wrong with it.
        defect: RecordDefect,
    },
    /// There are fewer or more bytes than the records that the header counts.
    #[error("{extra} bytes follow the last of the {count} records that the batch counts")]
    BytesAfterRecords {
        /// What the header counts.
        count: i32,
        /// The bytes after the last record.
        extra: usize,
    },
    /// The offsets do not follow those before. The base offset is not under the checksum; only this tells that it is damaged.
    #[error(
        "the batch has base offset {base_offset} where {expected} must follow: its bytes are damaged, or batches are missing"
    )]
    OffsetOutOfOrder {
        /// What the header says.
        base_offset: Offset,
        /// The offset after the batch before.
        expected: Offset,
    },
    /// The count is negative.
    #[error("the batch counts {count} records: the bytes are damaged")]
    InvalidCount {
        /// What the header says.
        count: i32,
    },
}

/// What is wrong with one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordDefect {
    /// The bytes end before it does.
    #[error("the bytes end inside it")]
    Truncated,
    /// A varint goes on for too long, or over the record's end.
    #[error("a number in it does not end")]
    Varint,
    /// Its length is negative or too short for its fields, or longer than they are.
    #[error("its length does not agree with its fields")]
    Length,
    /// The key's or value's length is less than -1 or goes over the record's end.
    #[error("its key or value does not fit into it")]
    Field,
    /// A header's key is null, or the number of headers is negative or more than the bytes can hold.
    #[error("its headers are malformed")]
    Headers,
    /// The record of a control batch has a key without a control type.
    #[error("its key is not a control record's")]
    ControlKey,
    /// The offset delta is not the record's place in the batch.
    #[error("its offset delta is not its place in the batch")]
    OffsetDelta,
    /// The offset is beyond 64 bits.
    #[error("its offset is out of range")]
    OffsetOverflow,
}

/// Why a record was not appended to a batch. The batch is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The batch has records and no room for this one: finish it and append to the next.
    #[error("the batch is full: finish it and append the record to the next one")]
    Full,
    /// The timestamp is before 1970; Kafka knows -1 as "none" and nothing else below 0.
    #[error(
        "the timestamp {timestamp_ms} is negative: use milliseconds since 1970, or -1 for none"
    )]
    NegativeTimestamp {
        /// The timestamp.
        timestamp_ms: i64,
    },
    /// The record can never be in a batch: it needs more than 2 GiB.
    #[error("the record needs {size} bytes, more than a record batch can hold: split it")]
    TooLarge {
        /// The size it would have.
        size: usize,
    },
}
