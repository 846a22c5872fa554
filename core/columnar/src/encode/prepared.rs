//! A table whose columns have found their roles.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_cast::CastOptions;
use arrow_schema::{DataType, TimeUnit};
use headwater_record::{AppendError, HEADER_LEN};

use super::bytes_column::{BytesColumn, Reader};
use super::columns::KeyValueColumns;
use super::headers::HeaderRows;
use super::options::EncodeOptions;
use super::source::Source;
use crate::error::EncodeError;

/// What a record needs at most besides key, value and headers, in a batch of its own (Kafka's bound).
const RECORD_OVERHEAD_MAX: usize = HEADER_LEN + 21;

/// The table. Everything that can be refused before a batch is out has been checked.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) rows: usize,
    pub(super) key: Source,
    pub(super) value: Source,
    pub(super) headers: Option<HeaderRows>,
    pub(super) timestamps: Option<Int64Array>,
    pub(super) partitions: Option<Int64Array>,
}

impl Prepared {
    pub(super) fn new(
        table: &RecordBatch,
        columns: &KeyValueColumns,
        options: &EncodeOptions,
    ) -> Result<Self, EncodeError> {
        let find = |name: &Option<String>, role| {
            name.as_deref()
                .map(|name| find(table, name, role))
                .transpose()
        };
        let rows = table.num_rows();
        let source =
            |index: usize| Source::of(&table.schema().fields()[index], table.column(index));
        let key = match find(&columns.key, "key")? {
            Some(index) => source(index)?,
            None => Source::Bytes(BytesColumn::AllNull),
        };
        let headers = match find(&columns.headers, "headers")? {
            Some(index) => HeaderRows::of(table.schema().field(index).name(), table.column(index))?,
            None => None,
        };
        let timestamps = find(&columns.timestamp, "timestamp")?
            .map(|index| timestamps(table, index))
            .transpose()?;
        let partitions = find(&columns.partition, "partition")?
            .map(|index| partitions(table, index, options))
            .transpose()?;
        let value = match find(&columns.value, "value")? {
            Some(index) => source(index)?,
            None => pack_rest(table, columns)?,
        };
        let prepared = Self {
            rows,
            key,
            value,
            headers,
            timestamps,
            partitions,
        };
        prepared.key.check()?;
        prepared.value.check()?;
        if let (Source::Bytes(key), Source::Bytes(value)) = (&prepared.key, &prepared.value) {
            prepared.check_sizes(key, value, 0, rows, options.max_record_bytes)?;
        }
        Ok(prepared)
    }

    /// Whether keys or values are written chunk by chunk.
    pub(super) fn is_written(&self) -> bool {
        self.key.is_json() || self.value.is_json()
    }

    /// Refuses the first row that is too large. `key` and `value` are `rows` rows from `first` on.
    pub(super) fn check_sizes(
        &self,
        key: &BytesColumn,
        value: &BytesColumn,
        first: usize,
        rows: usize,
        max: usize,
    ) -> Result<(), EncodeError> {
        if self.headers.is_none() && key.longest() + value.longest() + RECORD_OVERHEAD_MAX <= max {
            return Ok(());
        }
        for row in 0..rows {
            let headers = self
                .headers
                .as_ref()
                .map_or(0, |headers| headers.size(first + row));
            let size = RECORD_OVERHEAD_MAX
                + headers
                + key.get(row).map_or(0, <[u8]>::len)
                + value.get(row).map_or(0, <[u8]>::len);
            if size > max {
                return Err(EncodeError::RecordTooLarge {
                    row: first + row,
                    size,
                    max,
                });
            }
        }
        Ok(())
    }
}

fn find(table: &RecordBatch, name: &str, role: &'static str) -> Result<usize, EncodeError> {
    table
        .schema_ref()
        .index_of(name)
        .map_err(|_| EncodeError::UnknownColumn {
            name: name.to_owned(),
            role,
            known: table
                .schema_ref()
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
}

fn pack_rest(table: &RecordBatch, columns: &KeyValueColumns) -> Result<Source, EncodeError> {
    let named = [
        &columns.key,
        &columns.headers,
        &columns.timestamp,
        &columns.partition,
    ];
    let is_rest = |name: &String| !named.iter().any(|role| role.as_ref() == Some(name));
    let fields = table.schema_ref().fields().iter().enumerate();
    let rest: Vec<usize> = fields
        .filter(|(_, field)| is_rest(field.name()))
        .map(|(index, _)| index)
        .collect();
    let rest = table.project(&rest).map_err(|error| EncodeError::Pack {
        reason: error.to_string(),
    })?;
    if rest.num_columns() == 0 {
        return Ok(Source::Bytes(BytesColumn::AllNull));
    }
    Source::packed(&rest)
}

fn timestamps(table: &RecordBatch, index: usize) -> Result<Int64Array, EncodeError> {
    let array = table.column(index);
    let milliseconds = match array.data_type() {
        DataType::Timestamp(_, zone) => {
            Some(DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))
        }
        DataType::Date32 | DataType::Date64 => {
            Some(DataType::Timestamp(TimeUnit::Millisecond, None))
        }
        data_type if data_type.is_integer() || data_type.is_null() => None,
        _ => {
            return Err(wrong_type(
                table,
                index,
                "timestamp",
                "cast it to a timestamp or to int64 milliseconds since 1970",
            ));
        }
    };
    let out_of_range = |_| {
        wrong_type(
            table,
            index,
            "timestamp",
            "it has times that milliseconds of 64 bits cannot hold",
        )
    };
    let array = match milliseconds {
        Some(to) => cast(array, &to).map_err(out_of_range)?,
        None => array.clone(),
    };
    let times = cast(&array, &DataType::Int64)
        .map_err(out_of_range)?
        .as_primitive::<Int64Type>()
        .clone();
    let negative =
        |(row, time): (usize, &i64)| (*time < -1 && times.is_valid(row)).then_some((row, *time));
    match times.values().iter().enumerate().find_map(negative) {
        Some((row, timestamp_ms)) => Err(EncodeError::Append {
            row,
            source: AppendError::NegativeTimestamp { timestamp_ms },
        }),
        None => Ok(times),
    }
}

fn partitions(
    table: &RecordBatch,
    index: usize,
    options: &EncodeOptions,
) -> Result<Int64Array, EncodeError> {
    let array = table.column(index);
    if !(array.data_type().is_integer() || array.data_type().is_null()) {
        return Err(wrong_type(table, index, "partition", "cast it to int32"));
    }
    let wrong = |_| {
        wrong_type(
            table,
            index,
            "partition",
            "it has numbers that no partition has",
        )
    };
    let partitions = cast(array, &DataType::Int64)
        .map_err(wrong)?
        .as_primitive::<Int64Type>()
        .clone();
    for (row, partition) in partitions.iter().enumerate() {
        if let Some(partition) = partition
            .filter(|partition| !(0..i64::from(options.partition_count)).contains(partition))
        {
            return Err(EncodeError::UnknownPartition {
                row,
                partition,
                count: options.partition_count,
            });
        }
    }
    Ok(partitions)
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, arrow_schema::ArrowError> {
    arrow_cast::cast_with_options(
        array,
        to,
        &CastOptions {
            safe: false,
            ..CastOptions::default()
        },
    )
}

fn wrong_type(
    table: &RecordBatch,
    index: usize,
    role: &'static str,
    advice: &'static str,
) -> EncodeError {
    let field = table.schema_ref().field(index);
    EncodeError::ColumnType {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
        role,
        advice,
    }
}
