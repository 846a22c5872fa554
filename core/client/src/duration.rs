//! Durations in text form (`250ms`, `90s`, `15m`, `2h30m`, `7d`) and in requests.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// Milliseconds for a request, saturating.
pub(crate) fn wire_ms(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Milliseconds of a duration such as `15m` or `1d12h`. Units: `ms`, `s`, `m`, `h`, `d`, `w`.
pub fn parse_ms(text: &str) -> Result<u64, Error> {
    let mut rest = text.trim();
    let mut total: Option<u64> = None;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit_ms(unit.trim())?));
        total = match part.and_then(|part| total.unwrap_or(0).checked_add(part)) {
            Some(sum) => Some(sum),
            None => return Err(not_a_duration(text)),
        };
        rest = tail;
    }
    total.ok_or_else(|| not_a_duration(text))
}

fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    })
}

fn not_a_duration(text: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "`{text}` is not a duration: write a number and a unit (ms, s, m, h, d, w), such as \"15m\" or \"1d12h\"."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up_their_parts() {
        assert_eq!(parse_ms("250ms").unwrap(), 250);
        assert_eq!(parse_ms("1d12h").unwrap(), 36 * 3_600_000);
        assert_eq!(parse_ms("15m").unwrap(), 900_000);
    }

    #[test]
    fn invalid_durations_are_rejected() {
        for text in [
            "",
            "15",
            "m",
            "-1s",
            "1x",
            "99999999999999999999s",
            "18446744073709551615w",
        ] {
            assert!(parse_ms(text).is_err(), "{text}");
        }
    }
}
