//! Splits a batch that the broker rejected as too large.

use bytes::Bytes;
use headwater_record::{
    BatchBuilder, BatchError, BatchOptions, DecompressLimit, RecordBatch, RecordView,
};

use crate::error::{Error, ErrorKind, Result};

/// An encoded batch and its number of records.
pub(crate) type Part = (Bytes, u32);

/// Splits the records into two halves, with the same encoding and without a stamp.
pub(crate) fn split(bytes: &Bytes) -> Result<(Part, Part)> {
    halves(bytes).map_err(|error| {
        Error::new(
            ErrorKind::RecordTooLarge,
            format!("The broker rejected the batch as too large, and it cannot be split: {error}."),
        )
        .caused_by(error)
    })
}

fn halves(bytes: &Bytes) -> Result<(Part, Part), BatchError> {
    let batch = RecordBatch::parse(bytes.clone())?;
    let header = *batch.header();
    let options = BatchOptions {
        compression: header.attributes.compression()?,
        timestamp_type: header.attributes.timestamp_type(),
        capacity: i32::MAX as usize,
        ..BatchOptions::default()
    };
    let records = batch.records(DecompressLimit::new(i32::MAX as usize))?;
    let half = records.count().div_ceil(2);
    let mut builder = BatchBuilder::new(options);
    let mut first = None;
    for (index, record) in records.iter().enumerate() {
        if index == half {
            first = builder.finish();
        }
        append(&mut builder, &record?);
    }
    let second = builder.finish().unwrap_or_default();
    let (half, all) = (half as u32, records.count() as u32);
    Ok(((first.unwrap_or_default(), half), (second, all - half)))
}

fn append(builder: &mut BatchBuilder, record: &RecordView<'_>) {
    let names: Vec<_> = record
        .headers
        .map(|header| (header.key_text(), header.value))
        .collect();
    let headers: Vec<_> = names
        .iter()
        .map(|(name, value)| (name.as_ref(), *value))
        .collect();
    let appended = builder.try_append(record.timestamp_ms, record.key, record.value, &headers);
    debug_assert!(
        appended.is_ok(),
        "half of a batch fits where the whole batch did"
    );
}
