//! Numbers, text and bytes.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use lexical_core::{BUFFER_SIZE, ToLexical};

use super::super::bytes_column::BytesColumn;
use super::text::{MAX_GROWTH, push_bytes, push_string};
use super::{Refusal, UnwritableType, Writer};

type Half = <Float16Type as ArrowPrimitiveType>::Native;

const NOT_FINITE: &str =
    "is not a finite number, which JSON cannot express: replace it by null or leave the row out";

/// Text or bytes, each value in quotes.
macro_rules! quoted {
    ($array:expr, $values:expr, $push:path) => {{
        let values = $values.clone();
        let write = move |row: usize, out: &mut Vec<u8>| {
            $push(values.value(row), out);
            Ok(())
        };
        Writer::sure($array, 2 + MAX_GROWTH * longest($array), Box::new(write))
    }};
}

pub(super) fn writer(array: &ArrayRef) -> Result<Writer, UnwritableType> {
    use DataType as D;
    Ok(match array.data_type() {
        D::Null => Writer::sure(array, 0, Box::new(|_, _| Ok(()))),
        D::Boolean => {
            let values = array.as_boolean().clone();
            let write = move |row, out: &mut Vec<u8>| {
                let text: &[u8] = if values.value(row) { b"true" } else { b"false" };
                out.extend_from_slice(text);
                Ok(())
            };
            Writer::sure(array, b"false".len(), Box::new(write))
        }
        D::Int8 => integers::<Int8Type>(array),
        D::Int16 => integers::<Int16Type>(array),
        D::Int32 => integers::<Int32Type>(array),
        D::Int64 => integers::<Int64Type>(array),
        D::UInt8 => integers::<UInt8Type>(array),
        D::UInt16 => integers::<UInt16Type>(array),
        D::UInt32 => integers::<UInt32Type>(array),
        D::UInt64 => integers::<UInt64Type>(array),
        D::Float16 => floats::<Float16Type, f32>(array, Half::to_f32, f32::is_finite),
        D::Float32 => floats::<Float32Type, f32>(array, |value| value, f32::is_finite),
        D::Float64 => floats::<Float64Type, f64>(array, |value| value, f64::is_finite),
        D::Decimal32(precision, scale) => decimals::<Decimal32Type>(array, *precision, *scale),
        D::Decimal64(precision, scale) => decimals::<Decimal64Type>(array, *precision, *scale),
        D::Decimal128(precision, scale) => decimals::<Decimal128Type>(array, *precision, *scale),
        D::Decimal256(precision, scale) => decimals::<Decimal256Type>(array, *precision, *scale),
        D::Utf8 => quoted!(array, array.as_string::<i32>(), push_string),
        D::LargeUtf8 => quoted!(array, array.as_string::<i64>(), push_string),
        D::Utf8View => quoted!(array, array.as_string_view(), push_string),
        D::Binary => quoted!(array, array.as_binary::<i32>(), push_bytes),
        D::LargeBinary => quoted!(array, array.as_binary::<i64>(), push_bytes),
        D::BinaryView => quoted!(array, array.as_binary_view(), push_bytes),
        D::FixedSizeBinary(_) => quoted!(array, array.as_fixed_size_binary(), push_bytes),
        other => {
            return Err(UnwritableType::new(
                other,
                "JSON cannot express it; cast it to text, or choose a value column",
            ));
        }
    })
}

fn integers<T>(array: &ArrayRef) -> Writer
where
    T: ArrowPrimitiveType,
    T::Native: ToLexical,
{
    let values = array.as_primitive::<T>().values().clone();
    let write = move |row: usize, out: &mut Vec<u8>| {
        push_number(values[row], out);
        Ok(())
    };
    Writer::sure(array, BUFFER_SIZE, Box::new(write))
}

fn floats<T, F>(array: &ArrayRef, widen: fn(T::Native) -> F, is_finite: fn(F) -> bool) -> Writer
where
    T: ArrowPrimitiveType,
    F: ToLexical + Copy + 'static,
{
    let array = array.as_primitive::<T>();
    let may_refuse = !array.iter().flatten().all(|value| is_finite(widen(value)));
    let values = array.values().clone();
    let write = move |row: usize, out: &mut Vec<u8>| {
        let value = widen(values[row]);
        if !is_finite(value) {
            return Err(Refusal::new(NOT_FINITE));
        }
        push_number(value, out);
        Ok(())
    };
    Writer {
        may_refuse,
        ..Writer::sure(array, BUFFER_SIZE, Box::new(write))
    }
}

#[inline]
fn push_number(value: impl ToLexical, out: &mut Vec<u8>) {
    let mut buffer = [0; BUFFER_SIZE];
    out.extend_from_slice(lexical_core::write(value, &mut buffer));
}

fn decimals<T: DecimalType>(array: &ArrayRef, precision: u8, scale: i8) -> Writer {
    let values = array.as_primitive::<T>().values().clone();
    let write = move |row: usize, out: &mut Vec<u8>| {
        out.extend_from_slice(T::format_decimal(values[row], precision, scale).as_bytes());
        Ok(())
    };
    // A sign, a point and a zero before it, and the zeros of the scale.
    let longest = 3 + usize::from(precision) + usize::from(scale.unsigned_abs());
    Writer::sure(array, longest, Box::new(write))
}

/// The length of the longest value of a column of text or bytes.
fn longest(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::FixedSizeBinary(size) => usize::try_from(*size).unwrap_or(0),
        _ => match BytesColumn::of(array) {
            Ok(Some(column)) => column.longest(),
            _ => usize::MAX / MAX_GROWTH,
        },
    }
}
