//! Decodes the keys and values of a table in memory: encodes them as record batches, which are decoded like fetched
//! ones.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take_record_batch;
use headwater_columnar::{
    Column, DecodeError, DecodeOptions, Decoded, Decoder, EncodeOptions, Encoder, FetchedBatches,
    Infer, KeyValueColumns, Projection,
};
use headwater_record::{Offset, PartitionId};

use crate::batch::Batch;
use crate::error::{Error, ErrorKind, Result};

impl Batch {
    /// The same records with their keys and values, which must be bytes, in the formats of `options`. Ignores its
    /// projection and its limits. Leaves out skipped records (`on_error`). `topic` is the topic in errors.
    pub fn decode(&self, topic: &Arc<str>, options: DecodeOptions) -> Result<Self> {
        let records = &self.records;
        let columns = bytes_columns(records)?;
        let options = for_table(options, &columns);
        let bytes = encode(records, &columns)?;
        let decoded = decode(bytes, topic, options, |error| {
            record_error(records, topic, error)
        })?;
        let joined = join(records, &decoded.batch)
            .map_err(|error| wrong(&format!("The columns do not fit together: {error}.")))?;
        Ok(Self {
            records: joined,
            json: decoded.json,
            skipped: decoded.skipped as u64,
            new_fields: Vec::new(),
            next_offsets: self.next_offsets.clone(),
        })
    }
}

/// The columns of keys and values, which must contain bytes.
fn bytes_columns(records: &RecordBatch) -> Result<KeyValueColumns> {
    let name_of = |column: Column| {
        let is_there = records.column_by_name(column.name()).is_some();
        is_there.then(|| column.name().to_owned())
    };
    let (key, value) = (name_of(Column::Key), name_of(Column::Value));
    if value.is_none() {
        return Err(wrong(
            "The batch has no column `value`: read it without unnest, and with the value among its columns.",
        ));
    }
    for name in [&key, &value].into_iter().flatten() {
        check_bytes(records, name)?;
    }
    Ok(KeyValueColumns {
        key,
        value,
        ..KeyValueColumns::default()
    })
}

/// The options without those that concern reading from a log.
fn for_table(options: DecodeOptions, columns: &KeyValueColumns) -> DecodeOptions {
    let mut projection = Projection::of(&[Column::Offset, Column::Value]);
    if columns.key.is_some() {
        projection = projection.with(Column::Key);
    }
    DecodeOptions {
        columns: projection,
        check_crc: false,
        max_decompressed_bytes: usize::MAX,
        infer: Infer::EachTable,
        ..options
    }
}

fn decode(
    bytes: Vec<u8>,
    topic: &Arc<str>,
    options: DecodeOptions,
    place: impl Fn(DecodeError) -> Error,
) -> Result<Decoded> {
    let mut fetched = FetchedBatches::new(Arc::clone(topic), PartitionId::new(0), bytes.into(), 0);
    let mut decoder = Decoder::new(options).map_err(|error| wrong(&format!("{error}.")))?;
    let table = decoder
        .decode(std::slice::from_ref(&fetched))
        .map_err(&place)?;
    if !table.complete {
        // It stopped before an unreadable record, which is an error of the whole batch here.
        fetched.from = table.next_offsets[0];
        decoder
            .decode(std::slice::from_ref(&fetched))
            .map_err(&place)?;
    }
    Ok(table)
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn check_bytes(records: &RecordBatch, name: &str) -> Result<()> {
    match records.schema().field_with_name(name).map(Field::data_type) {
        Ok(DataType::Binary | DataType::BinaryView | DataType::LargeBinary) => Ok(()),
        _ => Err(wrong(&format!(
            "The {name} of the batch is already decoded: read it as bytes to decode it here."
        ))),
    }
}

/// The rows as record batches whose offsets are the row numbers.
fn encode(records: &RecordBatch, columns: &KeyValueColumns) -> Result<Vec<u8>> {
    let mut options = EncodeOptions {
        partition: Some(PartitionId::new(0)),
        max_record_bytes: usize::MAX,
        ..EncodeOptions::default()
    };
    options.batch.capacity = 1 << 30;
    let mut encoder = Encoder::new(options);
    let mut bytes = Vec::new();
    let mut rows = 0_i64;
    for batch in encoder
        .encode(records, columns)
        .map_err(|error| wrong(&format!("{error}.")))?
    {
        let batch = batch.map_err(|error| wrong(&format!("{error}.")))?;
        // The base offset is the first field of a batch.
        bytes.extend_from_slice(&rows.to_be_bytes());
        bytes.extend_from_slice(&batch.bytes[size_of::<i64>()..]);
        rows += batch.record_count as i64;
    }
    Ok(bytes)
}

/// Replaces the row by the position of the record in its topic.
fn record_error(records: &RecordBatch, topic: &Arc<str>, error: DecodeError) -> Error {
    let row = usize::try_from(error.offset.get()).unwrap_or(0);
    let offset = records
        .column_by_name(Column::Offset.name())
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    let partition = records
        .column_by_name(Column::Partition.name())
        .and_then(|column| column.as_primitive_opt::<Int32Type>());
    let mut public = Error::new(
        ErrorKind::Decode,
        format!("Row {row} of the batch: {}.", error.kind),
    )
    .in_topic(Arc::clone(topic));
    if let Some(partition) = partition {
        public = public.in_partition(PartitionId::new(partition.value(row)));
    }
    if let Some(offset) = offset {
        public = public.at_offset(Offset::new(offset.value(row)));
    }
    public.caused_by(error)
}

/// The columns of `records`, with the decoded ones in place of key and value.
fn join(
    records: &RecordBatch,
    decoded: &RecordBatch,
) -> std::result::Result<RecordBatch, arrow_schema::ArrowError> {
    let rows = decoded.column(0).as_primitive::<Int64Type>();
    let records = if rows.len() == records.num_rows() {
        records.clone()
    } else {
        take_record_batch(
            records,
            &UInt32Array::from_iter_values(rows.values().iter().map(|row| *row as u32)),
        )?
    };
    let schema = decoded.schema();
    let decoded: Vec<_> = schema
        .fields()
        .iter()
        .cloned()
        .zip(decoded.columns().iter().cloned())
        .collect();
    let mut columns: Vec<(Arc<Field>, ArrayRef)> = Vec::new();
    for (field, column) in records.schema().fields().iter().zip(records.columns()) {
        match field.name().as_str() {
            "key" => columns.extend(
                decoded
                    .iter()
                    .filter(|(field, _)| field.name() == "key")
                    .cloned(),
            ),
            // The value or its fields follow the offset and the key.
            "value" => columns.extend(
                decoded
                    .iter()
                    .filter(|(field, _)| field.name() != "key")
                    .skip(1)
                    .cloned(),
            ),
            _ => columns.push((Arc::clone(field), Arc::clone(column))),
        }
    }
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
