//! Numbers from text.

use arrow_array::types::Decimal128Type;
use arrow_cast::parse::parse_decimal;

use super::cursor::{Cursor, Fault, Kind};

/// Powers of ten that a double has exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The integers up to here are exact in a double.
const EXACT_INTEGER: u64 = 1 << 53;

/// An integer within the bounds. `1.0` and `1e3` are integers too.
#[inline]
pub(crate) fn integer(cursor: &mut Cursor<'_>, min: i64, max: i64) -> Result<i64, Fault> {
    let start = *cursor;
    let value = match cursor.short_integer() {
        Some(value) => value,
        None => whole(cursor, "an integer")?
            .try_into()
            .map_err(|_| start.mismatch("an integer of 64 bits"))?,
    };
    if value < min || value > max {
        return Err(start.mismatch(format_args!("an integer from {min} to {max}")));
    }
    Ok(value)
}

/// As [`integer`], from 0.
pub(crate) fn unsigned(cursor: &mut Cursor<'_>, max: u64) -> Result<u64, Fault> {
    let start = *cursor;
    let value = whole(cursor, "an integer")?;
    u64::try_from(value)
        .ok()
        .filter(|value| *value <= max)
        .ok_or_else(|| start.mismatch(format_args!("an integer from 0 to {max}")))
}

fn whole(cursor: &mut Cursor<'_>, expected: &str) -> Result<i128, Fault> {
    let start = *cursor;
    let text = number_text(cursor, expected)?;
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    // A fraction or an exponent (or more digits than anything can hold): whole numbers that a double has exactly.
    let value: f64 = text.parse().map_err(|_| start.mismatch(expected))?;
    if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER as f64 {
        return Ok(value as i128);
    }
    Err(start.mismatch(expected))
}

/// A double: the nearest one to the number in the text.
#[inline]
pub(crate) fn float(cursor: &mut Cursor<'_>) -> Result<f64, Fault> {
    let start = *cursor;
    let text = number_text(cursor, "a number")?;
    if let Some(value) = short_float(text.as_bytes()) {
        return Ok(value);
    }
    text.parse().map_err(|_| start.mismatch("a number"))
}

/// Digits with at most one point, few enough that digits and power of ten are exact, so that one division rounds once.
#[inline]
fn short_float(text: &[u8]) -> Option<f64> {
    let (digits, sign) = match text {
        [b'-', rest @ ..] => (rest, -1.0),
        _ => (text, 1.0),
    };
    if digits.len() > 17 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' => point = Some(at),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |at| digits.len() - at - 1);
    (mantissa <= EXACT_INTEGER).then(|| sign * (mantissa as f64 / EXACT_POWERS[scale]))
}

/// A decimal, from a number or from a string with one.
pub(crate) fn decimal(cursor: &mut Cursor<'_>, precision: u8, scale: i8) -> Result<i128, Fault> {
    let start = *cursor;
    let expected = || start.mismatch(format_args!("a decimal({precision}, {scale})"));
    let text = match cursor.kind()? {
        Kind::Number => cursor.number()?,
        Kind::Text => cursor.text()?.bytes,
        _ => return Err(expected()),
    };
    let text = std::str::from_utf8(text).map_err(|_| expected())?;
    parse_decimal::<Decimal128Type>(text, precision, scale).map_err(|_| expected())
}

fn number_text<'a>(cursor: &mut Cursor<'a>, expected: &str) -> Result<&'a str, Fault> {
    if cursor.kind()? != Kind::Number {
        return Err(cursor.mismatch(expected));
    }
    // Numbers are ASCII.
    std::str::from_utf8(cursor.number()?).map_err(|_| cursor.syntax("a number"))
}
