//! Finds records by timestamp.

use headwater_env::Env;
use headwater_record::{BatchHeader, DecompressLimit, Offset};

use crate::error::ReadError;
use crate::file_name::FileKind;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::types::RecordPosition;
use crate::view::LogView;

impl<E: Env> PartitionLog<E> {
    /// The first record, by offset, whose timestamp is at least `timestamp_ms`. Timestamps need not be in order: the
    /// result is the same as from reading every record.
    pub fn offset_for_timestamp(
        &self,
        timestamp_ms: i64,
        limit: DecompressLimit,
    ) -> Result<Option<RecordPosition>, ReadError> {
        self.state().view().read(|view| {
            let first = view.segments().floor(view.log_start_offset()).unwrap_or(0);
            for index in first..view.segments().list().len() {
                let segment = &view.segments().list()[index];
                let largest = segment.largest_timestamp(view.phase(index))?;
                // A segment without a greatest timestamp has records without timestamps, which count as -1.
                if largest.map_or(-1, |largest| largest.timestamp_ms) < timestamp_ms {
                    continue;
                }
                if let Some(found) = search(view, index, timestamp_ms, limit)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }

    /// The first record with the greatest timestamp of the log; `None` if no record has a timestamp.
    pub fn offset_of_max_timestamp(
        &self,
        limit: DecompressLimit,
    ) -> Result<Option<RecordPosition>, ReadError> {
        let greatest = self
            .state()
            .view()
            .read(|view| greatest_timestamp(view, limit))?;
        let Some(timestamp_ms) = greatest else {
            return Ok(None);
        };
        if let Some(found) = self.offset_for_timestamp(timestamp_ms, limit)? {
            return Ok(Some(found));
        }
        // The batch with that timestamp was emptied by compaction.
        match self
            .state()
            .view()
            .read(|view| greatest_of_records(view, limit))?
        {
            Some(timestamp_ms) => self.offset_for_timestamp(timestamp_ms, limit),
            None => Ok(None),
        }
    }
}

/// The greatest timestamp of the records that may be read.
fn greatest_timestamp<E: Env>(
    view: &LogView<E>,
    limit: DecompressLimit,
) -> Result<Option<i64>, ReadError> {
    let first = view.segments().floor(view.log_start_offset()).unwrap_or(0);
    let mut greatest = None;
    for index in first..view.segments().list().len() {
        let segment = &view.segments().list()[index];
        let largest = if segment.base_offset() < view.log_start_offset() {
            // The record with its greatest timestamp may have been deleted.
            greatest_from(segment, view.log_start_offset(), view.limit(index), limit)?
        } else {
            segment
                .largest_timestamp(view.phase(index))?
                .map(|largest| largest.timestamp_ms)
        };
        greatest = greatest.max(largest);
    }
    Ok(greatest)
}

/// The same without indexes, which include empty batches.
fn greatest_of_records<E: Env>(
    view: &LogView<E>,
    limit: DecompressLimit,
) -> Result<Option<i64>, ReadError> {
    let mut greatest = None;
    for (index, segment) in view.segments().list().iter().enumerate() {
        let from = view.log_start_offset();
        greatest = greatest.max(greatest_from(segment, from, view.limit(index), limit)?);
    }
    Ok(greatest)
}

/// The greatest timestamp among the records of a segment from `from` on.
fn greatest_from<E: Env>(
    segment: &Segment<E>,
    from: Offset,
    size: u64,
    limit: DecompressLimit,
) -> Result<Option<i64>, ReadError> {
    let Some((position, _)) = segment.locate(from, size)? else {
        return Ok(None);
    };
    let mut walk = segment.walk(position, size)?;
    let mut greatest = -1;
    while let Some((position, header)) = segment.step(&mut walk)? {
        if header.record_count == 0 {
            continue;
        }
        let of_batch = if header.base_offset < from {
            greatest_in_batch(segment, position, &header, from, limit)?
        } else {
            header.max_timestamp_ms
        };
        greatest = greatest.max(of_batch);
    }
    Ok(Some(greatest).filter(|timestamp_ms| *timestamp_ms >= 0))
}

fn greatest_in_batch<E: Env>(
    segment: &Segment<E>,
    position: u64,
    header: &BatchHeader,
    from: Offset,
    limit: DecompressLimit,
) -> Result<i64, ReadError> {
    let damaged = |source| segment.corrupt(position, source);
    let records = segment
        .read_batch(position, header)?
        .records(limit)
        .map_err(damaged)?;
    let mut greatest = -1;
    for record in &records {
        let record = record.map_err(damaged)?;
        if record.offset >= from {
            greatest = greatest.max(record.timestamp_ms);
        }
    }
    Ok(greatest)
}

/// The first record of a segment that is recent enough and not before the start of the log.
fn search<E: Env>(
    view: &LogView<E>,
    index: usize,
    timestamp_ms: i64,
    limit: DecompressLimit,
) -> Result<Option<RecordPosition>, ReadError> {
    let segment = &view.segments().list()[index];
    let size = view.limit(index);
    let start = start_of_search(segment, timestamp_ms, size)?.max(view.log_start_offset());
    let Some((position, _)) = segment.locate(start, size)? else {
        return Ok(None);
    };
    let mut walk = segment.walk(position, size)?;
    while let Some((position, header)) = segment.step(&mut walk)? {
        if header.max_timestamp_ms >= timestamp_ms
            && let Some(found) = search_batch(
                segment,
                position,
                &header,
                view.log_start_offset(),
                timestamp_ms,
                limit,
            )?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// An offset before which every record of the segment is too old.
fn start_of_search<E: Env>(
    segment: &Segment<E>,
    timestamp_ms: i64,
    limit: u64,
) -> Result<Offset, ReadError> {
    match segment.time_before(timestamp_ms) {
        Ok(None) => Ok(segment.base_offset()),
        Ok(Some(entry)) if segment.has_timestamp(entry, limit)? => Ok(entry.last_offset + 1),
        Ok(Some(entry)) => {
            tracing::warn!(path = %segment.path(FileKind::TimeIndex).display(), ?entry, "an index entry is wrong; searching the segment from its start");
            Ok(segment.base_offset())
        }
        Err(error) => {
            tracing::warn!(%error, "an index cannot be read; searching the segment from its start");
            Ok(segment.base_offset())
        }
    }
}

fn search_batch<E: Env>(
    segment: &Segment<E>,
    position: u64,
    header: &BatchHeader,
    from: Offset,
    timestamp_ms: i64,
    limit: DecompressLimit,
) -> Result<Option<RecordPosition>, ReadError> {
    let batch = segment.read_batch(position, header)?;
    let damaged = |source| segment.corrupt(position, source);
    let records = batch.records(limit).map_err(damaged)?;
    for record in &records {
        let record = record.map_err(damaged)?;
        if record.offset >= from && record.timestamp_ms >= timestamp_ms {
            return Ok(Some(RecordPosition {
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                leader_epoch: header.leader_epoch,
            }));
        }
    }
    Ok(None)
}
