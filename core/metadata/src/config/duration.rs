//! Durations as text: `250ms`, `90s`, `15m`, `2h30m`, `7d`.

/// The milliseconds of a duration such as `15m` or `1d12h`: numbers without a sign, each with its unit (`ms`, `s`, `m`
/// or `min`, `h`, `d`, `w`). `None` for any other text, and for more milliseconds than a `u64` has.
pub fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: Option<u64> = None;
    while !rest.is_empty() {
        let (number, tail) = split_where(rest, |letter| !letter.is_ascii_digit());
        let (unit, tail) = split_where(tail, |letter| letter.is_ascii_digit());
        let part = number
            .parse::<u64>()
            .ok()?
            .checked_mul(unit_ms(unit.trim())?)?;
        total = Some(total.unwrap_or(0).checked_add(part)?);
        rest = tail;
    }
    total
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
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
