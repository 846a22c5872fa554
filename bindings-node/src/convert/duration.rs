//! Durations as text.

use napi::Env;
use napi_derive::napi;

use crate::errors;

/// The milliseconds of a duration such as "5s" or "1h30m".
#[napi(catch_unwind)]
pub fn duration_ms(env: Env, text: String) -> napi::Result<f64> {
    let parsed = headwater::duration::parse_ms(&text);
    let ms = parsed.map_err(|error| errors::raise(&env, &error))?;
    Ok(ms as f64)
}
