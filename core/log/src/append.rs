//! Appends: assign offsets to batches, write them and make them readable.

mod assign;
mod index;
mod write;

use bytes::Bytes;
use headwater_env::Env;
use headwater_record::{
    ControlRecord, DecompressLimit, LeaderEpoch, Offset, RecordBatch, ValidatedBatches,
};

use crate::config::LogConfig;
use crate::error::{AppendError, ChangeError, ReadError};
use crate::file_name::FileKind;
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_state::{BatchTrace, Check, CheckResult};
use crate::roll::{self, IncomingBatches};
use crate::types::Appended;
use assign::FinalRequests;
use index::index;
use write::write_batches;

/// Why requests were not appended. In each case nothing was written.
enum Obstacle {
    /// A batch repeats one that its producer has sent before.
    Repeated(BatchTrace),
    /// The requests do not fit into the active segment together, or there is no active segment with records yet.
    SegmentEnds,
    /// One of the requests is invalid, or the log cannot be written now.
    Error(AppendError),
}

impl<T: Into<AppendError>> From<T> for Obstacle {
    fn from(error: T) -> Self {
        Self::Error(error.into())
    }
}

impl<E: Env> PartitionLog<E> {
    /// Appends batches of a producer and returns when they can be read. Assigns the offsets and the leader epoch.
    /// Appends all batches or, on an error, none. They are durable only after [`wait_flushed`](Self::wait_flushed); if
    /// [`Appended::flush_required`] is set, call it before the acknowledgement.
    pub fn append_as_leader(
        &self,
        batches: ValidatedBatches,
        leader_epoch: LeaderEpoch,
    ) -> Result<Appended, AppendError> {
        match self.append(&[batches], leader_epoch) {
            Ok(mut appended) => Ok(appended.remove(0)),
            Err(Obstacle::Repeated(trace)) => Ok(self.already_appended(trace)),
            Err(Obstacle::Error(error)) => Err(error),
            Err(Obstacle::SegmentEnds) => unreachable!("a single request may roll the segment"),
        }
    }

    /// Appends the batches of several requests with one write, with the result of
    /// [`append_as_leader`](Self::append_as_leader) for each in turn.
    ///
    /// Returns `None`, and has appended nothing, if the requests do not go together: one of them is invalid or a
    /// repeat, or they do not fit into the active segment. Then append each alone to get its result.
    pub fn append_together_as_leader(
        &self,
        run: &[ValidatedBatches],
        leader_epoch: LeaderEpoch,
    ) -> Option<Vec<Appended>> {
        self.append(run, leader_epoch).ok()
    }

    /// Appends one or more requests, all or none.
    fn append(
        &self,
        run: &[ValidatedBatches],
        leader_epoch: LeaderEpoch,
    ) -> Result<Vec<Appended>, Obstacle> {
        let config = self.config_now();
        let mut controls = Vec::with_capacity(run.len());
        for batches in run {
            check_sizes(batches, &config)?;
            push_controls(batches, &mut controls)?;
        }
        let mut writer = self.writer.lock();
        self.begin_change(&mut writer).map_err(append_error)?;
        let log_end_offset = self.log_end_offset();
        let assigned = FinalRequests::new(&self.env, run, &config, log_end_offset, leader_epoch)?;
        let headers = assigned.headers.iter().copied().zip(controls);
        let pending = match writer.producers.check(headers, sequences())? {
            CheckResult::InOrder(pending) => pending,
            CheckResult::Duplicate(trace) => return Err(Obstacle::Repeated(trace)),
        };
        self.check_epoch(leader_epoch)?;
        self.make_room(&mut writer, &config, &assigned)?;
        if self.latest_leader_epoch() != Some(leader_epoch) {
            self.change_epochs(|epochs| epochs.assign(leader_epoch, log_end_offset))?;
        }
        self.write(&mut writer, &assigned)?;
        let aborted = writer.producers.apply(pending);
        self.publish_first_unstable(&writer);
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
        self.publish(|view| {
            view.log_end_offset = assigned.next_offset();
            view.active_size = size;
        });
        Ok(self.appended(&config, &assigned, view.log_start_offset))
    }

    fn appended(
        &self,
        config: &LogConfig,
        assigned: &FinalRequests,
        log_start_offset: Offset,
    ) -> Vec<Appended> {
        let unflushed = assigned.next_offset() - self.flusher.durable_end();
        let flush_required = unflushed as u64 >= config.flush_messages;
        let requests = assigned.requests.iter();
        let appended = requests.map(|request| Appended {
            base_offset: request.base_offset,
            last_offset: request.next_offset - 1,
            log_append_time_ms: request.log_append_time_ms,
            log_start_offset,
            duplicate: false,
            flush_required,
        });
        appended.collect()
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

    /// Rolls the active segment if the batches do not fit. The batches of several requests never roll a segment.
    fn make_room(
        &self,
        writer: &mut Writer,
        config: &LogConfig,
        assigned: &FinalRequests,
    ) -> Result<(), Obstacle> {
        self.prepare_head(writer).map_err(read_error)?;
        let incoming = IncomingBatches {
            size: assigned.size_in_bytes(),
            index_entries: assigned.headers.len(),
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
        // The first request of a segment is appended alone, because its timestamp decides when the segment rolls.
        let is_new = writer.head.first_timestamp_ms.is_none();
        if (is_due || is_new) && assigned.requests.len() > 1 {
            return Err(Obstacle::SegmentEnds);
        }
        if is_due {
            self.roll_segment(writer).map_err(append_error)?;
        }
        self.mend_tail(writer)?;
        Ok(())
    }

    /// Writes the batches at the end of the active segment. After an error the segment ends at the same position as
    /// before.
    fn write(&self, writer: &mut Writer, assigned: &FinalRequests) -> Result<(), AppendError> {
        let view = self.view();
        let segment = view.segments.active();
        let file = segment.file()?;
        self.check_file(writer, &view, &file)?;
        writer.is_changed = true;
        let position = view.active_size;
        let end = position + assigned.size_in_bytes();
        let zeros = writer.head.room.zeros_after::<E>(position, end);
        // Even after an error, some of the bytes may be in the file.
        writer.head.room.reaches(end + zeros);
        let written = match write_batches(&*file, position, assigned, zeros) {
            // A nearly full disk may have space for the batches without padding.
            Err(_) if zeros > 0 => write_batches(&*file, position, assigned, 0),
            written => written,
        };
        segment.note_written(&file);
        if let Err(source) = written {
            let error = segment.error("write", FileKind::Log, source);
            writer.head.has_dirty_tail = true;
            if let Err(error) = self.mend_tail(writer) {
                tracing::warn!(%error, "bytes of a failed append remain after the end of the log; the next append overwrites them");
            }
            return Err(error.into());
        }
        Ok(())
    }
}

fn sequences() -> Check {
    if mutants::is_active(Mutant::SkipSequenceCheck) {
        Check::Nothing
    } else {
        Check::Sequences
    }
}

/// Checks that each batch is within `max.message.bytes`, and that all of them fit in a segment.
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

/// Adds the control record of each control batch.
fn push_controls(
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
