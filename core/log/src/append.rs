//! Appends: assign offsets to batches, write them and make them readable.

mod assign;
mod parts;

use headwater_env::Env;
use headwater_record::{LeaderEpoch, ValidatedBatches};

use crate::active_segment::IncomingBatches;
use crate::append_lock::AppendLock;
use crate::config::LogConfig;
use crate::control_records::push_control_records;
use crate::error::{AppendError, ChangeError, ReadError};
use crate::log_state::LogState;
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::producer_state::{BatchTrace, Check, CheckResult};
use crate::types::Appended;
use assign::FinalRequests;
use parts::{parts, patches};

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
        let config = self.state().config();
        let mut controls = Vec::with_capacity(run.len());
        for batches in run {
            check_sizes(batches, &config)?;
            push_control_records(batches, &mut controls)?;
        }
        let mut lock = self.begin_change().map_err(append_error)?;
        let log = lock.log();
        let log_end_offset = log.log_end_offset();
        let assigned = FinalRequests::new(log.env(), run, &config, log_end_offset, leader_epoch)?;
        let headers = assigned.headers.iter().copied().zip(controls);
        let changes = match lock.producers().check(headers, sequences())? {
            CheckResult::InOrder(changes) => changes,
            CheckResult::Duplicate(trace) => return Err(Obstacle::Repeated(trace)),
        };
        check_epoch(log.epochs().latest(), leader_epoch)?;
        lock.prepare_active(&config, &assigned)?;
        if log.epochs().latest() != Some(leader_epoch) {
            log.change_epochs(|epochs| epochs.assign(leader_epoch, log_end_offset))?;
        }
        lock.write(&assigned)?;
        let aborted = lock.producers_mut().apply(changes);
        lock.publish_first_unstable();
        let size = lock.active_mut().add(&assigned.headers, aborted, &config);
        lock.publish(|view| view.append(assigned.next_offset(), size));
        Ok(appended(log, &config, &assigned))
    }

    fn already_appended(&self, trace: BatchTrace) -> Appended {
        let log = self.state();
        let unflushed = trace.last_offset + 1 - log.flusher().durable_end();
        Appended {
            base_offset: trace.base_offset(),
            last_offset: trace.last_offset,
            log_append_time_ms: None,
            log_start_offset: log.view().log_start_offset(),
            duplicate: true,
            flush_required: unflushed >= 0 && unflushed as u64 >= log.config().flush_messages,
        }
    }
}

impl<E: Env> AppendLock<'_, E> {
    /// Rolls the active segment if the batches do not fit. The batches of several requests never roll a segment.
    fn prepare_active(
        &mut self,
        config: &LogConfig,
        assigned: &FinalRequests,
    ) -> Result<(), Obstacle> {
        self.active_mut().prepare().map_err(read_error)?;
        let incoming = IncomingBatches {
            size: assigned.size_in_bytes(),
            index_entries: assigned.headers.len(),
            last_offset: assigned.next_offset() - 1,
            max_timestamp_ms: assigned.max_timestamp_ms(),
        };
        let is_due = self.active().must_roll_before(incoming, config);
        // The first request of a segment is appended alone, because its timestamp decides when the segment rolls.
        if (is_due || self.active().is_without_timestamp()) && assigned.requests.len() > 1 {
            return Err(Obstacle::SegmentEnds);
        }
        if is_due {
            self.roll().map_err(append_error)?;
        }
        self.active_mut().mend_tail()?;
        Ok(())
    }

    /// Writes the batches at the end of the active segment. After an error the segment ends at the same position as
    /// before.
    fn write(&mut self, assigned: &FinalRequests) -> Result<(), AppendError> {
        let file = self.active().segment().file().open()?;
        self.check_file(&file)?;
        self.note_change();
        let patches = patches(assigned);
        let parts = parts(assigned, &patches);
        let active = self.active_mut();
        Ok(active.write(&file, parts, assigned.size_in_bytes())?)
    }
}

fn appended<E: Env>(
    log: &LogState<E>,
    config: &LogConfig,
    assigned: &FinalRequests,
) -> Vec<Appended> {
    let unflushed = assigned.next_offset() - log.flusher().durable_end();
    let flush_required = unflushed as u64 >= config.flush_messages;
    let log_start_offset = log.view().log_start_offset();
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

fn check_epoch(current: Option<LeaderEpoch>, leader_epoch: LeaderEpoch) -> Result<(), AppendError> {
    match current {
        Some(current) if current > leader_epoch => Err(AppendError::StaleLeaderEpoch {
            leader_epoch,
            current,
        }),
        _ => Ok(()),
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
