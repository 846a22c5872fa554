//! Durations in text form and in requests.

use std::time::Duration;

use headwater_metadata::config::duration_ms;

use crate::error::{Error, ErrorKind};

/// Milliseconds for a request, saturating.
pub(crate) fn wire_ms(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Milliseconds of a duration such as `15m` or `1d12h`. Units: `ms`, `s`, `m`, `h`, `d`, `w`.
pub fn parse_ms(text: &str) -> Result<u64, Error> {
    duration_ms(text).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`{text}` is not a duration: write a number and a unit (ms, s, m, h, d, w), such as \"15m\" or \"1d12h\"."
            ),
        )
    })
}
