//! The records of control batches.

use bytes::Bytes;
use headwater_record::{ControlRecord, DecompressLimit, RecordBatch, ValidatedBatches};

use crate::error::AppendError;

/// Adds the control record of each control batch.
pub(crate) fn push_control_records(
    batches: &ValidatedBatches,
    controls: &mut Vec<Option<ControlRecord>>,
) -> Result<(), AppendError> {
    if !batches
        .headers()
        .any(|header| header.attributes.is_control())
    {
        controls.resize(controls.len() + batches.batch_count(), None);
        return Ok(());
    }
    for (header, bytes) in batches.iter() {
        controls.push(match (header.attributes.is_control(), header.producer_id) {
            (true, Some(producer_id)) => Some(
                control_record(bytes)
                    .map_err(|what| AppendError::InvalidControlBatch { producer_id, what })?,
            ),
            _ => None,
        });
    }
    Ok(())
}

/// Decodes the record of a control batch.
pub(crate) fn control_record(bytes: Bytes) -> Result<ControlRecord, String> {
    let batch = RecordBatch::parse(bytes).map_err(|error| error.to_string())?;
    let records = batch
        .records(DecompressLimit::default())
        .map_err(|error| error.to_string())?;
    match records.iter().next() {
        Some(Ok(record)) => ControlRecord::parse(&record)
            .ok_or_else(|| "its key is not the key of a control record".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it has no record".to_owned()),
    }
}
