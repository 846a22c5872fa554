//! Dates, times and durations: the values that text, Arrow and Python all represent, and their text in ISO 8601.
//!
//! Values outside of these limits have no text, or no object in Python. They are refused in both directions, so that a
//! value is the same wherever it is read.

use std::ops::RangeInclusive;

use arrow_schema::{DataType, TimeUnit};

const DAY_SECONDS: i64 = 86_400;
const DAY_MS: i64 = 86_400_000;

/// From 0001-01-01 to 9999-12-31, in days since 1970.
const DAYS: RangeInclusive<i64> = -719_162..=2_932_896;

/// The maximum days of a duration, positive or negative.
const DURATION_DAYS_MAX: i64 = 999_999_999;

/// An Arrow type for dates, times or durations. Its values are integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemporalType {
    /// Days since 1970.
    Date32,
    /// Milliseconds since 1970, whole days.
    Date64,
    /// Since midnight.
    Time(TimeUnit),
    /// Since 1970.
    Timestamp(TimeUnit),
    Duration(TimeUnit),
}

impl TemporalType {
    /// `None` for other types.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Date32 => Self::Date32,
            DataType::Date64 => Self::Date64,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(*unit),
            DataType::Timestamp(unit, _) => Self::Timestamp(*unit),
            DataType::Duration(unit) => Self::Duration(*unit),
            _ => return None,
        })
    }

    /// Whether the value lies within the limits.
    #[inline]
    pub(crate) fn contains(self, value: i64) -> bool {
        match self {
            Self::Date32 => DAYS.contains(&value),
            Self::Date64 => value % DAY_MS == 0 && DAYS.contains(&(value / DAY_MS)),
            Self::Time(unit) => (0..DAY_SECONDS * per_second(unit)).contains(&value),
            Self::Timestamp(unit) => {
                DAYS.contains(&value.div_euclid(per_second(unit)).div_euclid(DAY_SECONDS))
            }
            Self::Duration(unit) => {
                let seconds = value / per_second(unit);
                seconds.unsigned_abs() <= (DURATION_DAYS_MAX * DAY_SECONDS) as u64
            }
        }
    }

    /// The limits in words, for messages.
    pub(crate) const fn limits(self) -> &'static str {
        match self {
            Self::Date32 => "a date of the years 1 to 9999",
            Self::Date64 => "a whole day of the years 1 to 9999",
            Self::Time(_) => "a time of day from 00:00 to below 24:00",
            Self::Timestamp(_) => "a time of the years 1 to 9999",
            Self::Duration(_) => "a duration of at most 999,999,999 days",
        }
    }

    /// Appends the text of a value within the limits. `utc`: write a timestamp with the suffix of UTC.
    pub(crate) fn push_text(self, value: i64, utc: bool, out: &mut Vec<u8>) {
        match self {
            Self::Date32 => push_date(value, out),
            Self::Date64 => push_date(value / DAY_MS, out),
            Self::Time(unit) => push_time(value, unit, out),
            Self::Timestamp(unit) => {
                let day = DAY_SECONDS * per_second(unit);
                push_date(value.div_euclid(day), out);
                out.push(b'T');
                push_time(value.rem_euclid(day), unit, out);
                if utc {
                    out.push(b'Z');
                }
            }
            Self::Duration(unit) => push_duration(value, unit, out),
        }
    }
}

/// The number of units in a second.
pub(crate) const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The number of decimals of a second in the unit.
const fn decimals(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// Whether a time has more decimals than the unit.
pub(crate) fn is_finer_than(unit: TimeUnit, text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, fraction)| {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit);
        digits.skip(decimals(unit)).any(|digit| digit != b'0')
    })
}

/// A duration such as `P1DT2H3M4.5S` or `-PT90S`, if the unit represents it exactly.
pub(crate) fn parse_duration(text: &str, unit: TimeUnit) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut nanoseconds = 0i128;
    let date_units: &[_] = &[('W', 7 * DAY_SECONDS), ('D', DAY_SECONDS)];
    let time_units: &[_] = &[('H', 3_600), ('M', 60), ('S', 1)];
    for (mut text, units) in [(days, date_units), (time, time_units)] {
        for (letter, seconds) in units {
            let Some((number, rest)) = text.split_once(*letter) else {
                continue;
            };
            nanoseconds += parse_seconds(number)?.checked_mul(i128::from(*seconds))?;
            text = rest;
        }
        if !text.is_empty() {
            return None;
        }
    }
    let per_unit = i128::from(1_000_000_000 / per_second(unit));
    let exact = nanoseconds % per_unit == 0;
    i64::try_from(sign * nanoseconds / per_unit)
        .ok()
        .filter(|_| exact)
}

/// A number with up to nine decimals, times 10^9.
fn parse_seconds(number: &str) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty()
        || whole.len() > 20
        || fraction.len() > 9
        || !is_number(whole)
        || !is_number(fraction)
    {
        return None;
    }
    let nanoseconds: i128 = format!("{fraction:0<9}").parse().ok()?;
    Some(whole.parse::<i128>().ok()? * 1_000_000_000 + nanoseconds)
}

fn push_date(days: i64, out: &mut Vec<u8>) {
    // Days since 0000-03-01, in eras of 400 years: a leap day is then the last day of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    push_digits(year, 4, out);
    out.push(b'-');
    push_digits(month, 2, out);
    out.push(b'-');
    push_digits(day, 2, out);
}

fn push_time(since_midnight: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let seconds = since_midnight / per_second(unit);
    push_digits(seconds / 3_600, 2, out);
    out.push(b':');
    push_digits(seconds / 60 % 60, 2, out);
    out.push(b':');
    push_digits(seconds % 60, 2, out);
    push_fraction(since_midnight % per_second(unit), unit, out);
}

fn push_duration(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(b"PT");
    let seconds = (value / per_second(unit)).unsigned_abs();
    out.extend_from_slice(seconds.to_string().as_bytes());
    push_fraction((value % per_second(unit)).abs(), unit, out);
    out.push(b'S');
}

/// The fraction of a second: empty for 0, otherwise digits in groups of three.
fn push_fraction(fraction: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let (mut fraction, mut width) = (fraction, decimals(unit));
    if fraction == 0 {
        return;
    }
    while fraction % 1_000 == 0 {
        fraction /= 1_000;
        width -= 3;
    }
    out.push(b'.');
    push_digits(fraction, width, out);
}

/// The number, padded with zeros to the width.
fn push_digits(mut number: i64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_type: &DataType, value: i64) -> String {
        let kind = TemporalType::of(data_type).unwrap();
        assert!(kind.contains(value), "{data_type} {value}");
        let mut out = Vec::new();
        kind.push_text(value, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_first_and_the_last_day_and_leap_days_have_their_text() {
        for (days, date) in [
            (-719_162, "0001-01-01"),
            (-135_081, "1600-02-29"),
            (-1, "1969-12-31"),
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(text(&DataType::Date32, days), date);
        }
        for days in [-719_163, 2_932_897] {
            assert!(!TemporalType::Date32.contains(days));
        }
    }

    #[test]
    fn times_keep_their_decimals() {
        let ns = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(text(&ns, -1), "1969-12-31T23:59:59.999999999");
        assert_eq!(text(&ns, 1_500_000_000), "1970-01-01T00:00:01.500");
        let us = DataType::Time64(TimeUnit::Microsecond);
        assert_eq!(text(&us, 86_399_000_010), "23:59:59.000010");
        assert_eq!(
            text(&DataType::Duration(TimeUnit::Millisecond), -1_500),
            "-PT1.500S"
        );
    }

    #[test]
    fn durations_are_read_exactly_or_not_at_all() {
        let ms = |text| parse_duration(text, TimeUnit::Millisecond);
        assert_eq!(ms("P1DT2H3M4.5S"), Some(93_784_500));
        assert_eq!(ms("-PT0.001S"), Some(-1));
        assert_eq!(ms("P2W"), Some(1_209_600_000));
        for wrong in [
            "",
            "P",
            "PT",
            "1S",
            "PT1",
            "PT0.0001S",
            "PT1M1H",
            "P1Y",
            "PT-1S",
            "PT1S ",
            "PT99999999999999999S",
        ] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }
}
