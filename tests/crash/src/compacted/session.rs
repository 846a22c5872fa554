//! A program with an open compacted log.

use std::path::Path;
use std::time::Duration;

use headwater_env::{Env, SimEnv};
use headwater_log::{
    AppendError, ChangeError, CheckpointKind, CleanError, Cleaning, CleanupPolicy, DataDirectory,
    FlushError, LogConfig, OpenState, PartitionLog, ReadError, RecoveryReport,
};
use headwater_record::{
    BatchBuilder, BatchOptions, Compression, LeaderEpoch, Offset, ProducerEpoch, ProducerId,
    ProducerState, ValidationRules, validate,
};

use super::script::{KeyedValue, Step};
use crate::session::DATA;

const PRODUCER_ID: i64 = 7;
/// The memory of a cleaning's map for a key. A tenth of it stays free.
const KEY_BYTES: usize = 24;
const LEADER_EPOCH: LeaderEpoch = LeaderEpoch::new(3);

/// The result of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepResult {
    /// Records at consecutive offsets, from the first of these.
    pub appended: Option<(i64, Vec<KeyedValue>)>,
    /// Records before this offset were acknowledged as durable.
    pub durable_to: Option<i64>,
    /// Before this offset each key has one record from now on.
    pub cleaned_to: Option<i64>,
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
    producer_epoch: i16,
    next_sequence: i32,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 800,
        index_interval_bytes: 150,
        cleanup_policy: CleanupPolicy::COMPACT,
        delete_retention_ms: 30,
        min_cleanable_dirty_ratio: 0.0,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    }
}

fn key() -> (String, i32) {
    ("flights".to_owned(), 0)
}

impl Session {
    /// Opens the log on the machine's disk, like a broker. The error is a description.
    pub fn open(env: &SimEnv) -> Result<Session, String> {
        let directory = DataDirectory::open(env.clone(), Path::new(DATA), 0)
            .map_err(|error| error.to_string())?;
        let checkpoint = |kind| {
            let offsets = directory.read_checkpoint(kind);
            let offsets = offsets.map_err(|error| error.to_string())?;
            Ok::<_, String>(offsets.get(&key()).copied())
        };
        let start = OpenState {
            clean_shutdown: directory.clean_shutdown(),
            same_boot: directory.same_boot(),
            recovery_point: checkpoint(CheckpointKind::RecoveryPoint)?.unwrap_or(Offset::ZERO),
            log_start_offset: Offset::ZERO,
            cleaner_checkpoint: checkpoint(CheckpointKind::Cleaner)?,
            leader_epoch: None,
        };
        let path = directory.partition_path("flights", 0);
        let (log, report) = PartitionLog::open(env.clone(), &path, config(), start)
            .map_err(|error| error.to_string())?;
        directory.note_boot().map_err(|error| error.to_string())?;
        let known = log.active_producers().into_iter().next();
        Ok(Session {
            env: env.clone(),
            producer_epoch: known.map_or(0, |producer| producer.producer_epoch.get() + 1),
            next_sequence: 0,
            log,
            report,
            directory,
        })
    }

    /// Runs one step other than a restart.
    pub fn step(&mut self, step: &Step) -> Result<StepResult, Failure> {
        let mut outcome = StepResult::default();
        match step {
            Step::Append {
                records,
                idempotent,
            } => {
                let base = self.append(records, *idempotent)?;
                outcome.appended = Some((base, records.clone()));
            }
            Step::Flush => outcome.durable_to = Some(self.log.flush()?.get()),
            Step::Roll => self.log.roll()?,
            Step::Clean => outcome.cleaned_to = self.clean(1 << 20)?,
            Step::CleanKeys(keys) => outcome.cleaned_to = self.clean((keys + 1) * KEY_BYTES)?,
            Step::Checkpoint => self.write_checkpoints()?,
            Step::Wait(ms) => self.env.advance(Duration::from_millis(*ms)),
            Step::Restart => return Err(Failure("a restart ends the session".to_owned())),
        }
        Ok(outcome)
    }

    /// Closes in order.
    pub fn close(&self) -> Result<(), Failure> {
        self.log.close()?;
        self.write_checkpoints()?;
        let marked = self.directory.mark_clean_shutdown();
        marked.map_err(|error| Failure(error.to_string()))
    }

    /// Sends a batch that was read from the log again, like its producer. Returns its offset, if the log recognises it.
    pub fn resend(&self, batch: &[u8]) -> Result<Option<i64>, Failure> {
        let mut batch = batch.to_vec();
        batch[..8].fill(0);
        let valid = validate(batch.into(), &ValidationRules::default())
            .map_err(|error| Failure(error.to_string()))?;
        let appended = self.log.append_as_leader(valid, LEADER_EPOCH)?;
        Ok(appended.duplicate.then(|| appended.base_offset.get()))
    }

    fn clean(&self, dedupe_buffer_bytes: usize) -> Result<Option<i64>, Failure> {
        let (end, now_ms) = (self.log.log_end_offset(), self.env.wall_clock_ms());
        if self.log.cleanable(end, now_ms)?.is_none() {
            return Ok(None);
        }
        self.log.prepare_cleaning();
        let checkpointed = self.log.recovery_point();
        self.write_checkpoints()?;
        let cleaned = self.log.clean(Cleaning {
            last_stable_offset: end,
            checkpointed,
            now_wall_ms: now_ms,
            dedupe_buffer_bytes,
            is_stopped: &|| false,
        })?;
        Ok(cleaned.map(|cleaned| cleaned.first_dirty_offset.get()))
    }

    fn append(&mut self, records: &[KeyedValue], idempotent: bool) -> Result<i64, Failure> {
        let producer = idempotent.then(|| ProducerState {
            id: ProducerId::new(PRODUCER_ID),
            epoch: ProducerEpoch::new(self.producer_epoch),
            base_sequence: self.next_sequence,
        });
        let mut builder = BatchBuilder::new(BatchOptions {
            producer,
            compression: if records.len() > 2 {
                Compression::Lz4
            } else {
                Compression::None
            },
            ..BatchOptions::default()
        });
        for (key, value) in records {
            let appended = builder.try_append(
                self.env.wall_clock_ms(),
                Some(&[*key]),
                value.as_deref(),
                &[],
            );
            appended.expect("a few small records fit in a batch");
        }
        let bytes = builder.finish().expect("a batch has records");
        let valid = validate(bytes, &ValidationRules::default()).expect("our own batch");
        let appended = self.log.append_as_leader(valid, LEADER_EPOCH)?;
        if idempotent {
            self.next_sequence += records.len() as i32;
        }
        Ok(appended.base_offset.get())
    }

    fn write_checkpoints(&self) -> Result<(), Failure> {
        self.write_checkpoint(
            CheckpointKind::RecoveryPoint,
            Some(self.log.recovery_point()),
        )?;
        self.write_checkpoint(CheckpointKind::Cleaner, self.log.cleaner_checkpoint())
    }

    fn write_checkpoint(
        &self,
        kind: CheckpointKind,
        offset: Option<Offset>,
    ) -> Result<(), Failure> {
        let offsets = offset.map(|offset| (key(), offset)).into_iter().collect();
        self.directory
            .write_checkpoint(kind, &offsets)
            .map_err(|error| Failure(error.to_string()))
    }
}

/// A description of why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

macro_rules! failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure(error.to_string())
            }
        }
    )*};
}
failures!(AppendError, ChangeError, CleanError, FlushError, ReadError);
