//! The decoding of keys and values.

use std::fmt::Display;

use headwater::{DecodeOptions, Projection};
use napi::Env;
use napi_derive::napi;

use crate::errors;

/// The formats of keys and values.
#[napi(object)]
pub struct DecodeArguments {
    /// "bytes", "string" or "json".
    pub key: String,
    /// "bytes", "string" or "json".
    pub value: String,
    /// "raise", "null" or "skip".
    pub on_error: String,
    /// The names of the columns; all if empty.
    pub columns: Option<Vec<String>>,
}

pub(crate) fn options(env: &Env, given: &DecodeArguments) -> napi::Result<DecodeOptions> {
    let columns = match &given.columns {
        Some(names) => checked(env, Projection::from_names(names, false))?,
        None => Projection::default(),
    };
    Ok(DecodeOptions {
        columns,
        key: checked(env, given.key.parse())?,
        value: checked(env, given.value.parse())?,
        on_error: checked(env, given.on_error.parse())?,
        ..DecodeOptions::default()
    })
}

fn checked<T>(env: &Env, result: Result<T, impl Display>) -> napi::Result<T> {
    result.map_err(|error| errors::invalid(env, &headwater::sentence(&error)))
}
