//! Support for the tests of the log: small logs, batches, and reading everything back.

pub mod compacted;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use headwater_env::Env;
use headwater_log::{
    AppendError, Appended, FirstBatch, LogConfig, OpenState, PartitionLog, RecoveryReport,
};
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchOptions, Compression, DecompressLimit, LeaderEpoch, Offset,
    ProducerEpoch, ProducerId, ProducerState, ValidatedBatches, ValidationRules, batches, validate,
};

pub const DIR: &str = "/data/flights-0";

/// Limits so small that every test rolls segments.
pub fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        index_interval_bytes: 150,
        retention_ms: None,
        ..LogConfig::default()
    }
}

pub fn offset(offset: i64) -> Offset {
    Offset::new(offset)
}

pub fn epoch(epoch: i32) -> LeaderEpoch {
    LeaderEpoch::new(epoch)
}

pub fn open<E: Env>(env: &E, config: LogConfig) -> PartitionLog<E> {
    open_with(env, config, OpenState::UNKNOWN).0
}

pub fn open_with<E: Env>(
    env: &E,
    config: LogConfig,
    start: OpenState,
) -> (PartitionLog<E>, RecoveryReport) {
    PartitionLog::open(env.clone(), Path::new(DIR), config, start).expect("the log opens")
}

/// Closes in order and opens again.
pub fn reopen_clean<E: Env>(
    env: &E,
    log: PartitionLog<E>,
    config: LogConfig,
) -> (PartitionLog<E>, RecoveryReport) {
    let start = OpenState {
        clean_shutdown: true,
        recovery_point: log.close().expect("the log closes"),
        log_start_offset: log.log_start_offset(),
        ..OpenState::UNKNOWN
    };
    drop(log);
    open_with(env, config, start)
}

/// One batch with these timestamps and values.
pub fn batch_with(options: BatchOptions, records: &[(i64, Vec<u8>)]) -> ValidatedBatches {
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity: 1 << 20,
        ..options
    });
    for (timestamp_ms, value) in records {
        builder
            .try_append(*timestamp_ms, None, Some(value), &[])
            .expect("the record fits");
    }
    checked(builder.finish().expect("there are records"))
}

pub fn checked(bytes: Bytes) -> ValidatedBatches {
    let rules = ValidationRules {
        origin: AppendOrigin::Coordinator,
        ..ValidationRules::default()
    };
    validate(bytes, &rules).expect("the batch is valid")
}

/// One batch of records, each with one of these timestamps.
pub fn batch(timestamps: &[i64]) -> ValidatedBatches {
    let records: Vec<_> = timestamps
        .iter()
        .map(|timestamp_ms| {
            (
                *timestamp_ms,
                format!("value at {timestamp_ms}").into_bytes(),
            )
        })
        .collect();
    batch_with(BatchOptions::default(), &records)
}

pub fn compressed(timestamps: &[i64]) -> ValidatedBatches {
    let records: Vec<_> = timestamps
        .iter()
        .map(|timestamp_ms| (*timestamp_ms, vec![7; 40]))
        .collect();
    let options = BatchOptions {
        compression: Compression::Lz4,
        ..BatchOptions::default()
    };
    batch_with(options, &records)
}

/// One batch of an idempotent producer.
pub fn produced(
    producer: i64,
    producer_epoch: i16,
    base_sequence: i32,
    records: usize,
) -> ValidatedBatches {
    let options = BatchOptions {
        producer: Some(ProducerState {
            id: ProducerId::new(producer),
            epoch: ProducerEpoch::new(producer_epoch),
            base_sequence,
        }),
        ..BatchOptions::default()
    };
    let records: Vec<_> = (0..records)
        .map(|number| (1, vec![number as u8; 30]))
        .collect();
    batch_with(options, &records)
}

pub fn append<E: Env>(log: &PartitionLog<E>, batches: ValidatedBatches) -> Appended {
    try_append(log, batches).expect("the batch is appended")
}

pub fn try_append<E: Env>(
    log: &PartitionLog<E>,
    batches: ValidatedBatches,
) -> Result<Appended, AppendError> {
    log.append_as_leader(batches, epoch(0))
}

/// Appends batches of three records until the log has this many segments.
pub fn fill<E: Env>(log: &PartitionLog<E>, segments: usize) {
    while log.segments().len() < segments {
        let at = log.log_end_offset().get();
        append(log, batch(&[at, at + 1, at + 2]));
    }
}

/// The log files by base offset.
pub fn log_files<E: Env>(env: &E) -> BTreeMap<i64, Bytes> {
    let read = |name: String| {
        let base_offset = name.strip_suffix(".log")?.parse().ok()?;
        let bytes = env.read_file(&Path::new(DIR).join(&name)).ok()??;
        Some((base_offset, bytes))
    };
    files(env).into_iter().filter_map(read).collect()
}

/// Checks that this many segments were set aside, each with its original bytes.
pub fn assert_set_aside<E: Env>(
    env: &E,
    report: &RecoveryReport,
    before: &BTreeMap<i64, Bytes>,
    count: usize,
) {
    assert_eq!(report.set_aside.len(), count, "{report}");
    assert!(report.segments_removed.is_empty(), "{report}");
    let now = log_files(env);
    for aside in &report.set_aside {
        assert!(!now.contains_key(&aside.segment.get()), "{report}");
        let kept = env.read_file(&aside.path).expect("the disk is good");
        assert_eq!(kept.as_ref(), before.get(&aside.segment.get()), "{report}");
    }
}

/// All records from the start to the end: offset, timestamp, value. The CRC of each batch is checked.
pub fn read_all<E: Env>(log: &PartitionLog<E>) -> Vec<(i64, i64, Vec<u8>)> {
    read_from(log, log.log_start_offset(), 700)
}

pub fn read_from<E: Env>(
    log: &PartitionLog<E>,
    from: Offset,
    max_bytes: usize,
) -> Vec<(i64, i64, Vec<u8>)> {
    let end = log.log_end_offset();
    let mut next = from;
    let mut records = Vec::new();
    while next < end {
        let read = log
            .read(next, end, max_bytes, FirstBatch::Whole)
            .expect("the offset is in the log");
        let before = next;
        for batch in batches(&read.bytes) {
            let batch = batch.expect("the batch is whole");
            batch.verify_crc().expect("the batch is undamaged");
            let plain = batch
                .records(DecompressLimit::default())
                .expect("the records decompress");
            for record in &plain {
                let record = record.expect("the record is well formed");
                if record.offset >= from {
                    records.push((
                        record.offset.get(),
                        record.timestamp_ms,
                        record.value.unwrap_or_default().to_vec(),
                    ));
                }
            }
            next = batch.header().next_offset();
        }
        assert!(next > before, "each read gives at least one batch");
    }
    records
}

pub fn offsets<E: Env>(log: &PartitionLog<E>) -> Vec<i64> {
    read_all(log)
        .into_iter()
        .map(|(offset, _, _)| offset)
        .collect()
}

/// The names of the files in the partition's directory.
pub fn files<E: Env>(env: &E) -> Vec<String> {
    let entries = env
        .read_dir(Path::new(DIR))
        .expect("the directory is there");
    entries.into_iter().map(|entry| entry.name).collect()
}
