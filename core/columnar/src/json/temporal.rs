//! Parses dates, times and durations: ISO 8601 text, or integers in the unit of the type.

use std::sync::Arc;

use arrow_array::timezone::Tz;
use arrow_array::types::Date32Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::parse::{Parser, string_to_datetime, string_to_time_nanoseconds};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use super::cursor::{Cursor, Fault, Kind};
use super::number;
use crate::temporal::{TemporalType, is_finer_than, parse_duration, per_second};

const DAY_MS: i64 = 86_400_000;
const UTC: &str = "+00:00";

/// How the text of a type is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temporal {
    kind: TemporalType,
    /// The zone of timestamps without an offset. If the type has a named zone they are refused, because names need a
    /// database.
    zone: Option<Tz>,
}

impl Temporal {
    /// `None` for other types.
    pub(crate) fn new(data_type: &DataType) -> Option<Self> {
        let zone = match data_type {
            DataType::Timestamp(_, Some(zone)) if !matches!(&**zone, "UTC" | "Z") => zone,
            _ => UTC,
        };
        Some(Self {
            kind: TemporalType::of(data_type)?,
            zone: zone.parse().ok(),
        })
    }

    /// A value that the type represents exactly.
    pub(crate) fn read(self, cursor: &mut Cursor<'_>) -> Result<i64, Fault> {
        let start = *cursor;
        match cursor.kind()? {
            Kind::Number => {
                let value = number::integer(cursor, i64::MIN, i64::MAX)?;
                if self.kind.contains(value) {
                    Ok(value)
                } else {
                    Err(start.mismatch(self.kind.limits()))
                }
            }
            Kind::Text => {
                let raw = cursor.text()?;
                std::str::from_utf8(raw.bytes)
                    .ok()
                    .filter(|_| !raw.escaped)
                    .and_then(|text| self.parse(text))
                    .filter(|value| self.kind.contains(*value))
                    .ok_or_else(|| start.mismatch(self.expected()))
            }
            _ => Err(start.mismatch(self.expected())),
        }
    }

    fn parse(self, text: &str) -> Option<i64> {
        match self.kind {
            TemporalType::Date32 => parse_date(text),
            TemporalType::Date64 => parse_date(text).map(|days| days * DAY_MS),
            TemporalType::Time(unit) => {
                let nanoseconds = string_to_time_nanoseconds(text).ok()?;
                let value = nanoseconds / (1_000_000_000 / per_second(unit));
                Some(value).filter(|_| !is_finer_than(unit, text))
            }
            TemporalType::Timestamp(unit) => {
                if is_finer_than(unit, text) {
                    return None;
                }
                let zone = self
                    .zone
                    .or_else(|| UTC.parse().ok().filter(|_| has_offset(text)))?;
                let time = string_to_datetime(&zone, text).ok()?;
                match unit {
                    TimeUnit::Second => Some(time.timestamp()),
                    TimeUnit::Millisecond => Some(time.timestamp_millis()),
                    TimeUnit::Microsecond => Some(time.timestamp_micros()),
                    TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
                }
            }
            TemporalType::Duration(unit) => parse_duration(text, unit),
        }
    }

    const fn expected(self) -> &'static str {
        match self.kind {
            TemporalType::Date32 | TemporalType::Date64 => "a date such as \"2013-01-31\"",
            TemporalType::Time(_) => {
                "a time such as \"15:04:05\", with no more decimals than the type has"
            }
            TemporalType::Timestamp(..) => {
                "a time such as \"2013-01-31T15:04:05Z\" with no more decimals than the type has (and an offset, if the type names a zone), or an integer in the unit of the type"
            }
            TemporalType::Duration(_) => {
                "a duration such as \"PT1.5S\" with no more decimals than the type has, or an integer in the unit of the type"
            }
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

/// Whether a timestamp has an offset from UTC.
fn has_offset(text: &str) -> bool {
    text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|time| time.contains(['+', '-']))
}

/// Days since 1970. A time after the date must be midnight, and without an offset, which could change the day.
fn parse_date(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10).unwrap_or((text, ""));
    let is_midnight = match time.strip_prefix(['T', ' ']) {
        Some(time) => {
            let time = time.strip_suffix('Z').unwrap_or(time);
            time.strip_prefix("00:00:00").is_some_and(|fraction| {
                fraction.is_empty()
                    || fraction
                        .strip_prefix('.')
                        .is_some_and(|digits| digits.bytes().all(|digit| digit == b'0'))
            })
        }
        None => time.is_empty(),
    };
    Date32Type::parse(date)
        .filter(|_| is_midnight)
        .map(i64::from)
}
