//! Positions in a topic.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use headwater_record::{Offset, PartitionId};

use crate::error::{Error, ErrorKind};

/// A position in each partition of a topic.
///
/// A timestamp resolves to the first record whose timestamp is equal or later, as in Kafka's `ListOffsets`, or to the
/// end if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// The first record that is still in the log.
    Earliest,
    /// After the last record.
    Latest,
    /// The same offset in every partition.
    Offset(Offset),
    /// An offset per partition; other partitions are left out.
    PerPartition(BTreeMap<PartitionId, Offset>),
    /// The first record at or after this time, in milliseconds since the Unix epoch.
    TimestampMs(i64),
    /// The first record that is at most this many milliseconds old.
    AgoMs(u64),
}

impl From<Offset> for Position {
    fn from(offset: Offset) -> Self {
        Self::Offset(offset)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Earliest => f.write_str("earliest"),
            Self::Latest => f.write_str("latest"),
            Self::Offset(offset) => write!(f, "offset {}", offset.get()),
            Self::PerPartition(offsets) => {
                f.write_str("offsets {")?;
                for (index, (partition, offset)) in offsets.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {}", partition.get(), offset.get())?;
                }
                f.write_str("}")
            }
            Self::TimestampMs(time) => match jiff::Timestamp::from_millisecond(*time) {
                Ok(time) => write!(f, "{time}"),
                Err(_) => write!(f, "{time} ms"),
            },
            Self::AgoMs(age) => write!(f, "-{age}ms"),
        }
    }
}

/// Parses `earliest`, `latest`, an offset (`42`), an age (`-15m`, `-2h30m`) or an ISO 8601 time with a zone.
impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        match text {
            "earliest" => return Ok(Self::Earliest),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        if let Ok(offset) = text.parse::<u64>()
            && let Ok(offset) = i64::try_from(offset)
        {
            return Ok(Self::Offset(Offset::new(offset)));
        }
        if let Some(age) = text.strip_prefix('-')
            && let Ok(age_ms) = crate::duration::parse_ms(age)
        {
            return Ok(Self::AgoMs(age_ms));
        }
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::TimestampMs(time.as_millisecond()));
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`{text}` is not a position: use \"earliest\", \"latest\", an offset, an age such as \"-15m\", or a time with its zone such \
                 as \"2026-01-31T12:00:00Z\"."
            ),
        ))
    }
}
