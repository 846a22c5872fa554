//! The decoding of keys and values.

use std::fmt::Display;

use headwater::columnar::{Infer, parse_schema};
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
    /// The prefix of such a column if the field has the name of a record column; "json_" by default.
    pub unnest_prefix: Option<String>,
    /// The name of a field with the keys that the type of the value does not name.
    pub rest: Option<String>,
    /// The number of values from which the types of JSON without a schema are inferred; 10,000 by default.
    pub infer_records: Option<f64>,
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
    let defaults = DecodeOptions::default();
    let (key, value) = (checked(env, given.key.parse())?, value_format(env, given)?);
    if given.unnest_prefix.is_some() && !given.unnest {
        let message = "unnestPrefix has no effect without unnest: pass both, or leave it out.";
        return Err(errors::invalid(env, message));
    }
    let infer = match given.infer_records {
        None => defaults.infer,
        Some(records) if records < 1.0 => {
            let message = format!("inferRecords is {records}: use at least 1.");
            return Err(errors::invalid(env, &message));
        }
        Some(records) if [&key, &value].contains(&&Format::Json(None)) => {
            Infer::First(records as usize)
        }
        Some(_) => {
            let message = "inferRecords has no effect without JSON whose types are inferred: pass value: \"json\" without a schema, or leave it out.";
            return Err(errors::invalid(env, message));
        }
    };
    Ok(DecodeOptions {
        columns,
        key,
        value,
        unnest: given.unnest,
        unnest_prefix: given
            .unnest_prefix
            .clone()
            .unwrap_or_else(|| defaults.unnest_prefix.clone()),
        rest: given.rest.clone(),
        infer,
        on_error: checked(env, given.on_error.parse())?,
        ..defaults
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
