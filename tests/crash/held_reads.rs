//! Bytes that a reader holds without a copy stay the same, whatever happens to the log.

use std::path::Path;

use bytes::Bytes;
use headwater_env::SimEnv;
use headwater_log::{Cleaning, CleanupPolicy, FirstBatch, LogConfig, OpenState, PartitionLog};
use headwater_record::{
    BatchBuilder, BatchOptions, LeaderEpoch, Offset, ValidationRules, validate,
};

const DIR: &str = "/data/flights-0";
/// Large enough that reads of it are mapped.
const VALUE_BYTES: usize = 40 << 10;

fn open(env: &SimEnv) -> PartitionLog<SimEnv> {
    let opened = PartitionLog::open(
        env.clone(),
        Path::new(DIR),
        LogConfig::default(),
        OpenState::UNKNOWN,
    );
    opened.expect("the log opens").0
}

fn append(log: &PartitionLog<SimEnv>, fill: u8) {
    append_keyed(log, None, fill);
}

fn append_keyed(log: &PartitionLog<SimEnv>, key: Option<&[u8]>, fill: u8) {
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity: 1 << 20,
        ..BatchOptions::default()
    });
    builder
        .try_append(0, key, Some(&vec![fill; VALUE_BYTES]), &[])
        .expect("the record fits");
    let bytes = builder.finish().expect("a record");
    let batches = validate(bytes, &ValidationRules::default()).expect("our own batch");
    log.append_as_leader(batches, LeaderEpoch::new(0))
        .expect("appended");
}

fn read(log: &PartitionLog<SimEnv>) -> Bytes {
    let read = log.read(
        Offset::ZERO,
        log.log_end_offset(),
        1 << 20,
        FirstBatch::Whole,
    );
    read.expect("read").bytes
}

#[test]
fn a_truncation_keeps_the_bytes_of_readers_and_survives_a_crash() {
    let env = SimEnv::new(1);
    let log = open(&env);
    (1..=4).for_each(|fill| append(&log, fill));
    let copied = read(&log);
    let held = read(&log);
    assert_eq!(copied, held);
    assert_eq!(
        log.truncate_to(Offset::new(2)).expect("cut"),
        Offset::new(2)
    );
    append(&log, 9);
    assert_eq!(held, copied, "the bytes of the reader did not change");
    let after = read(&log);
    assert_eq!(after[..copied.len() / 2], copied[..copied.len() / 2]);
    assert_eq!(after[after.len() - 2], 9);
    log.flush().expect("flushed");
    drop((log, held));
    assert_eq!(read(&open(&env.after_power_cut(7))), after);
}

#[test]
fn a_compaction_keeps_the_bytes_of_readers() {
    let env = SimEnv::new(2);
    let config = LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        ..LogConfig::default()
    };
    let (log, _) =
        PartitionLog::open(env, Path::new(DIR), config, OpenState::UNKNOWN).expect("the log opens");
    for fill in 1..=4 {
        append_keyed(&log, Some(b"the only key"), fill);
    }
    log.roll().expect("rolled");
    log.flush().expect("flushed");
    let copied = read(&log);
    let held = read(&log);
    assert_eq!(copied, held);
    let cleaned = log.clean(Cleaning {
        last_stable_offset: log.log_end_offset(),
        checkpointed: log.recovery_point(),
        now_wall_ms: 0,
        dedupe_buffer_bytes: 1 << 20,
        is_stopped: &|| false,
    });
    assert!(cleaned.expect("cleaned").is_some());
    assert_eq!(held, copied, "the bytes of the reader did not change");
    let after = read(&log);
    assert_eq!(
        after,
        copied.slice(copied.len() / 4 * 3..),
        "only the last record is left"
    );
}
