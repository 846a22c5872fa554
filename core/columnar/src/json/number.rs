//! Parses numbers.

use arrow_array::types::{ArrowPrimitiveType, DecimalType, Float16Type};
use arrow_cast::parse::parse_decimal;

use super::cursor::{Cursor, Fault, Kind};

/// Powers of ten that a double represents exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The limit up to which a double represents integers exactly.
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

/// Like [`integer`], from 0.
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
    exact_integer(text).ok_or_else(|| start.mismatch(expected))
}

/// The integer value of a JSON number, if it is an integer of up to 128 bits.
fn exact_integer(text: &str) -> Option<i128> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let zeros = exponent - i32::try_from(fraction.len()).ok()?;
    let digits = format!("{whole}{fraction}");
    if zeros >= 0 {
        let value: i128 = digits.parse().ok()?;
        return value.checked_mul(10i128.checked_pow(zeros.unsigned_abs())?);
    }
    let kept = digits.len().saturating_sub(zeros.unsigned_abs() as usize);
    let (kept, cut) = digits.split_at_checked(kept)?;
    if cut.bytes().any(|digit| !matches!(digit, b'0' | b'-')) {
        return None;
    }
    if matches!(kept, "" | "-") {
        Some(0)
    } else {
        kept.parse().ok()
    }
}

/// The widths of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloatWidth {
    Half,
    Single,
    Double,
}

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// The float of that width nearest to the number; numbers beyond the largest float are refused.
#[inline]
pub(crate) fn float(cursor: &mut Cursor<'_>, width: FloatWidth) -> Result<f64, Fault> {
    let start = *cursor;
    let text = number_text(cursor, "a number")?;
    let value = match width {
        FloatWidth::Double => short_float(text.as_bytes()).or_else(|| text.parse().ok()),
        FloatWidth::Single => text.parse::<f32>().ok().map(f64::from),
        FloatWidth::Half => text
            .parse::<f64>()
            .ok()
            .map(|value| Half::from_f64(value).to_f64()),
    };
    let expected = || match width {
        FloatWidth::Double => "a number that float64 holds",
        FloatWidth::Single => "a number that float32 holds",
        FloatWidth::Half => "a number that float16 holds",
    };
    value
        .filter(|value| value.is_finite())
        .ok_or_else(|| start.mismatch(expected()))
}

/// Digits with at most one point, few enough that the digits and the power of ten are exact, so that a single division
/// rounds once.
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

/// A decimal, from a number or a string. Excess decimals are rounded, halves away from zero.
pub(crate) fn decimal<T: DecimalType>(
    cursor: &mut Cursor<'_>,
    precision: u8,
    scale: i8,
) -> Result<T::Native, Fault> {
    let start = *cursor;
    let expected = || start.mismatch(format_args!("a decimal({precision}, {scale})"));
    let text = match cursor.kind()? {
        Kind::Number => cursor.number()?,
        Kind::Text => cursor.text()?.bytes,
        _ => return Err(expected()),
    };
    let text = std::str::from_utf8(text).map_err(|_| expected())?;
    parse_decimal::<T>(text, precision, scale).map_err(|_| expected())
}

fn number_text<'a>(cursor: &mut Cursor<'a>, expected: &str) -> Result<&'a str, Fault> {
    if cursor.kind()? != Kind::Number {
        return Err(cursor.mismatch(expected));
    }
    // A JSON number is ASCII.
    std::str::from_utf8(cursor.number()?).map_err(|_| cursor.syntax("a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_read_in_every_form() {
        for (text, value) in [
            ("9007199254740993", 9_007_199_254_740_993),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("1.5e1", 15),
            ("1e18", 1_000_000_000_000_000_000),
            ("-1200e-2", -12),
            ("-0.0", 0),
            ("0e-5", 0),
        ] {
            assert_eq!(exact_integer(text), Some(value), "{text}");
        }
        for text in [
            "1.00000000000000000001",
            "4503599627370497.5",
            "15e-1",
            "-1e-3",
            "1e-400",
            "1e400",
            "1e99999999999",
        ] {
            assert_eq!(exact_integer(text), None, "{text}");
        }
    }

    #[test]
    fn a_float_is_the_nearest_of_its_width_or_refused() {
        let read = |text: &str, width| float(&mut Cursor::new(text.as_bytes()), width).ok();
        assert_eq!(read("1e39", FloatWidth::Single), None);
        assert_eq!(read("65520", FloatWidth::Half), None);
        assert_eq!(read("65519", FloatWidth::Half), Some(65_504.0));
        assert_eq!(read("1e400", FloatWidth::Double), None);
        // Rounded to a double first, it would be halfway between two floats and become 1.
        let above_half = "1.000000059604644775390626";
        assert_eq!(
            read(above_half, FloatWidth::Single),
            Some(1.0 + f64::from(f32::EPSILON))
        );
    }
}
