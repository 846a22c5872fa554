//! The attribute bits of a batch.

use crate::compression::{Compression, UnknownCompression};

/// What the timestamps of a topic's records mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TimestampType {
    /// The producer's time; each record has its own.
    #[default]
    CreateTime,
    /// The broker's time of append; all records of a batch have the batch's maximum timestamp.
    LogAppendTime,
}

/// The sixteen attribute bits of a batch: `0..=2` codec, `3` timestamp type, `4` transactional, `5` control,
/// `6` the base timestamp is a delete horizon; the others are unused and kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Attributes(i16);

const CODEC_MASK: i16 = 0x07;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
const DELETE_HORIZON: i16 = 0x40;

impl Attributes {
    /// Takes the bits as they are.
    #[inline]
    pub const fn from_bits(bits: i16) -> Self {
        Self(bits)
    }

    /// The bits as they are written.
    #[inline]
    pub const fn bits(self) -> i16 {
        self.0
    }

    /// The codec of the records, or an error for a number that names none.
    #[inline]
    pub fn compression(self) -> Result<Compression, UnknownCompression> {
        Compression::from_id((self.0 & CODEC_MASK) as i8)
    }

    /// Whether the records lie plain after the header.
    #[inline]
    pub const fn is_plain(self) -> bool {
        self.0 & CODEC_MASK == 0
    }

    /// What the timestamps mean.
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

    /// Whether the records are markers for brokers and consumers, not data.
    #[inline]
    pub const fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// Whether the base timestamp is the time after which compaction may drop the batch's tombstones.
    #[inline]
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON != 0
    }

    /// The same with this codec.
    #[must_use]
    #[inline]
    pub const fn with_compression(self, compression: Compression) -> Self {
        Self(self.0 & !CODEC_MASK | compression.id() as i16)
    }

    /// The same with this timestamp type.
    #[must_use]
    #[inline]
    pub const fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        match timestamp_type {
            TimestampType::CreateTime => Self(self.0 & !LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Self(self.0 | LOG_APPEND_TIME),
        }
    }

    /// The same, part of a transaction.
    #[must_use]
    #[inline]
    pub const fn transactional(self) -> Self {
        Self(self.0 | TRANSACTIONAL)
    }

    /// The same, of markers.
    #[must_use]
    #[inline]
    pub const fn control(self) -> Self {
        Self(self.0 | CONTROL)
    }

    /// The same with or without a delete horizon.
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
