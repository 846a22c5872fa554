//! A program with an open log.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use headwater_env::{Env, SimEnv};
use headwater_log::{
    AppendError, Appended, ChangeError, CheckpointKind, DataDirectory, FirstBatch, FlushError,
    LogConfig, OpenState, PartitionLog, RecoveryReport,
};
use headwater_record::{
    BatchBuilder, BatchOptions, LeaderEpoch, Offset, ProducerEpoch, ProducerId, ProducerState,
    ValidationRules, validate,
};

use crate::script::Step;

/// The path of the data directory.
pub const DATA: &str = "data";
/// The path of the only partition.
pub const PARTITION: &str = "data/flights-0";

/// The reason why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The disk is full; the step may succeed later.
    DiskFull(String),
    /// The partition is read-only.
    Poisoned(String),
    /// Another reason.
    Other(String),
}

impl Failure {
    fn other(error: impl fmt::Display) -> Failure {
        Failure::Other(error.to_string())
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Failure {
        match error {
            AppendError::DiskFull(_) => Failure::DiskFull(error.to_string()),
            AppendError::Poisoned(_) => Failure::Poisoned(error.to_string()),
            error => Failure::other(error),
        }
    }
}

impl From<FlushError> for Failure {
    fn from(error: FlushError) -> Failure {
        match error {
            FlushError::Poisoned(error) => Failure::Poisoned(error.to_string()),
            FlushError::File(_) => Failure::other(error),
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Failure {
        match error {
            ChangeError::Poisoned(_) => Failure::Poisoned(error.to_string()),
            ChangeError::File(ref file) if file.is_disk_full() => {
                Failure::DiskFull(error.to_string())
            }
            error => Failure::other(error),
        }
    }
}

/// The result of a successful step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepResult {
    /// The appended values, and the offset of the first.
    pub appended: Option<(i64, Vec<Vec<u8>>)>,
    /// Records before this offset were acknowledged as durable.
    pub durable_to: Option<i64>,
    /// The log start that was acknowledged as durable.
    pub durable_start: Option<i64>,
    /// The log start offset.
    pub log_start: i64,
    /// The log end offset.
    pub log_end: i64,
}

/// An open log and its data directory, on a simulated machine.
#[derive(Debug)]
pub struct Session {
    /// The machine.
    pub env: SimEnv,
    /// The log.
    pub log: PartitionLog<SimEnv>,
    /// The report of opening it.
    pub report: RecoveryReport,
    directory: DataDirectory<SimEnv>,
    producer: Producer,
}

/// The state of the one idempotent producer.
#[derive(Debug, Clone, Copy)]
struct Producer {
    epoch: i16,
    next_sequence: i32,
}

const PRODUCER_ID: i64 = 7;
const LEADER_EPOCH: LeaderEpoch = LeaderEpoch::new(3);

/// Limits so small that a few appends roll segments, write index entries and trigger retention.
pub fn config(flush_each: bool) -> LogConfig {
    LogConfig {
        segment_bytes: 1024,
        segment_ms: 60,
        index_interval_bytes: 150,
        segment_index_bytes: 64,
        retention_bytes: Some(4000),
        retention_ms: None,
        file_delete_delay_ms: 20,
        flush_messages: if flush_each { 1 } else { u64::MAX },
        ..LogConfig::default()
    }
}

impl Session {
    /// Opens the log on the machine's disk, like a broker.
    pub fn open(env: &SimEnv, flush_each: bool) -> Result<Session, Failure> {
        let directory =
            DataDirectory::open(env.clone(), Path::new(DATA), 0).map_err(Failure::other)?;
        let checkpoint = |kind| {
            let offsets = directory.read_checkpoint(kind).map_err(Failure::other)?;
            Ok::<_, Failure>(offsets.get(&key()).copied().unwrap_or(Offset::ZERO))
        };
        let start = OpenState {
            clean_shutdown: directory.clean_shutdown(),
            same_boot: directory.same_boot(),
            recovery_point: checkpoint(CheckpointKind::RecoveryPoint)?,
            log_start_offset: checkpoint(CheckpointKind::LogStartOffset)?,
            cleaner_checkpoint: None,
            leader_epoch: None,
        };
        let path = directory.partition_path("flights", 0);
        let (log, report) = PartitionLog::open(env.clone(), &path, config(flush_each), start)
            .map_err(Failure::other)?;
        directory.note_boot().map_err(Failure::other)?;
        let producer = Producer {
            epoch: 0,
            next_sequence: 0,
        };
        let mut session = Session {
            env: env.clone(),
            log,
            report,
            directory,
            producer,
        };
        session.fence_producer();
        Ok(session)
    }

    /// Runs one step other than a restart.
    pub fn step(&mut self, step: &Step) -> Result<StepResult, Failure> {
        let mut outcome = StepResult::default();
        match step {
            Step::Append {
                values,
                idempotent,
                together,
            } => outcome = self.append(values, *idempotent, *together)?,
            Step::Flush => outcome.durable_to = Some(self.log.flush()?.get()),
            Step::Roll => self.log.roll()?,
            Step::DeleteRecords(percent) => {
                self.log.delete_records(self.at_percent(*percent))?;
            }
            Step::ApplyRetention => drop(self.log.apply_retention(self.env.wall_clock_ms())?),
            Step::DeleteOldest => drop(self.log.delete_oldest_segment(Offset::MAX)?),
            Step::DeleteDueFiles => drop(self.log.delete_due_files()?),
            Step::Truncate(percent) => {
                let target = self.batch_at(self.at_percent(100 - percent))?;
                // Durable records may not be durable any more, whether or not the truncation completes.
                self.write_checkpoint(
                    CheckpointKind::RecoveryPoint,
                    target.min(self.log.recovery_point()),
                )?;
                self.log.truncate_to(target)?;
                self.fence_producer();
            }
            Step::Checkpoint => outcome.durable_start = Some(self.write_checkpoints()?),
            Step::Wait(ms) => {
                self.env.advance(Duration::from_millis(*ms));
                self.log.roll_if_due(self.env.wall_clock_ms())?;
            }
            Step::Restart => return Err(Failure::Other("a restart ends the session".to_owned())),
        }
        Ok(self.outcome(outcome))
    }

    /// Sends a batch that was read from the log again, like its producer. Returns its offset, if the log recognises it.
    pub fn resend(&self, batch: &[u8]) -> Result<Option<i64>, Failure> {
        let mut batch = batch.to_vec();
        batch[..8].fill(0);
        let appended = self
            .log
            .append_as_leader(validated(batch.into())?, LEADER_EPOCH)?;
        Ok(appended.duplicate.then(|| appended.base_offset.get()))
    }

    /// Closes in order.
    pub fn close(&self) -> Result<(), Failure> {
        self.log.close()?;
        self.write_checkpoints()?;
        self.directory.mark_clean_shutdown().map_err(Failure::other)
    }

    fn append(
        &mut self,
        values: &[Vec<u8>],
        idempotent: bool,
        together: bool,
    ) -> Result<StepResult, Failure> {
        let producer = idempotent.then_some(self.producer);
        let run = together.then(|| self.append_each(values, producer));
        let (first, last) = if let Some(ends) = run.transpose()?.flatten() {
            ends
        } else {
            let batch = validated(batch_of(values, producer))?;
            let appended = self.log.append_as_leader(batch, LEADER_EPOCH)?;
            (appended, appended)
        };
        if idempotent {
            self.producer.next_sequence += values.len() as i32;
        }
        let mut outcome = StepResult::default();
        if last.flush_required {
            self.log.wait_flushed(last.next_offset())?;
            outcome.durable_to = Some(last.next_offset().get());
        }
        outcome.appended = Some((first.base_offset.get(), values.to_vec()));
        Ok(outcome)
    }

    /// Appends each value as a separate request, all together. Returns the first and the last result, if they go
    /// together.
    fn append_each(
        &self,
        values: &[Vec<u8>],
        producer: Option<Producer>,
    ) -> Result<Option<(Appended, Appended)>, Failure> {
        let request = |(number, value): (usize, &Vec<u8>)| {
            let producer = producer.map(|producer| Producer {
                next_sequence: producer.next_sequence + number as i32,
                ..producer
            });
            validated(batch_of(std::slice::from_ref(value), producer))
        };
        let run: Vec<_> = values
            .iter()
            .enumerate()
            .map(request)
            .collect::<Result<_, _>>()?;
        let appended = self.log.append_together_as_leader(&run, LEADER_EPOCH);
        Ok(appended.map(|appended| (appended[0], appended[appended.len() - 1])))
    }

    /// Starts a new producer epoch: after a truncation, a crash or an error it is unknown to the producer which
    /// batches were written.
    pub fn fence_producer(&mut self) {
        let known = self
            .log
            .active_producers()
            .into_iter()
            .map(|producer| producer.producer_epoch.get())
            .max();
        let epoch = known.map_or(0, |epoch| epoch + 1).max(self.producer.epoch);
        self.producer = Producer {
            epoch,
            next_sequence: 0,
        };
    }

    fn write_checkpoints(&self) -> Result<i64, Failure> {
        let log_start = self.log.log_start_offset();
        self.write_checkpoint(CheckpointKind::RecoveryPoint, self.log.recovery_point())?;
        self.write_checkpoint(CheckpointKind::LogStartOffset, log_start)?;
        Ok(log_start.get())
    }

    fn write_checkpoint(&self, kind: CheckpointKind, offset: Offset) -> Result<(), Failure> {
        self.directory
            .write_checkpoint(kind, &[(key(), offset)].into())
            .map_err(Failure::other)
    }

    /// The base offset of the batch that contains an offset; truncation removes whole batches.
    pub(crate) fn batch_at(&self, offset: Offset) -> Result<Offset, Failure> {
        let read = self
            .log
            .read(offset, self.log.log_end_offset(), 1, FirstBatch::Whole)
            .map_err(Failure::other)?;
        Ok(read.start)
    }

    pub(crate) fn at_percent(&self, percent: u64) -> Offset {
        let (start, end) = (self.log.log_start_offset(), self.log.log_end_offset());
        start + (end - start) * percent as i64 / 100
    }

    pub(crate) fn outcome(&self, outcome: StepResult) -> StepResult {
        StepResult {
            log_start: self.log.log_start_offset().get(),
            log_end: self.log.log_end_offset().get(),
            ..outcome
        }
    }
}

fn key() -> (String, i32) {
    ("flights".to_owned(), 0)
}

/// The timestamp of a value: out of order, so that lookups by timestamp differ from lookups by offset.
pub fn timestamp_of(value: &[u8]) -> i64 {
    1_704_067_200_000
        + value
            .iter()
            .fold(0, |sum: i64, &byte| (sum * 31 + i64::from(byte)) % 997)
}

fn validated(batch: Bytes) -> Result<headwater_record::ValidatedBatches, Failure> {
    validate(batch, &ValidationRules::default()).map_err(Failure::other)
}

fn batch_of(values: &[Vec<u8>], producer: Option<Producer>) -> Bytes {
    let producer = producer.map(|producer| ProducerState {
        id: ProducerId::new(PRODUCER_ID),
        epoch: ProducerEpoch::new(producer.epoch),
        base_sequence: producer.next_sequence,
    });
    let mut builder = BatchBuilder::new(BatchOptions {
        producer,
        ..BatchOptions::default()
    });
    for value in values {
        builder
            .try_append(timestamp_of(value), None, Some(value), &[])
            .expect("a few small records fit in a batch");
    }
    builder.finish().expect("a batch has records")
}
