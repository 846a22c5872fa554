//! Dates and times: ISO 8601 text, or integers in the type's own unit.

use arrow_array::timezone::Tz;
use arrow_array::types::Date32Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::parse::{Parser, string_to_datetime, string_to_time_nanoseconds};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use std::sync::Arc;

use super::cursor::{Cursor, Fault, Kind};
use super::number;

/// How the text of a type is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Temporal {
    /// Days since the epoch.
    Days,
    /// Milliseconds since the epoch, a date.
    DateMs,
    /// Since midnight.
    Time(TimeUnit),
    /// Since the epoch; text without an offset is in that zone.
    Timestamp(TimeUnit, Tz),
    /// Only integers.
    Duration,
}

impl Temporal {
    /// `None` where the type is none of these, or has a zone that is no offset.
    pub(crate) fn new(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Date32 => Self::Days,
            DataType::Date64 => Self::DateMs,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(*unit),
            DataType::Timestamp(unit, zone) => {
                let zone = zone
                    .as_deref()
                    .filter(|zone| *zone != "UTC" && *zone != "Z")
                    .unwrap_or("+00:00");
                Self::Timestamp(*unit, zone.parse().ok()?)
            }
            DataType::Duration(_) => Self::Duration,
            _ => return None,
        })
    }

    pub(crate) fn read(self, cursor: &mut Cursor<'_>) -> Result<i64, Fault> {
        let start = *cursor;
        match cursor.kind()? {
            Kind::Number => match self {
                Self::Days | Self::Time(TimeUnit::Second | TimeUnit::Millisecond) => {
                    number::integer(cursor, i32::MIN.into(), i32::MAX.into())
                }
                _ => number::integer(cursor, i64::MIN, i64::MAX),
            },
            Kind::Text => {
                let raw = cursor.text()?;
                let text = std::str::from_utf8(raw.bytes).ok().filter(|_| !raw.escaped);
                text.and_then(|text| self.parse(text))
                    .ok_or_else(|| start.mismatch(self.expected()))
            }
            _ => Err(start.mismatch(self.expected())),
        }
    }

    fn parse(self, text: &str) -> Option<i64> {
        match self {
            Self::Days => Date32Type::parse(text).map(i64::from),
            Self::DateMs => Date32Type::parse(text).map(|days| i64::from(days) * 86_400_000),
            Self::Time(unit) => {
                string_to_time_nanoseconds(text)
                    .ok()
                    .map(|nanoseconds| match unit {
                        TimeUnit::Second => nanoseconds / 1_000_000_000,
                        TimeUnit::Millisecond => nanoseconds / 1_000_000,
                        TimeUnit::Microsecond => nanoseconds / 1_000,
                        TimeUnit::Nanosecond => nanoseconds,
                    })
            }
            Self::Timestamp(unit, zone) => {
                let time = string_to_datetime(&zone, text).ok()?;
                match unit {
                    TimeUnit::Second => Some(time.timestamp()),
                    TimeUnit::Millisecond => Some(time.timestamp_millis()),
                    TimeUnit::Microsecond => Some(time.timestamp_micros()),
                    TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
                }
            }
            Self::Duration => None,
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Days | Self::DateMs => "a date such as \"2013-01-31\"",
            Self::Time(_) => "a time such as \"15:04:05\"",
            Self::Timestamp(..) => {
                "a time such as \"2013-01-31T15:04:05Z\", or an integer in the unit of the type"
            }
            Self::Duration => "an integer in the unit of the type",
        }
    }

    /// The array, of that type.
    pub(crate) fn finish(array: Int64Array, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let narrow = match data_type {
            DataType::Date32 | DataType::Time32(_) => arrow_cast::cast(&array, &DataType::Int32)?,
            _ => Arc::new(array),
        };
        let data = narrow
            .to_data()
            .into_builder()
            .data_type(data_type.clone())
            .build()?;
        Ok(arrow_array::make_array(data))
    }
}
