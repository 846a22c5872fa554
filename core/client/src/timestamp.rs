//! Times as ISO 8601 text.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::error::{Error, ErrorKind, Result};

/// A time that was given as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextTime {
    nanoseconds: i128,
}

impl TextTime {
    /// The last of Kafka's timestamps at or before the time, in milliseconds since 1970: the timestamp of a record.
    pub fn floor_ms(self) -> i64 {
        saturated(self.nanoseconds.div_euclid(1_000_000))
    }

    /// The first of Kafka's timestamps at or after the time, in milliseconds since 1970: the start or end of a range.
    pub fn ceil_ms(self) -> i64 {
        saturated(-(-self.nanoseconds).div_euclid(1_000_000))
    }
}

fn saturated(milliseconds: i128) -> i64 {
    i64::try_from(milliseconds).unwrap_or(if milliseconds < 0 { i64::MIN } else { i64::MAX })
}

/// A text with a time.
enum TimeText {
    /// A date, which is its midnight in UTC, or a time with its zone.
    Time(TextTime),
    /// A time without a zone.
    Local(DateTime),
}

fn read(text: &str) -> Option<TimeText> {
    if let Some(date) = date(text) {
        return in_utc(date.to_datetime(Time::midnight())).map(TimeText::Time);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(TimeText::Time(of(time)));
    }
    // The parser of local times accepts, and ignores, a zone in brackets.
    let local = text.parse().ok().filter(|_| !text.contains('['));
    local.map(TimeText::Local)
}

fn in_utc(local: DateTime) -> Option<TextTime> {
    let zoned = local.to_zoned(TimeZone::UTC).ok()?;
    Some(of(zoned.timestamp()))
}

fn of(time: jiff::Timestamp) -> TextTime {
    TextTime {
        nanoseconds: time.as_nanosecond(),
    }
}

/// Parses a date (`2026-01-31`: its midnight in UTC) or a time with its zone (`2026-01-31T10:00:00Z`,
/// `2026-01-31T11:00:00+01:00`). `None` for any other text; a time without a zone is an error.
pub fn parse(text: &str) -> Result<Option<TextTime>> {
    let text = text.trim();
    match read(text) {
        Some(TimeText::Time(time)) => Ok(Some(time)),
        Some(TimeText::Local(_)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`{text}` has no time zone: write \"{text}Z\" if it is in UTC, or add its offset such as \"+01:00\"."
            ),
        )),
        None => Ok(None),
    }
}

/// Like [`parse`], for times in data: a time without a zone is in UTC.
pub fn parse_in_utc(text: &str) -> Option<TextTime> {
    match read(text.trim())? {
        TimeText::Time(time) => Some(time),
        TimeText::Local(local) => in_utc(local),
    }
}

/// The timestamp of a record, in milliseconds since 1970, from a text like in [`parse`]. Fractions of a millisecond are
/// rounded down. Times before 1970 are not refused.
pub fn parse_ms(text: &str) -> Result<i64> {
    match parse(text)? {
        Some(time) => Ok(time.floor_ms()),
        None => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`{text}` is not a time: write a date such as \"2026-01-31\", or a time with its zone such as \"2026-01-31T12:00:00Z\"."
            ),
        )),
    }
}

/// A date without a time. The parser of dates accepts, and ignores, what follows the date.
fn date(text: &str) -> Option<Date> {
    let date = text.parse::<Date>().ok()?;
    (text.len() == "2026-01-31".len() && date.to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// 2026-01-31T00:00:00Z
    const MIDNIGHT_MS: i64 = 1_769_817_600_000;

    #[rstest]
    #[case::date("2026-01-31", MIDNIGHT_MS)]
    #[case::in_utc("2026-01-31T00:00:00Z", MIDNIGHT_MS)]
    #[case::with_space("2026-01-31 00:00:01Z", MIDNIGHT_MS + 1000)]
    #[case::with_offset("2026-01-31T01:00:00+01:00", MIDNIGHT_MS)]
    #[case::fraction("2026-01-31T00:00:00.5Z", MIDNIGHT_MS + 500)]
    #[case::before_1970("1969-12-31", -86_400_000)]
    fn times_are_dates_in_utc_or_have_a_zone(#[case] text: &str, #[case] expected_ms: i64) {
        assert_eq!(parse_ms(text).unwrap(), expected_ms);
    }

    #[test]
    fn fractions_of_a_millisecond_are_rounded_down_for_records_and_up_for_ranges() {
        for (text, floor, ceil) in [
            ("1970-01-01T00:00:00.0015Z", 1, 2),
            ("1969-12-31T23:59:59.9985Z", -2, -1),
            ("1970-01-01T00:00:00.002Z", 2, 2),
        ] {
            let time = parse(text).unwrap().unwrap();
            assert_eq!((time.floor_ms(), time.ceil_ms()), (floor, ceil), "{text}");
        }
    }

    #[rstest]
    #[case("2026-01-31T10:00:00")]
    #[case("2026-01-31 10:00")]
    fn a_time_without_a_zone_is_refused_with_the_remedy(#[case] text: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message().contains(&format!("\"{text}Z\"")), "{error}");
    }

    #[rstest]
    #[case("2026-01-31T10:00:00", MIDNIGHT_MS + 36_000_000)]
    #[case("2026-01-31 10:00", MIDNIGHT_MS + 36_000_000)]
    #[case("2026-01-31T10:00:00+01:00", MIDNIGHT_MS + 32_400_000)]
    #[case("2026-01-31", MIDNIGHT_MS)]
    fn a_time_without_a_zone_in_data_is_in_utc(#[case] text: &str, #[case] expected_ms: i64) {
        assert_eq!(parse_in_utc(text).unwrap().floor_ms(), expected_ms);
    }

    #[rstest]
    #[case("")]
    #[case("42")]
    #[case("yesterday")]
    #[case("2026-02-30")]
    #[case("2026-01-31[Europe/Berlin]")]
    #[case("31.01.2026")]
    fn other_text_is_not_a_time(#[case] text: &str) {
        assert_eq!(parse(text).unwrap_or(None), None);
        assert_eq!(parse_in_utc(text), None);
        parse_ms(text).unwrap_err();
    }
}
