//! The attribute bits of a batch.

use crate::compression::{Compression, UnknownCompression};

/// The meaning of the timestamps of a topic's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TimestampType {
    /// The producer's timestamp of each record.
    #[default]
    CreateTime,
    /// The time of the append, set by the broker. All records of a batch have the batch's maximum timestamp.
    LogAppendTime,
}

/// The sixteen attribute bits of a batch: `0..=2` codec, `3` timestamp type, `4` transactional, `5` control, `6` the
/// base timestamp is a delete horizon. The others are unused and preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Attributes(i16);

const CODEC_MASK: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

impl Attributes {
    /// Wraps the bits.
    #[inline]
    pub const fn from_bits(bits: i16) -> Self {
        Self(bits)
    }

    /// The bits.
    #[inline]
    pub const fn bits(self) -> i16 {
        self.0
    }

    /// The codec of the records; an error for an unknown number.
    #[inline]
    pub fn compression(self) -> Result<Compression, UnknownCompression> {
        Compression::from_id((self.0 & CODEC_MASK) as i8)
    }

    /// Whether the records are not compressed.
    #[inline]
    pub const fn is_plain(self) -> bool {
        self.0 & CODEC_MASK == 0
    }

    /// The meaning of the timestamps.
    #[inline]
    pub const fn timestamp_type(self) -> TimestampType {
        if self.0 & LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch belongs to a transaction.
    #[inline]
    pub const fn is_transactional(self) -> bool {
        self.0 & TRANSACTIONAL != 0
    }

    /// Whether the batch contains markers for brokers and consumers instead of data.
    #[inline]
    pub const fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// Whether the base timestamp is the time after which compaction may drop the batch's tombstones.
    #[inline]
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON != 0
    }

    /// These attributes with this codec.
    #[must_use]
    #[inline]
    pub const fn with_compression(self, compression: Compression) -> Self {
        Self(self.0 & !CODEC_MASK | compression.id() as i16)
    }

    /// These attributes with this timestamp type.
    #[must_use]
    #[inline]
    pub const fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        match timestamp_type {
            TimestampType::CreateTime => Self(self.0 & !LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Self(self.0 | LOG_APPEND_TIME),
        }
    }

    /// These attributes as part of a transaction.
    #[must_use]
    #[inline]
    pub const fn transactional(self) -> Self {
        Self(self.0 | TRANSACTIONAL)
    }

    /// These attributes for a control batch.
    #[must_use]
    #[inline]
    pub const fn control(self) -> Self {
        Self(self.0 | CONTROL)
    }

    /// These attributes with or without a delete horizon.
    #[must_use]
    #[inline]
    pub const fn with_delete_horizon(self, has: bool) -> Self {
        if has {
            Self(self.0 | DELETE_HORIZON)
        } else {
            Self(self.0 & !DELETE_HORIZON)
        }
    }
}
