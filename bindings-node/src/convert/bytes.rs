//! Keys, values and header values: text or bytes of JavaScript, copied at the call.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Status, ValueType, check_status, sys};

/// A copy of text or bytes. JavaScript may change or detach its own afterwards.
#[derive(Debug)]
pub struct Bytes(pub(crate) Vec<u8>);

impl TypeName for Bytes {
    fn type_name() -> &'static str {
        "string | Uint8Array"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Bytes {}

impl FromNapiValue for Bytes {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let mut value_type = 0;
        check_status!(
            unsafe { sys::napi_typeof(env, value, &raw mut value_type) },
            "Cannot read the type of the bytes"
        )?;
        if value_type == sys::ValueType::napi_string {
            return Ok(Self(
                unsafe { String::from_napi_value(env, value) }?.into_bytes(),
            ));
        }
        unsafe { copied(env, value) }.map(Self)
    }
}

unsafe fn copied(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Vec<u8>> {
    let (mut length, mut data) = (0, ptr::null_mut());
    let (mut kind, mut buffer, mut offset) = (0, ptr::null_mut(), 0);
    check_status!(
        unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut buffer,
                &raw mut offset,
            )
        },
        "The bytes are not a Uint8Array"
    )?;
    if kind != sys::TypedarrayType::uint8_array {
        return Err(napi::Error::new(
            Status::InvalidArg,
            "The bytes are not a Uint8Array",
        ));
    }
    if length == 0 || data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the array has this many bytes there, and JavaScript does not run until this returns.
    Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec())
}
