//! Decodes fetched batches into tables, with the client's errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_columnar::{
    DecodeError, DecodeErrorKind, DecodeOptions, Decoder, FetchedBatches, SchemaError,
};
use headwater_record::{BatchError, Offset};

use crate::batch::{Batch, TopicPartition};
use crate::error::{Error, ErrorKind, Result};

/// A decoder for these options.
pub(crate) fn decoder(options: DecodeOptions) -> Result<Decoder> {
    Decoder::new(options).map_err(Error::from)
}

/// An empty table.
pub(crate) fn empty(decoder: &mut Decoder) -> Result<Batch> {
    let empty = decoder.decode(&[]).map_err(Error::from)?;
    Ok(Batch {
        records: empty.batch,
        json: empty.json,
        skipped: 0,
        new_fields: Vec::new(),
        next_offsets: BTreeMap::new(),
    })
}

/// Decodes at most `max_records` records in the given order, and advances the `from` of each batch to its next offset;
/// `from` equals `until` when everything is decoded. A table ends before an invalid record, and the next call returns
/// the error. On an error nothing changes.
pub(crate) fn decode(
    decoder: &mut Decoder,
    fetched: &mut [FetchedBatches],
    max_records: usize,
) -> Result<Batch> {
    let table = decoder
        .decode_up_to(fetched, max_records)
        .map_err(Error::from)?;
    let mut next_offsets = BTreeMap::new();
    for (fetched, next) in fetched.iter_mut().zip(table.next_offsets) {
        // The last offsets may have no records.
        let next: Offset = if table.complete {
            fetched.until
        } else {
            next.max(fetched.from).min(fetched.until)
        };
        if next > fetched.from {
            fetched.from = next;
            next_offsets.insert(TopicPartition::from(&*fetched), next);
        }
    }
    Ok(Batch {
        records: table.batch,
        json: table.json,
        skipped: table.skipped as u64,
        new_fields: table.new_fields,
        next_offsets,
    })
}

/// The error for bytes that are not valid batches.
pub(crate) fn damaged(partition: &TopicPartition, offset: Offset, error: BatchError) -> Error {
    Error::new(
        ErrorKind::CorruptLog,
        format!("Cannot read {partition} at offset {offset}: {error}."),
    )
    .in_topic(Arc::clone(&partition.topic))
    .in_partition(partition.partition)
    .at_offset(offset)
    .caused_by(error)
    .retriable(false)
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error.kind {
            DecodeErrorKind::Damaged { .. } => ErrorKind::CorruptLog,
            DecodeErrorKind::Schema(_) => ErrorKind::InvalidArgument,
            _ => ErrorKind::Decode,
        };
        Self::new(kind, format!("Cannot decode {error}."))
            .in_topic(Arc::clone(&error.topic))
            .in_partition(error.partition)
            .at_offset(error.offset)
            .retriable(false)
            .caused_by(error)
    }
}

impl From<SchemaError> for Error {
    fn from(error: SchemaError) -> Self {
        Self::new(ErrorKind::InvalidArgument, format!("{error}.")).caused_by(error)
    }
}
