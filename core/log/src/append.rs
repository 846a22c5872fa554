//! How batches get their offsets and become a part of the log.

use std::io::{self, IoSlice};

use bytes::{Bytes, BytesMut};
use headwater_env::{Env, File};
use headwater_record::crc::crc32c;
use headwater_record::{
    BatchHeader, ControlRecord, DecompressLimit, LeaderEpoch, Offset, RecordBatch, TimestampType,
    ValidatedBatches,
};

use crate::config::LogConfig;
use crate::error::{AppendError, ChangeError, ReadError};
use crate::file_name::FileKind;
use crate::mutants::{self, Mutant};
use crate::offset_index::OffsetPosition;
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_state::{BatchTrace, Check, Verdict};
use crate::roll::{self, Incoming};
use crate::segment::{Largest, Phase, Segment, newer_of};
use crate::types::Appended;

/// The bytes of a batch that the log changes: base offset, length (unchanged), leader epoch. None of them is under the CRC.
const PATCHED_LEN: usize = 16;
/// Where the bytes under the CRC begin.
const CRC_START: usize = 21;

/// Batches with their final headers.
struct Assigned {
    bytes: Bytes,
    headers: Vec<BatchHeader>,
    record_count: i64,
    log_append_time_ms: Option<i64>,
}

impl Assigned {
    fn next_offset(&self) -> Offset {
        self.headers[self.headers.len() - 1].next_offset()
    }

    fn max_timestamp_ms(&self) -> i64 {
        let timestamps = self.headers.iter().map(|header| header.max_timestamp_ms);
        timestamps.fold(-1, i64::max)
    }
}

impl<E: Env> PartitionLog<E> {
    /// Appends batches of a producer, gives them offsets and the leader epoch, and returns when they can be read. All of them or, after an
    /// error, none. They are durable only after [`wait_flushed`](Self::wait_flushed), for which the answer says whether the policy
    /// demands it before an acknowledgement.
    pub fn append_as_leader(
        &self,
        batches: ValidatedBatches,
        leader_epoch: LeaderEpoch,
    ) -> Result<Appended, AppendError> {
        let config = self.config_now();
        check_sizes(&batches, &config)?;
        let controls = control_records(&batches)?;
        let mut writer = self.writer.lock();
        self.check_open(&writer).map_err(append_error)?;
        let log_end_offset = self.log_end_offset();
        let assigned = assign(&self.env, batches, &config, log_end_offset, leader_epoch)?;
        let headers = assigned.headers.iter().copied().zip(controls);
        let pending = match writer.producers.check(headers, sequences())? {
            Verdict::InOrder(pending) => pending,
            Verdict::Duplicate(trace) => return Ok(self.already_appended(trace)),
        };
        self.check_epoch(leader_epoch)?;
        self.make_room(&mut writer, &config, &assigned)?;
        self.change_epochs(|epochs| epochs.assign(leader_epoch, log_end_offset))?;
        self.write(&mut writer, &assigned)?;
        let aborted = writer.producers.apply(pending);
        let view = self.view();
        let segment = view.segments.active();
        let size = index(
            segment,
            &mut writer,
            &config,
            &assigned.headers,
            view.active_size,
        );
        for aborted in aborted {
            segment.transaction_index.push(aborted);
        }
        segment.set_size(size);
        let next_offset = assigned.next_offset();
        assert_eq!(
            next_offset - log_end_offset,
            assigned.record_count,
            "each record has its own offset"
        );
        self.publish(|view| {
            view.log_end_offset = next_offset;
            view.active_size = size;
        });
        let unflushed = next_offset - self.flusher.durable_end();
        Ok(Appended {
            base_offset: log_end_offset,
            last_offset: next_offset - 1,
            log_append_time_ms: assigned.log_append_time_ms,
            log_start_offset: view.log_start_offset,
            duplicate: false,
            flush_required: unflushed as u64 >= config.flush_messages,
        })
    }

    fn already_appended(&self, trace: BatchTrace) -> Appended {
        let view = self.view();
        let unflushed = trace.last_offset + 1 - self.flusher.durable_end();
        Appended {
            base_offset: trace.base_offset(),
            last_offset: trace.last_offset,
            log_append_time_ms: None,
            log_start_offset: view.log_start_offset,
            duplicate: true,
            flush_required: unflushed >= 0 && unflushed as u64 >= self.config_now().flush_messages,
        }
    }

    fn check_epoch(&self, leader_epoch: LeaderEpoch) -> Result<(), AppendError> {
        match self.latest_leader_epoch() {
            Some(current) if current > leader_epoch => Err(AppendError::StaleLeaderEpoch {
                leader_epoch,
                current,
            }),
            _ => Ok(()),
        }
    }

    /// Leaves an active segment that can take the batches.
    fn make_room(
        &self,
        writer: &mut Writer,
        config: &LogConfig,
        assigned: &Assigned,
    ) -> Result<(), AppendError> {
        self.prepare_head(writer).map_err(read_error)?;
        let incoming = Incoming {
            size: assigned.bytes.len() as u64,
            last_offset: assigned.next_offset() - 1,
            max_timestamp_ms: assigned.max_timestamp_ms(),
        };
        let is_due = {
            let view = self.view.read();
            let now_ms = || self.env.wall_clock_ms();
            roll::is_due(
                view.segments.active(),
                &writer.head,
                config,
                incoming,
                now_ms,
            )
        };
        if is_due {
            self.roll_segment(writer).map_err(append_error)?;
        }
        self.mend_tail(writer)?;
        Ok(())
    }

    /// Writes the batches at the end of the active segment. After an error the segment ends where it ended before.
    fn write(&self, writer: &mut Writer, assigned: &Assigned) -> Result<(), AppendError> {
        let view = self.view();
        let segment = view.segments.active();
        let file = segment.file()?;
        writer.is_changed = true;
        let (position, len) = (view.active_size, assigned.bytes.len() as u64);
        let zeros = writer.head.room.zeros_after::<E>(position, len);
        // Also if it fails: some of it may have been written.
        let end = position + len + zeros.len() as u64;
        writer.head.room.reaches(end);
        let written = match write_batches(&*file, position, assigned, zeros) {
            // A disk that is nearly full may still take the batches.
            Err(_) if !zeros.is_empty() => write_batches(&*file, position, assigned, &[]),
            written => written,
        };
        if let Err(source) = written {
            let error = segment.error("write", FileKind::Log, source);
            writer.head.has_dirty_tail = true;
            if let Err(error) = self.mend_tail(writer) {
                tracing::warn!(%error, "bytes of a failed append stay after the end of the log until the next one");
            }
            return Err(error.into());
        }
        Ok(())
    }
}

fn sequences() -> Check {
    if mutants::lives(Mutant::SkipSequenceCheck) {
        Check::Nothing
    } else {
        Check::Sequences
    }
}

/// Each batch within `max.message.bytes`, all of them within a segment.
fn check_sizes(batches: &ValidatedBatches, config: &LogConfig) -> Result<(), AppendError> {
    let max = config.max_message_bytes as usize;
    if let Some(header) = batches
        .headers()
        .find(|header| header.size_in_bytes() > max)
    {
        let size = header.size_in_bytes();
        return Err(AppendError::TooLarge { size, max });
    }
    let (size, max) = (batches.size_in_bytes(), config.segment_bytes as usize);
    if size > max {
        return Err(AppendError::LargerThanSegment { size, max });
    }
    Ok(())
}

/// What each batch says as a control batch.
fn control_records(batches: &ValidatedBatches) -> Result<Vec<Option<ControlRecord>>, AppendError> {
    if !batches
        .headers()
        .any(|header| header.attributes.is_control())
    {
        return Ok(vec![None; batches.batch_count()]);
    }
    let control = |(header, bytes): (&BatchHeader, Bytes)| match (
        header.attributes.is_control(),
        header.producer_id,
    ) {
        (true, Some(producer_id)) => control_record(bytes)
            .map(Some)
            .map_err(|what| AppendError::InvalidControlBatch { producer_id, what }),
        _ => Ok(None),
    };
    batches.iter().map(control).collect()
}

/// The record of a control batch.
pub(crate) fn control_record(bytes: Bytes) -> Result<ControlRecord, String> {
    let batch = RecordBatch::parse(bytes).map_err(|error| error.to_string())?;
    let records = batch
        .records(DecompressLimit::default())
        .map_err(|error| error.to_string())?;
    match records.iter().next() {
        Some(Ok(record)) => ControlRecord::parse(&record)
            .ok_or_else(|| "its key is not one of a control record".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it has no record".to_owned()),
    }
}

/// Gives the batches their offsets, epoch and, if the topic says so, time.
fn assign(
    env: &impl Env,
    batches: ValidatedBatches,
    config: &LogConfig,
    log_end_offset: Offset,
    leader_epoch: LeaderEpoch,
) -> Result<Assigned, AppendError> {
    let mut headers: Vec<BatchHeader> = batches.headers().copied().collect();
    let mut next_offset = log_end_offset;
    for header in &mut headers {
        header.base_offset = next_offset;
        header.leader_epoch = leader_epoch;
        next_offset = next_offset
            .checked_add(i64::from(header.last_offset_delta) + 1)
            .ok_or(AppendError::OffsetsExhausted { log_end_offset })?;
    }
    let mut bytes = batches.into_bytes();
    let mut log_append_time_ms = None;
    if config.message_timestamp_type == TimestampType::LogAppendTime {
        let is_stamped = |header: &BatchHeader| {
            header.attributes.timestamp_type() == TimestampType::LogAppendTime
        };
        if !headers.iter().all(is_stamped) {
            bytes = stamp(bytes, &mut headers, env.wall_clock_ms());
        }
        log_append_time_ms = headers.last().map(|header| header.max_timestamp_ms);
    }
    Ok(Assigned {
        bytes,
        record_count: next_offset - log_end_offset,
        headers,
        log_append_time_ms,
    })
}

/// Puts the time into the batches, which changes what the CRC covers.
fn stamp(bytes: Bytes, headers: &mut [BatchHeader], now_ms: i64) -> Bytes {
    let mut bytes = bytes
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&*shared));
    let mut start = 0;
    for header in headers {
        let end = start + header.size_in_bytes();
        header.attributes = header
            .attributes
            .with_timestamp_type(TimestampType::LogAppendTime);
        header.max_timestamp_ms = now_ms;
        bytes[start + 21..start + 23].copy_from_slice(&header.attributes.bits().to_be_bytes());
        bytes[start + 35..start + 43].copy_from_slice(&now_ms.to_be_bytes());
        header.crc = crc32c(&bytes[start + CRC_START..end]);
        bytes[start + 17..start + 21].copy_from_slice(&header.crc.to_be_bytes());
        start = end;
    }
    bytes.freeze()
}

/// One write of all batches, and of `zeros` after them: for each batch the bytes that are patched, from the stack, and the rest from
/// where it is.
fn write_batches(
    file: &impl File,
    position: u64,
    assigned: &Assigned,
    zeros: &[u8],
) -> io::Result<()> {
    if let [header] = assigned.headers.as_slice() {
        let patched = patched(header);
        let parts = [
            IoSlice::new(&patched),
            IoSlice::new(&assigned.bytes[PATCHED_LEN..]),
            IoSlice::new(zeros),
        ];
        return file.write_vectored_at(&parts, position);
    }
    let patches: Vec<_> = assigned.headers.iter().map(patched).collect();
    let mut parts = Vec::with_capacity(2 * patches.len() + 1);
    let mut start = 0;
    for (header, patch) in assigned.headers.iter().zip(&patches) {
        let end = start + header.size_in_bytes();
        parts.push(IoSlice::new(patch));
        parts.push(IoSlice::new(&assigned.bytes[start + PATCHED_LEN..end]));
        start = end;
    }
    parts.push(IoSlice::new(zeros));
    file.write_vectored_at(&parts, position)
}

fn patched(header: &BatchHeader) -> [u8; PATCHED_LEN] {
    let mut out = [0; PATCHED_LEN];
    out[..8].copy_from_slice(&header.base_offset.get().to_be_bytes());
    out[8..12].copy_from_slice(&header.batch_length.to_be_bytes());
    out[12..].copy_from_slice(&header.leader_epoch.get().to_be_bytes());
    out
}

/// Takes written batches into the indexes; returns where the segment ends now.
fn index<E: Env>(
    segment: &Segment<E>,
    writer: &mut Writer,
    config: &LogConfig,
    headers: &[BatchHeader],
    mut position: u64,
) -> u64 {
    let head = &mut writer.head;
    // The head is prepared, so the greatest timestamp is known and nothing is read.
    let mut largest = segment.largest_timestamp(Phase::Active).unwrap_or_default();
    let before = largest;
    for header in headers {
        newer_of(&mut largest, header);
        if head.bytes_since_index > u64::from(config.index_interval_bytes) {
            let last_offset = header.last_offset();
            segment.offset_index.push(OffsetPosition {
                last_offset,
                position,
            });
            if let Some(largest) = largest
                && segment
                    .time_index
                    .push_if_newer(head.last_time_entry, largest)
            {
                head.last_time_entry = Some(largest);
            }
            head.bytes_since_index = 0;
        }
        let size = header.size_in_bytes() as u64;
        head.bytes_since_index += size;
        position += size;
        if head.first_timestamp_ms.is_none() && header.max_timestamp_ms >= 0 {
            head.first_timestamp_ms = Some(header.max_timestamp_ms);
        }
    }
    if largest != before {
        segment.set_largest_timestamp(Largest::Known(largest));
    }
    position
}

fn append_error(error: ChangeError) -> AppendError {
    match error {
        ChangeError::File(error) => error.into(),
        ChangeError::Read(error) => read_error(error),
        ChangeError::Poisoned(poisoned) => poisoned.into(),
        ChangeError::Closed | ChangeError::PastEnd { .. } => AppendError::Closed,
    }
}

fn read_error(error: ReadError) -> AppendError {
    match error {
        ReadError::File(error) => error.into(),
        other => AppendError::Unreadable(Box::new(other)),
    }
}
