//! Converts errors of the core to the error classes of TypeScript.

use std::any::Any;
use std::ptr;

use headwater::columnar::DecodeError;
use headwater::{Error, ErrorKind};
use napi::bindgen_prelude::{BigInt, Buffer, FromNapiValue, ToNapiValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;

use crate::event_loop::Environment;

/// The fields from which the function of `initialise()` creates an error.
#[napi(object, object_from_js = false)]
pub struct ErrorFields {
    /// The name of the class, or "AbortError".
    pub kind: String,
    /// A sentence with the problem and the remedy.
    pub message: String,
    /// Kafka's name for the error code.
    pub code: String,
    /// Whether the same call may succeed later.
    pub retriable: bool,
    /// Whether the object that reported it is unusable.
    pub fatal: bool,
    /// The topic concerned.
    pub topic: Option<String>,
    /// The partition concerned.
    pub partition: Option<i32>,
    /// The offset concerned.
    pub offset: Option<BigInt>,
    /// The key of a record that could not be decoded.
    pub key: Option<Buffer>,
    /// The value of a record that could not be decoded.
    pub value: Option<Buffer>,
}

impl ErrorFields {
    fn of(error: &Error) -> Self {
        let source = std::error::Error::source(error);
        let decoding = source.and_then(|source| source.downcast_ref::<DecodeError>());
        let record = decoding.and_then(|error| error.record.as_ref());
        let bytes = |bytes: &Option<_>| bytes.as_deref().map(|bytes: &[u8]| bytes.into());
        Self {
            kind: error.kind().name().to_owned(),
            message: error.message().to_owned(),
            code: error.code().name().to_owned(),
            retriable: error.is_retriable(),
            fatal: error.is_fatal(),
            topic: error.topic().map(str::to_owned),
            partition: error.partition().map(headwater::PartitionId::get),
            offset: error.offset().map(|offset| offset.get().into()),
            key: record.and_then(|record| bytes(&record.key)),
            value: record.and_then(|record| bytes(&record.value)),
        }
    }
}

/// The error as a JavaScript value.
pub(crate) fn to_js(env: &Env, error: &Error) -> sys::napi_value {
    make(env, ErrorFields::of(error))
}

/// The error of a call that was aborted.
pub(crate) fn aborted(env: &Env) -> sys::napi_value {
    let error = Error::new(ErrorKind::Wakeup, "The call was aborted.");
    make(
        env,
        ErrorFields {
            kind: "AbortError".to_owned(),
            ..ErrorFields::of(&error)
        },
    )
}

/// The error, to be thrown by a function.
pub(crate) fn raise(env: &Env, error: &Error) -> napi::Error {
    thrown(env, to_js(env, error))
}

/// The error of a call that was aborted, to be thrown by a function.
pub(crate) fn raise_aborted(env: &Env) -> napi::Error {
    thrown(env, aborted(env))
}

fn thrown(env: &Env, value: sys::napi_value) -> napi::Error {
    // SAFETY: the value was created for this environment.
    match unsafe { Unknown::from_napi_value(env.raw(), value) } {
        Ok(value) => napi::Error::from(value),
        Err(error) => error,
    }
}

/// An argument is invalid.
pub(crate) fn invalid(env: &Env, message: &str) -> napi::Error {
    raise(env, &Error::new(ErrorKind::InvalidArgument, message))
}

/// The error of a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!(
        "The call ended with an internal error ({}). Please report this.",
        text.unwrap_or("no message")
    );
    Error::new(ErrorKind::Broker, message)
}

/// An error of napi as a JavaScript value.
pub(crate) fn value_of(env: &Env, error: napi::Error) -> sys::napi_value {
    // SAFETY: this is the thread of the environment.
    unsafe { napi::JsError::from(error).into_value(env.raw()) }
}

fn make(env: &Env, fields: ErrorFields) -> sys::napi_value {
    let message = fields.message.clone();
    // SAFETY: this is the thread of the environment, which created the function.
    let made = unsafe { call_make_error(env, fields) };
    made.unwrap_or_else(|_| value_of(env, napi::Error::from_reason(message)))
}

unsafe fn call_make_error(env: &Env, fields: ErrorFields) -> napi::Result<sys::napi_value> {
    let environment = Environment::of(env)?;
    let raw = env.raw();
    let (mut function, mut this, mut made) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    unsafe {
        let arguments = [ErrorFields::to_napi_value(raw, fields)?];
        let status = [
            sys::napi_get_reference_value(raw, environment.make_error.get(), &raw mut function),
            sys::napi_get_undefined(raw, &raw mut this),
            sys::napi_call_function(raw, this, function, 1, arguments.as_ptr(), &raw mut made),
        ];
        for status in status {
            napi::check_status!(status, "Cannot make an error")?;
        }
    }
    Ok(made)
}
