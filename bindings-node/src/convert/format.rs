//! The decoding of keys and values.

use std::fmt::Display;

use headwater::columnar::parse_schema;
use headwater::{DecodeOptions, Format, Projection};
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
    /// The fields of the value: a JSON object of names and dtypes.
    pub schema: Option<String>,
    /// Whether the fields of the value are columns of the table.
    pub unnest: bool,
    /// "raise", "null" or "skip".
    pub on_error: String,
    /// The names of the columns; all if empty.
    pub columns: Option<Vec<String>>,
}

pub(crate) fn options(env: &Env, given: &DecodeArguments) -> napi::Result<DecodeOptions> {
    let columns = match &given.columns {
        Some(names) => checked(env, Projection::from_names(names, given.unnest))?,
        None => Projection::default(),
    };
    Ok(DecodeOptions {
        columns,
        key: checked(env, given.key.parse())?,
        value: value_format(env, given)?,
        unnest: given.unnest,
        on_error: checked(env, given.on_error.parse())?,
        ..DecodeOptions::default()
    })
}

fn value_format(env: &Env, given: &DecodeArguments) -> napi::Result<Format> {
    match (checked(env, given.value.parse())?, &given.schema) {
        (Format::Json(None), Some(schema)) => {
            Ok(Format::Json(Some(checked(env, parse_schema(schema))?)))
        }
        (_, Some(_)) => {
            let message = "A schema needs a format that has fields: pass value: \"json\" with it.";
            Err(errors::invalid(env, message))
        }
        (format, None) => Ok(format),
    }
}

fn checked<T>(env: &Env, result: Result<T, impl Display>) -> napi::Result<T> {
    result.map_err(|error| errors::invalid(env, &headwater::sentence(&error)))
}
