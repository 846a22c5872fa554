//! Compares the records that a log serves with the expectation.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use headwater_log::FirstBatch;
use headwater_record::{DecompressLimit, Offset, RecordBatch, batches};

use crate::model::{Expectation, Values};
use crate::session::{Session, timestamp_of};

/// A fault in the served records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The reader detects it: an error, or bytes with a wrong CRC.
    Told(String),
    /// The reader cannot detect it: a gap, or a record at a wrong offset.
    Silent(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Told(what) => write!(out, "{what}"),
            Fault::Silent(what) => write!(out, "silently wrong: {what}"),
        }
    }
}

/// The records that a log serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRecords {
    /// From the log's start to its end.
    pub offsets: Range<i64>,
    /// Values by offset.
    pub values: Values,
    /// The newest batch of an idempotent producer: its base offset and its bytes, if it ends the log.
    pub newest: Option<(i64, Bytes)>,
}

/// Reads a whole log in small reads and checks the invariants of any log: batches with a valid CRC, and each offset
/// from start to end exactly once.
pub fn read_all(session: &Session) -> Result<ServedRecords, Fault> {
    let log = &session.log;
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    let mut served = ServedRecords {
        offsets: start.get()..end.get(),
        values: Values::new(),
        newest: None,
    };
    let mut next = start;
    while next < end {
        let read = log
            .read(next, end, 300, FirstBatch::Whole)
            .map_err(|error| Fault::Told(format!("reading at {next}: {error}")))?;
        let before = next;
        for batch in batches(&read.bytes) {
            let batch =
                batch.map_err(|error| Fault::Told(format!("no batch at {next}: {error}")))?;
            take_batch(&batch, &mut next, &mut served)?;
        }
        if next == before {
            return Err(Fault::Silent(format!(
                "nothing is served at {next}, and the log ends at {end}"
            )));
        }
    }
    if next != end {
        return Err(Fault::Silent(format!(
            "records up to {next} are served, and the log ends at {end}"
        )));
    }
    Ok(served)
}

/// Adds the records of a batch from `next` on.
fn take_batch(
    batch: &RecordBatch,
    next: &mut Offset,
    served: &mut ServedRecords,
) -> Result<(), Fault> {
    let header = *batch.header();
    let told = |error: &dyn fmt::Display| {
        Fault::Told(format!("a bad batch at {}: {error}", header.base_offset))
    };
    batch.verify_crc().map_err(|error| told(&error))?;
    if header.base_offset > *next || header.last_offset() < *next {
        let (first, last) = (header.base_offset, header.last_offset());
        return Err(Fault::Silent(format!(
            "a gap: {next} was expected, the batch has {first} to {last}"
        )));
    }
    let records = batch
        .records(DecompressLimit::default())
        .map_err(|error| told(&error))?;
    for (index, record) in records.iter().enumerate() {
        let record = record.map_err(|error| told(&error))?;
        if record.offset != header.base_offset + index as i64 {
            return Err(Fault::Silent(format!(
                "record {index} of {} has offset {}",
                header.base_offset, record.offset
            )));
        }
        if record.offset >= *next {
            let value = record.value.unwrap_or_default();
            served.values.insert(record.offset.get(), value.to_vec());
        }
    }
    served.newest = header
        .producer_id
        .map(|_| (header.base_offset.get(), batch.bytes().clone()));
    *next = header.next_offset();
    Ok(())
}

/// Checks that all `required` values are served, and no value that was never written.
pub fn compare(
    served: &ServedRecords,
    required: &Values,
    expected: &Expectation,
) -> Result<(), String> {
    for (offset, value) in required {
        match served.values.get(offset) {
            Some(found) if found == value => {}
            Some(_) => {
                return Err(format!(
                    "offset {offset} has another value than the acknowledged one"
                ));
            }
            None => {
                return Err(format!(
                    "offset {offset} was acknowledged and is lost; served: {:?}",
                    served.offsets
                ));
            }
        }
    }
    for (offset, value) in &served.values {
        if !expected
            .written
            .get(offset)
            .is_some_and(|written| written.contains(value))
        {
            return Err(format!(
                "offset {offset} has a value that was never written there"
            ));
        }
    }
    if served.offsets.start < expected.durable_start {
        let (start, durable) = (served.offsets.start, expected.durable_start);
        return Err(format!(
            "the log starts at {start} again, although {durable} was checkpointed"
        ));
    }
    Ok(())
}

/// Checks that lookups by timestamp agree with a search of every record.
pub fn check_lookups(session: &Session, served: &ServedRecords) -> Result<(), String> {
    let latest = served
        .values
        .values()
        .map(|value| timestamp_of(value))
        .max();
    let some = served
        .values
        .values()
        .step_by(5)
        .map(|value| timestamp_of(value));
    for timestamp_ms in some.chain(latest).chain(latest.map(|latest| latest + 1)) {
        let expected = served
            .values
            .iter()
            .find(|(_, value)| timestamp_of(value) >= timestamp_ms);
        let found = session
            .log
            .offset_for_timestamp(timestamp_ms, DecompressLimit::default())
            .map_err(|error| format!("looking up time {timestamp_ms}: {error}"))?;
        let found = found.map(|record| record.offset.get());
        if found != expected.map(|(offset, _)| *offset) {
            return Err(format!(
                "time {timestamp_ms} is found at {found:?}, and is at {expected:?}"
            ));
        }
    }
    Ok(())
}

/// Checks that the log recognises its newest idempotent batch when it is sent again.
pub fn check_duplicate(session: &Session, served: &ServedRecords) -> Result<(), String> {
    let Some((base, batch)) = &served.newest else {
        return Ok(());
    };
    match session.resend(batch) {
        Ok(Some(offset)) if offset == *base => Ok(()),
        other => Err(format!(
            "the newest batch, at {base}, was sent again, and that gave {other:?}"
        )),
    }
}
