//! Times as text.

use napi::Env;
use napi_derive::napi;

use crate::errors;

/// The milliseconds since 1970 of a date, or of a time with its zone, in ISO 8601. Fractions are rounded down.
#[napi(catch_unwind)]
pub fn parse_timestamp(env: Env, text: String) -> napi::Result<f64> {
    let milliseconds = headwater::timestamp::parse_ms(&text);
    milliseconds
        .map(|milliseconds| milliseconds as f64)
        .map_err(|error| errors::raise(&env, &error))
}
