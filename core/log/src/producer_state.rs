//! The state of the producers of a partition: enough to refuse gaps, duplicates and fenced producers (KIP-98), and to
//! find open transactions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use headwater_record::{
    BatchHeader, ControlRecord, ControlType, Offset, ProducerEpoch, ProducerId,
};

use crate::error::AppendError;
use crate::transaction_index::AbortedTransaction;
use crate::types::ProducerSummary;

/// The number of batches per producer that are kept to recognise repeats; a producer has at most five requests in
/// flight.
const BATCHES_REMEMBERED: usize = 5;

/// A batch of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchTrace {
    pub(crate) last_sequence: i32,
    pub(crate) last_offset: Offset,
    pub(crate) offset_delta: i32,
    pub(crate) timestamp_ms: i64,
}

impl BatchTrace {
    fn first_sequence(&self) -> i32 {
        // Sequences wrap from i32::MAX to 0.
        let first = i64::from(self.last_sequence) - i64::from(self.offset_delta);
        (first & i64::from(i32::MAX)) as i32
    }

    /// The offset of the first record.
    pub(crate) fn base_offset(&self) -> Offset {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// The state of one producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub(crate) producer_epoch: ProducerEpoch,
    pub(crate) coordinator_epoch: Option<i32>,
    pub(crate) last_timestamp_ms: i64,
    pub(crate) current_transaction_first_offset: Option<Offset>,
    /// The last batches, newest last: at most [`BATCHES_REMEMBERED`], all of `producer_epoch`.
    pub(crate) batches: VecDeque<BatchTrace>,
}

impl ProducerEntry {
    fn new() -> Self {
        Self {
            producer_epoch: ProducerEpoch::NONE,
            coordinator_epoch: None,
            last_timestamp_ms: -1,
            current_transaction_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    fn repeated(&self, header: &BatchHeader) -> Option<BatchTrace> {
        if header.producer_epoch != self.producer_epoch {
            return None;
        }
        self.batches
            .iter()
            .find(|batch| {
                batch.first_sequence() == header.base_sequence
                    && batch.last_sequence == header.last_sequence()
            })
            .copied()
    }

    fn begin_epoch(&mut self, producer_epoch: ProducerEpoch) {
        if self.producer_epoch != producer_epoch {
            self.producer_epoch = producer_epoch;
            self.batches.clear();
        }
    }

    fn add_batch(&mut self, header: &BatchHeader) {
        self.begin_epoch(header.producer_epoch);
        if self.batches.len() == BATCHES_REMEMBERED {
            self.batches.pop_front();
        }
        self.batches.push_back(BatchTrace {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp_ms: header.max_timestamp_ms,
        });
        self.last_timestamp_ms = header.max_timestamp_ms;
    }
}

/// A completed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CompletedTransaction {
    producer_id: ProducerId,
    first_offset: Offset,
    marker_offset: Offset,
    aborted: bool,
}

/// Whether batches are new from a producer, or already in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// New: check sequence numbers and epochs.
    Sequences,
    /// Already in the log: check nothing.
    Nothing,
}

/// The result of a check.
#[derive(Debug)]
pub(crate) enum CheckResult {
    /// Valid; [`ProducerStates::apply`] this once it is written.
    InOrder(ProducerChanges),
    /// A repeat of this batch.
    Duplicate(BatchTrace),
}

/// The changes of checked batches, not applied yet.
#[derive(Debug, Default)]
pub(crate) struct ProducerChanges {
    entries: Vec<(ProducerId, ProducerEntry)>,
    completed: Vec<CompletedTransaction>,
}

/// All producers of a partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProducerStates {
    producers: HashMap<ProducerId, ProducerEntry>,
    /// Open transactions, by first offset.
    open: BTreeMap<Offset, ProducerId>,
    /// Completed transactions whose marker may be at or above the high watermark: first offset to marker offset.
    unreplicated: BTreeMap<Offset, Offset>,
}

impl ProducerStates {
    /// Checks batches whose headers have their final offsets. Changes nothing.
    pub(crate) fn check(
        &self,
        batches: impl Iterator<Item = (BatchHeader, Option<ControlRecord>)>,
        check: Check,
    ) -> Result<CheckResult, AppendError> {
        let mut pending = ProducerChanges::default();
        for (header, control) in batches {
            let Some(producer_id) = header.producer_id else {
                continue;
            };
            let known = self.producers.get(&producer_id);
            if check == Check::Sequences
                && let Some(repeated) = known.and_then(|entry| entry.repeated(&header))
                && !header.attributes.is_control()
            {
                return Ok(CheckResult::Duplicate(repeated));
            }
            let entry = pending.entry(producer_id, known);
            if check == Check::Sequences {
                check_epoch(producer_id, entry, &header)?;
            }
            if let Some(control) = control {
                let completed = end_transaction(producer_id, entry, &header, control, check)?;
                pending.completed.extend(completed);
                continue;
            }
            if check == Check::Sequences {
                check_sequence(producer_id, entry, &header)?;
            }
            entry.add_batch(&header);
            if header.attributes.is_transactional() {
                entry
                    .current_transaction_first_offset
                    .get_or_insert(header.base_offset);
            }
        }
        Ok(CheckResult::InOrder(pending))
    }

    /// Applies the changes that [`check`](Self::check) returned. Returns the aborted transactions.
    pub(crate) fn apply(&mut self, pending: ProducerChanges) -> Vec<AbortedTransaction> {
        let mut aborted = Vec::new();
        for completed in &pending.completed {
            self.open.remove(&completed.first_offset);
            self.unreplicated
                .insert(completed.first_offset, completed.marker_offset);
            if completed.aborted {
                let others = self
                    .open
                    .iter()
                    .find(|(_, producer_id)| **producer_id != completed.producer_id);
                aborted.push(AbortedTransaction {
                    producer_id: completed.producer_id,
                    first_offset: completed.first_offset,
                    last_offset: completed.marker_offset,
                    last_stable_offset: others
                        .map_or(completed.marker_offset + 1, |(first_offset, _)| {
                            *first_offset
                        }),
                });
            }
        }
        for (producer_id, entry) in pending.entries {
            if let Some(first_offset) = entry.current_transaction_first_offset {
                self.open.insert(first_offset, producer_id);
            }
            self.producers.insert(producer_id, entry);
        }
        aborted
    }

    /// Applies a batch that is already in the log. Returns the aborted transactions.
    pub(crate) fn replay(
        &mut self,
        header: &BatchHeader,
        control: Option<ControlRecord>,
    ) -> Vec<AbortedTransaction> {
        if header.producer_id.is_none() {
            return Vec::new();
        }
        match self.check(std::iter::once((*header, control)), Check::Nothing) {
            Ok(CheckResult::InOrder(pending)) => self.apply(pending),
            // `Check::Nothing` refuses nothing.
            Ok(CheckResult::Duplicate(_)) | Err(_) => Vec::new(),
        }
    }

    /// Adds a producer from a snapshot.
    pub(crate) fn load(&mut self, producer_id: ProducerId, entry: ProducerEntry) {
        if let Some(first_offset) = entry.current_transaction_first_offset {
            self.open.insert(first_offset, producer_id);
        }
        self.producers.insert(producer_id, entry);
    }

    /// All producers, by id.
    pub(crate) fn entries(&self) -> Vec<(ProducerId, &ProducerEntry)> {
        let mut entries: Vec<_> = self
            .producers
            .iter()
            .map(|(id, entry)| (*id, entry))
            .collect();
        entries.sort_unstable_by_key(|(producer_id, _)| *producer_id);
        entries
    }

    /// Summaries of all producers, by id.
    pub(crate) fn summaries(&self) -> Vec<ProducerSummary> {
        let summary = |(producer_id, entry): (ProducerId, &ProducerEntry)| ProducerSummary {
            producer_id,
            producer_epoch: entry.producer_epoch,
            last_sequence: entry.batches.back().map(|batch| batch.last_sequence),
            last_offset: entry.batches.back().map(|batch| batch.last_offset),
            last_timestamp_ms: entry.last_timestamp_ms,
            coordinator_epoch: entry.coordinator_epoch,
            current_transaction_first_offset: entry.current_transaction_first_offset,
        };
        self.entries().into_iter().map(summary).collect()
    }

    /// Drops producers that have been inactive for this long and have no open transaction. Returns their number.
    pub(crate) fn expire(&mut self, now_ms: i64, expiration_ms: i64) -> usize {
        let before = self.producers.len();
        self.producers.retain(|_, entry| {
            entry.current_transaction_first_offset.is_some()
                || now_ms.saturating_sub(entry.last_timestamp_ms) < expiration_ms
        });
        before - self.producers.len()
    }

    /// Drops the completed transactions whose marker is below the high watermark.
    pub(crate) fn advance_high_watermark(&mut self, high_watermark: Offset) {
        self.unreplicated
            .retain(|_, marker_offset| *marker_offset >= high_watermark);
    }

    /// The first offset of an open transaction, or of a completed one whose marker may not be below the high watermark.
    pub(crate) fn first_unstable_offset(&self) -> Option<Offset> {
        let open = self.open.keys().next();
        let unreplicated = self.unreplicated.keys().next();
        open.into_iter().chain(unreplicated).min().copied()
    }
}

impl ProducerChanges {
    fn entry(
        &mut self,
        producer_id: ProducerId,
        known: Option<&ProducerEntry>,
    ) -> &mut ProducerEntry {
        let place = self.entries.iter().position(|(id, _)| *id == producer_id);
        let place = place.unwrap_or_else(|| {
            let entry = known.cloned().unwrap_or_else(ProducerEntry::new);
            self.entries.push((producer_id, entry));
            self.entries.len() - 1
        });
        &mut self.entries[place].1
    }
}

fn check_epoch(
    producer_id: ProducerId,
    entry: &ProducerEntry,
    header: &BatchHeader,
) -> Result<(), AppendError> {
    if header.producer_epoch >= entry.producer_epoch {
        return Ok(());
    }
    Err(AppendError::ProducerFenced {
        producer_id,
        producer_epoch: header.producer_epoch,
        current: entry.producer_epoch,
    })
}

fn check_sequence(
    producer_id: ProducerId,
    entry: &ProducerEntry,
    header: &BatchHeader,
) -> Result<(), AppendError> {
    let sequence = header.base_sequence;
    // A coordinator writes for a producer without sequence numbers.
    if sequence < 0 {
        return Ok(());
    }
    let out_of_order = |expected| AppendError::OutOfOrderSequence {
        producer_id,
        producer_epoch: header.producer_epoch,
        sequence,
        expected,
    };
    // The producer is unknown, perhaps because retention removed its records: accept any sequence.
    if entry.producer_epoch == ProducerEpoch::NONE {
        return Ok(());
    }
    if header.producer_epoch != entry.producer_epoch {
        return if sequence == 0 {
            Ok(())
        } else {
            Err(out_of_order(None))
        };
    }
    let expected = match entry.batches.back() {
        Some(last) if last.last_sequence == i32::MAX => 0,
        Some(last) => last.last_sequence + 1,
        None => 0,
    };
    if sequence == expected {
        Ok(())
    } else {
        Err(out_of_order(Some(expected)))
    }
}

fn end_transaction(
    producer_id: ProducerId,
    entry: &mut ProducerEntry,
    header: &BatchHeader,
    control: ControlRecord,
    check: Check,
) -> Result<Option<CompletedTransaction>, AppendError> {
    let aborted = match control.control_type {
        ControlType::Abort => true,
        ControlType::Commit => false,
        ControlType::Other(_) => return Ok(None),
    };
    if check == Check::Sequences && control.coordinator_epoch < entry.coordinator_epoch {
        return Err(AppendError::InvalidControlBatch {
            producer_id,
            what: "its coordinator epoch is outdated: a newer coordinator has written".to_owned(),
        });
    }
    entry.begin_epoch(header.producer_epoch);
    entry.coordinator_epoch = control.coordinator_epoch;
    entry.last_timestamp_ms = header.max_timestamp_ms;
    let first_offset = entry.current_transaction_first_offset.take();
    Ok(first_offset.map(|first_offset| CompletedTransaction {
        producer_id,
        first_offset,
        marker_offset: header.last_offset(),
        aborted,
    }))
}

#[cfg(test)]
mod tests;
