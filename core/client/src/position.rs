//! Positions in a topic.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use headwater_record::{Offset, PartitionId};

use crate::error::{Error, ErrorKind};
use crate::{duration, timestamp};

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

/// Parses `earliest`, `latest`, an offset (`42`), an age (`-15m`, `-2h30m`), a date (`2026-01-31`: its midnight in UTC)
/// or an ISO 8601 time with a zone.
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
            && let Ok(age_ms) = duration::parse_ms(age)
        {
            return Ok(Self::AgoMs(age_ms));
        }
        if let Some(time) = timestamp::parse(text)? {
            return Ok(Self::TimestampMs(time.ceil_ms()));
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`{text}` is not a position: use \"earliest\", \"latest\", an offset, an age such as \"-15m\", a date such as \
                 \"2026-01-31\", or a time with its zone such as \"2026-01-31T12:00:00Z\"."
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("earliest", Position::Earliest)]
    #[case(" latest ", Position::Latest)]
    #[case("42", Position::Offset(Offset::new(42)))]
    #[case("-1h30m", Position::AgoMs(5_400_000))]
    #[case("1970-01-02", Position::TimestampMs(86_400_000))]
    #[case("1970-01-01T01:00:00.0001+01:00", Position::TimestampMs(1))]
    fn positions_are_parsed(#[case] text: &str, #[case] expected: Position) {
        assert_eq!(text.parse::<Position>().unwrap(), expected);
    }

    #[rstest]
    #[case("2026-01-31T12:00:00", "has no time zone")]
    #[case("2026-02-30", "is not a position")]
    #[case("-1", "is not a position")]
    #[case("yesterday", "is not a position")]
    fn other_text_is_refused(#[case] text: &str, #[case] reason: &str) {
        let error = text.parse::<Position>().unwrap_err();
        assert!(error.message().contains(reason), "{error}");
    }
}
