//! Builds the indexes of a segment from its batches.

use headwater_env::Env;
use headwater_record::BatchHeader;

use crate::error::ReadError;
use crate::file_name::FileKind;
use crate::index_file::SyncTime;
use crate::offset_index::OffsetPosition;
use crate::segment::{Largest, Phase, Segment, newer_of};
use crate::time_index::TimestampOffset;
use crate::transaction_index::AbortedTransaction;

/// Collects index entries from the batches of a segment, the same as appending them would create.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    interval_bytes: u64,
    bytes_since_index: u64,
    offsets: Vec<OffsetPosition>,
    times: Vec<TimestampOffset>,
    largest: Option<TimestampOffset>,
    aborted: Vec<AbortedTransaction>,
}

impl IndexBuilder {
    pub(crate) fn new(interval_bytes: u32) -> Self {
        Self {
            interval_bytes: u64::from(interval_bytes),
            bytes_since_index: 0,
            offsets: Vec::new(),
            times: Vec::new(),
            largest: None,
            aborted: Vec::new(),
        }
    }

    /// Adds the next batch.
    pub(crate) fn add(&mut self, position: u64, header: &BatchHeader) {
        newer_of(&mut self.largest, header);
        if self.bytes_since_index > self.interval_bytes {
            self.offsets.push(OffsetPosition {
                last_offset: header.last_offset(),
                position,
            });
            self.add_time();
            self.bytes_since_index = 0;
        }
        self.bytes_since_index += header.size_in_bytes() as u64;
    }

    /// Adds transactions that a marker in the segment aborted.
    pub(crate) fn add_aborted(&mut self, aborted: Vec<AbortedTransaction>) {
        self.aborted.extend(aborted);
    }

    fn add_time(&mut self) {
        if let Some(largest) = self.largest
            && self
                .times
                .last()
                .is_none_or(|last| last.timestamp_ms < largest.timestamp_ms)
        {
            self.times.push(largest);
        }
    }

    /// The indexes of a sealed segment that contradict its batches. Missing entries are not a contradiction: the flush
    /// of a sealed segment writes the indexes, and a crash may have come first.
    pub(crate) fn contradicted<E: Env>(&mut self, segment: &Segment<E>) -> Vec<FileKind> {
        self.add_time();
        let (offsets, times) = (segment.indexed_batches(), segment.indexed_times());
        let mut contradicted = Vec::new();
        if !offsets.is_ok_and(|found| self.offsets.starts_with(&found)) {
            contradicted.push(FileKind::OffsetIndex);
        }
        if !times.is_ok_and(|found| found.iter().all(|entry| self.may_be_true(*entry))) {
            contradicted.push(FileKind::TimeIndex);
        }
        contradicted
    }

    /// Whether the entry lies between its neighbours. Closing a log adds a time entry between those of the interval.
    fn may_be_true(&self, entry: TimestampOffset) -> bool {
        let next = self
            .times
            .partition_point(|other| other.last_offset <= entry.last_offset);
        let before = next.checked_sub(1).map(|last| self.times[last]);
        let after = self.times.get(next);
        before.is_none_or(|before| before.timestamp_ms <= entry.timestamp_ms)
            && match after {
                Some(after) => entry.timestamp_ms <= after.timestamp_ms,
                None => before.is_some_and(|before| before == entry),
            }
    }

    /// Installs the offset and time indexes in the segment.
    pub(crate) fn install_in<E: Env>(&mut self, segment: &Segment<E>, phase: Phase) {
        if phase == Phase::Sealed {
            self.add_time();
        }
        segment.replace_indexes(&self.offsets, &self.times);
        segment.set_largest_timestamp(Largest::Known(self.largest));
    }

    /// Installs the transaction index in the segment.
    pub(crate) fn install_transactions_in<E: Env>(self, segment: &Segment<E>) {
        segment.replace_aborted(self.aborted);
    }
}

/// Rebuilds the offset and time indexes of a sealed segment from the headers of its batches, and writes them.
pub(crate) fn rebuild<E: Env>(segment: &Segment<E>, interval_bytes: u32) -> Result<(), ReadError> {
    let mut builder = IndexBuilder::new(interval_bytes);
    let mut walk = segment.walk(0, segment.size())?;
    while let Some((position, header)) = segment.step(&mut walk)? {
        builder.add(position, &header);
    }
    builder.install_in(segment, Phase::Sealed);
    match segment.save_indexes(SyncTime::Now) {
        Ok(()) => segment.release_indexes(),
        Err(error) => {
            tracing::warn!(%error, "a rebuilt index stays in memory, because it could not be written");
        }
    }
    Ok(())
}
