//! Compares the records that a compacted log serves with those written to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_log::FirstBatch;
use headwater_record::{DecompressLimit, batches};

use super::script::KeyedValue;
use super::session::{Session, StepResult};

/// The state of a log according to the results that its user got.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Every record that was ever written or is being written.
    pub written: BTreeMap<i64, KeyedValue>,
    /// Records before this offset were acknowledged: they must survive the death of the process.
    pub appended_to: i64,
    /// Records before this offset were acknowledged as durable: they must survive a power cut.
    pub durable_to: i64,
    /// The log is cleaned before this offset: each key has one record there.
    pub cleaned_to: i64,
}

impl Expectation {
    /// The state after a successful step.
    #[must_use]
    pub fn after(&self, outcome: &StepResult) -> Expectation {
        let mut next = self.while_under_way(outcome);
        if let Some((base, records)) = &outcome.appended {
            next.appended_to = base + records.len() as i64;
        }
        next.durable_to = next.durable_to.max(outcome.durable_to.unwrap_or(0));
        next.cleaned_to = next.cleaned_to.max(outcome.cleaned_to.unwrap_or(0));
        next
    }

    /// The state in the middle of a step that would have this outcome.
    #[must_use]
    pub fn while_under_way(&self, outcome: &StepResult) -> Expectation {
        let mut next = self.clone();
        if let Some((base, records)) = &outcome.appended {
            next.written.extend((*base..).zip(records.iter().cloned()));
        }
        next
    }
}

/// The records that a log serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRecords {
    /// Where the log ends.
    pub end: i64,
    /// Records by offset.
    pub records: BTreeMap<i64, KeyedValue>,
    /// The newest batch of the idempotent producer, if it still has all its records: its base offset and its bytes.
    pub newest: Option<(i64, Bytes)>,
}

/// Reads a whole log in small reads. Offsets have gaps and grow.
pub fn read_all(session: &Session) -> Result<ServedRecords, String> {
    let log = &session.log;
    let end = log.log_end_offset();
    let mut served = ServedRecords {
        end: end.get(),
        records: BTreeMap::new(),
        newest: None,
    };
    let mut next = log.log_start_offset();
    while next < end {
        let read = log
            .read(next, end, 300, FirstBatch::Whole)
            .map_err(|error| format!("reading at {next}: {error}"))?;
        let before = next;
        for batch in batches(&read.bytes) {
            let batch = batch.map_err(|error| format!("no batch at {next}: {error}"))?;
            let header = *batch.header();
            let bad = |error| format!("a bad batch at {}: {error}", header.base_offset);
            batch.verify_crc().map_err(bad)?;
            if header.last_offset() < next {
                return Err(format!("offset {} follows {next}", header.base_offset));
            }
            let records = batch.records(DecompressLimit::default()).map_err(bad)?;
            for record in &records {
                let record = record.map_err(bad)?;
                let key = record.key.and_then(|key| key.first().copied());
                let keyed = (key.unwrap_or(u8::MAX), record.value.map(<[u8]>::to_vec));
                served.records.insert(record.offset.get(), keyed);
            }
            if header.producer_id.is_some() {
                let is_whole = header.record_count == header.last_offset_delta + 1
                    && !header.attributes.has_delete_horizon();
                served.newest = is_whole.then(|| (header.base_offset.get(), batch.bytes().clone()));
            }
            next = header.next_offset();
        }
        if next == before {
            return Err(format!(
                "the log ends at {end}, but the last batch at {next}"
            ));
        }
    }
    Ok(served)
}

/// Checks the served records: for each key the newest record below the end, unless it is a tombstone and no record of
/// the key is left; no record that was not written there; at most one record per key in the cleaned part; and the
/// promised end.
pub fn judge(
    served: &ServedRecords,
    expected: &Expectation,
    promised_to: i64,
) -> Result<(), String> {
    if served.end < promised_to {
        return Err(format!(
            "the log ends at {}, and {promised_to} was acknowledged",
            served.end
        ));
    }
    let (mut found, mut cleaned) = (BTreeMap::new(), BTreeMap::new());
    for (offset, record) in &served.records {
        if expected.written.get(offset) != Some(record) {
            return Err(format!(
                "offset {offset} has a record that was never written there"
            ));
        }
        found.insert(record.0, *offset);
        if *offset < expected.cleaned_to
            && let Some(older) = cleaned.insert(record.0, *offset)
        {
            return Err(format!(
                "key {} is cleaned and has offsets {older} and {offset}",
                record.0
            ));
        }
    }
    let newest: BTreeMap<u8, i64> = expected
        .written
        .range(..served.end)
        .map(|(offset, record)| (record.0, *offset))
        .collect();
    for (key, offset) in newest {
        match found.get(&key) {
            Some(served) if *served == offset => {}
            None if expected.written[&offset].1.is_none() => {}
            other => {
                return Err(format!(
                    "the newest record of key {key} is at {offset}, served: {other:?}"
                ));
            }
        }
    }
    Ok(())
}
