//! Dates, times and durations.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;

use super::{Quotes, Refusal, UnwritableType, Writer};
use crate::temporal::TemporalType;

/// The longest text: `"2013-01-31T15:04:05.123456789Z"`, or a duration.
const LONGEST: usize = 34;

pub(super) fn writer(array: &ArrayRef, quotes: Quotes) -> Result<Writer, UnwritableType> {
    let refused = |advice| UnwritableType::new(array.data_type(), advice);
    let Some(kind) = TemporalType::of(array.data_type()) else {
        return Err(refused("cast it to a duration or to text"));
    };
    let utc = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let integers = arrow_cast::cast(array, &DataType::Int64)
        .map_err(|_| refused("cast it to int64"))?
        .as_primitive::<Int64Type>()
        .clone();
    let may_refuse = !integers.iter().flatten().all(|value| kind.contains(value));
    let values = integers.values().clone();
    let write = move |row: usize, out: &mut Vec<u8>| {
        let value = values[row];
        if !kind.contains(value) {
            return Err(Refusal::new(out_of_range(kind)));
        }
        if quotes == Quotes::None {
            kind.push_text(value, utc, out);
            return Ok(());
        }
        out.push(b'"');
        kind.push_text(value, utc, out);
        out.push(b'"');
        Ok(())
    };
    Ok(Writer {
        may_refuse,
        ..Writer::sure(array, LONGEST, Box::new(write))
    })
}

fn out_of_range(kind: TemporalType) -> &'static str {
    match kind {
        TemporalType::Date32 => {
            "is not a date of the years 1 to 9999: correct it, or cast the column to int64"
        }
        TemporalType::Date64 => {
            "is not a whole day of the years 1 to 9999: cast the column to a timestamp or to int64"
        }
        TemporalType::Time(_) => {
            "is not a time of day below 24 hours: correct it, or cast the column to int64"
        }
        TemporalType::Timestamp(_) => {
            "is not a time of the years 1 to 9999: correct it, or cast the column to int64"
        }
        TemporalType::Duration(_) => {
            "is longer than 999,999,999 days: correct it, or cast the column to int64"
        }
    }
}
