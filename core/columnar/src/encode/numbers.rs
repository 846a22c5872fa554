//! Columns of timestamps and partitions as integers.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::error::EncodeError;

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970. Fractions of a millisecond are rounded down.
pub(super) fn timestamps(field: &Field, array: &ArrayRef) -> Result<Int64Array, EncodeError> {
    let array = plain(array);
    let to_ms: fn(i64) -> Option<i64> = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => |seconds| seconds.checked_mul(1_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => |time| Some(time.div_euclid(1_000)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => |time| Some(time.div_euclid(1_000_000)),
        DataType::Date32 => |days| days.checked_mul(DAY_MS),
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => Some,
        data_type if data_type.is_integer() || data_type.is_null() => Some,
        _ => {
            return Err(wrong_type(
                field,
                "timestamp",
                "cast it to a timestamp or to int64 milliseconds since 1970",
            ));
        }
    };
    let too_late = |row| EncodeError::Value {
        row,
        column: field.name().clone(),
        reason: "is too late for a timestamp: milliseconds since 1970 have 64 bits",
    };
    let times = integers(&array, too_late)?;
    let mut milliseconds = Vec::with_capacity(times.len());
    for (row, time) in times.values().iter().enumerate() {
        if times.is_null(row) {
            milliseconds.push(0);
            continue;
        }
        match to_ms(*time) {
            Some(ms @ 0..) => milliseconds.push(ms),
            None if *time > 0 => return Err(too_late(row)),
            _ => return Err(EncodeError::NegativeTimestamp { row }),
        }
    }
    Ok(Int64Array::new(milliseconds.into(), times.nulls().cloned()))
}

/// Partition numbers, all of which must exist.
pub(super) fn partitions(
    field: &Field,
    array: &ArrayRef,
    count: i32,
) -> Result<Int64Array, EncodeError> {
    let array = plain(array);
    if !(array.data_type().is_integer() || array.data_type().is_null()) {
        return Err(wrong_type(field, "partition", "cast it to int32"));
    }
    let unknown = |row, partition| EncodeError::UnknownPartition {
        row,
        partition,
        count,
    };
    let partitions = integers(&array, |row| unknown(row, i64::MAX))?;
    for (row, partition) in partitions.iter().enumerate() {
        if let Some(partition) =
            partition.filter(|partition| !(0..i64::from(count)).contains(partition))
        {
            return Err(unknown(row, partition));
        }
    }
    Ok(partitions)
}

/// The values of a dictionary or of runs, written out.
fn plain(array: &ArrayRef) -> ArrayRef {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => &**values,
        DataType::RunEndEncoded(_, values) => values.data_type(),
        _ => return array.clone(),
    };
    arrow_cast::cast(array, values).unwrap_or_else(|_| array.clone())
}

/// The integers of a column of numbers or times. `too_large` is the error of a row that does not fit in signed 64 bits.
fn integers(
    array: &ArrayRef,
    too_large: impl Fn(usize) -> EncodeError,
) -> Result<Int64Array, EncodeError> {
    if let Some(unsigned) = array.as_primitive_opt::<UInt64Type>() {
        let over =
            |number: Option<u64>| number.is_some_and(|number| i64::try_from(number).is_err());
        if let Some(row) = unsigned.iter().position(over) {
            return Err(too_large(row));
        }
    }
    let integers =
        arrow_cast::cast(array, &DataType::Int64).map_err(|error| EncodeError::Pack {
            reason: error.to_string(),
        })?;
    Ok(integers.as_primitive::<Int64Type>().clone())
}

fn wrong_type(field: &Field, role: &'static str, advice: &'static str) -> EncodeError {
    EncodeError::ColumnType {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
        role,
        advice,
    }
}
