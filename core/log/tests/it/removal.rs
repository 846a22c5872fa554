//! Retention, deletion and truncation remove the right records, also with concurrent readers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::*;
use headwater_env::{MemoryEnv, RealEnv, SimEnv};
use headwater_log::{
    ChangeError, DeletionReason, FirstBatch, LogConfig, OpenState, PartitionLog, ReadError,
};
use headwater_record::{DecompressLimit, Offset, batches};
use proptest::prelude::*;

fn logs(env: &impl headwater_env::Env) -> usize {
    files(env)
        .iter()
        .filter(|name| name.ends_with(".log"))
        .count()
}

#[test]
fn expired_segments_are_removed_and_their_files_after_the_delay() {
    let env = SimEnv::new(1);
    let config = LogConfig {
        retention_ms: Some(1_000_000),
        ..small()
    };
    let log = open(&env, config);
    fill(&log, 4);
    let segments = log.segments();
    let newest = segments[1].max_timestamp_ms.unwrap();
    let gone = log.apply_retention(newest + 1_000_001).unwrap();
    assert_eq!(gone.len(), 2);
    assert!(
        gone.iter()
            .all(|segment| segment.reason == DeletionReason::RetentionTime)
    );
    assert_eq!(log.log_start_offset(), segments[2].base_offset);
    assert_eq!(logs(&env), 2);
    assert!(
        files(&env)
            .iter()
            .any(|name| name.ends_with(".log.deleted"))
    );
    assert_eq!(log.delete_due_files().unwrap(), 0);
    env.advance(Duration::from_mins(1));
    assert!(log.delete_due_files().unwrap() > 0);
    assert!(
        !files(&env).iter().any(|name| name.ends_with(".deleted")),
        "{:?}",
        files(&env)
    );
    assert_eq!(offsets(&log).first(), Some(&segments[2].base_offset.get()));
}

#[test]
fn a_log_with_only_expired_records_becomes_empty_and_continues() {
    let env = SimEnv::new(1);
    let config = LogConfig {
        retention_ms: Some(10),
        ..small()
    };
    let log = open(&env, config.clone());
    fill(&log, 3);
    let end = log.log_end_offset();
    assert_eq!(log.apply_retention(1_000_000).unwrap().len(), 3);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (end, end));
    assert!(
        log.apply_retention(1_000_000).unwrap().is_empty(),
        "an empty active segment stays"
    );
    append(&log, batch(&[2_000_000]));
    drop(log);
    assert_eq!(offsets(&open(&env, config)), [end.get()]);
}

#[test]
fn a_log_larger_than_retention_bytes_loses_its_oldest_segments() {
    let env = MemoryEnv::new();
    let config = LogConfig {
        retention_bytes: Some(2000),
        ..small()
    };
    let log = open(&env, config);
    fill(&log, 6);
    log.apply_retention(0).unwrap();
    let size = log.size_in_bytes();
    assert!((2000..3000).contains(&size), "{size} bytes are left");
}

#[test]
fn deleted_records_are_out_of_range_at_once_and_their_segments_go_with_retention() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 4);
    let second = log.segments()[1].base_offset;
    assert_eq!(log.delete_records(second + 1).unwrap(), second + 1);
    assert_eq!(
        log.delete_records(second).unwrap(),
        second + 1,
        "the start does not go back"
    );
    assert!(matches!(
        log.read(second, Offset::MAX, 100, FirstBatch::Whole),
        Err(ReadError::OutOfRange { .. })
    ));
    assert!(matches!(
        log.delete_records(offset(10_000)),
        Err(ChangeError::PastEnd { .. })
    ));
    let gone = log.apply_retention(0).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].reason, DeletionReason::BeforeLogStart);
    let end = log.log_end_offset();
    log.delete_records(end).unwrap();
    assert!(offsets(&log).is_empty());
    assert_eq!(append(&log, batch(&[1])).base_offset, end);
    log.close().unwrap();
    let start = OpenState {
        clean_shutdown: true,
        log_start_offset: end,
        ..OpenState::UNKNOWN
    };
    assert_eq!(offsets(&open_with(&env, small(), start).0), [end.get()]);
}

#[test]
fn a_reader_inside_a_deleted_segment_gets_data_or_out_of_range() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig {
        file_delete_delay_ms: 0,
        retention_bytes: Some(3000),
        ..small()
    };
    let path = directory.path().join("flights-0");
    let log = PartitionLog::open(RealEnv, &path, config, OpenState::UNKNOWN)
        .unwrap()
        .0;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut next = Offset::ZERO;
                let mut restarts = 0;
                while !done.load(Ordering::Relaxed) {
                    match log.read(next, Offset::MAX, 500, FirstBatch::Whole) {
                        Ok(read) => {
                            for batch in batches(&read.bytes) {
                                let batch = batch.unwrap();
                                batch.verify_crc().unwrap();
                                let header = batch.header();
                                assert!(header.base_offset <= next && next < header.next_offset());
                                next = header.next_offset();
                            }
                        }
                        Err(ReadError::OutOfRange {
                            log_start_offset, ..
                        }) => {
                            assert!(log_start_offset > next);
                            next = log_start_offset;
                            restarts += 1;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                restarts
            });
        }
        for number in 0..2000 {
            append(&log, batch(&[number, number]));
            if number % 20 == 0 {
                log.apply_retention(0).unwrap();
                log.delete_due_files().unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(log.log_start_offset() > offset(3000));
}

#[test]
fn truncation_takes_epochs_producers_and_indexes_with_it() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    log.append_as_leader(produced(9, 0, 0, 3), epoch(1))
        .unwrap();
    fill_epoch(&log, 2, 4);
    let second_epoch_end = log.log_end_offset();
    log.append_as_leader(produced(9, 0, 3, 3), epoch(3))
        .unwrap();
    fill_epoch(&log, 3, 6);
    log.flush().unwrap();
    assert_eq!(log.truncate_to(second_epoch_end).unwrap(), second_epoch_end);
    assert_eq!(log.log_end_offset(), second_epoch_end);
    assert_eq!(log.latest_leader_epoch(), Some(epoch(2)));
    assert_eq!(log.recovery_point(), second_epoch_end);
    assert_eq!(log.active_producers()[0].last_sequence, Some(2));
    let again = log
        .append_as_leader(produced(9, 0, 3, 3), epoch(4))
        .unwrap();
    assert!(!again.duplicate);
    assert_eq!(again.base_offset, second_epoch_end);
}

fn fill_epoch(log: &PartitionLog<MemoryEnv>, leader_epoch: i32, segments: usize) {
    while log.segments().len() < segments {
        log.append_as_leader(batch(&[1, 2]), epoch(leader_epoch))
            .unwrap();
    }
}

#[test]
fn truncation_inside_a_batch_takes_the_batch() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 2);
    assert_eq!(log.truncate_to(offset(4)).unwrap(), offset(3));
    assert_eq!(offsets(&log), [0, 1, 2]);
    assert_eq!(
        log.truncate_to(offset(100)).unwrap(),
        offset(3),
        "past the end nothing happens"
    );
}

#[test]
fn truncation_before_the_start_leaves_an_empty_log_there() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 4);
    log.delete_records(log.segments()[2].base_offset).unwrap();
    log.apply_retention(0).unwrap();
    assert_eq!(log.truncate_to(offset(2)).unwrap(), offset(2));
    assert_eq!(append(&log, batch(&[1])).base_offset, offset(2));
    assert_eq!(offsets(&log), [2]);
    drop(log);
    assert_eq!(offsets(&open(&env, small())), [2]);
}

#[derive(Debug, Clone)]
enum Change {
    Append(Vec<i64>),
    Roll,
    Truncate(u8),
    DeleteRecords(u8),
    Retain,
    DeleteOldest,
    Flush,
    Reopen,
    CloseAndReopen,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => prop::collection::vec(0..50_i64, 1..6).prop_map(Change::Append),
        1 => Just(Change::Roll),
        1 => any::<u8>().prop_map(Change::Truncate),
        1 => any::<u8>().prop_map(Change::DeleteRecords),
        1 => Just(Change::Retain),
        1 => Just(Change::DeleteOldest),
        1 => Just(Change::Flush),
        1 => Just(Change::Reopen),
        1 => Just(Change::CloseAndReopen),
    ]
}

fn between(log: &PartitionLog<MemoryEnv>, part: u8) -> Offset {
    let (start, end) = (log.log_start_offset().get(), log.log_end_offset().get());
    offset(start + (end - start) * i64::from(part) / 255)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model: each record's timestamp by its offset.
    #[test]
    fn any_changes_leave_what_a_model_has(changes in prop::collection::vec(change(), 1..60)) {
        let env = MemoryEnv::new();
        let config = LogConfig { retention_bytes: Some(2500), ..small() };
        let mut log = open(&env, config.clone());
        let mut model: std::collections::BTreeMap<i64, i64> = std::collections::BTreeMap::new();
        for change in changes {
            match change {
                Change::Append(times) => {
                    let base = append(&log, batch(&times)).base_offset.get();
                    model.extend((base..).zip(times));
                }
                Change::Roll => log.roll().unwrap(),
                Change::Truncate(part) => {
                    let end = log.truncate_to(between(&log, part)).unwrap();
                    model.retain(|offset, _| *offset < end.get());
                }
                Change::DeleteRecords(part) => { log.delete_records(between(&log, part)).unwrap(); }
                Change::Retain => { log.apply_retention(0).unwrap(); }
                Change::DeleteOldest => { log.delete_oldest_segment(Offset::MAX).unwrap(); }
                Change::Flush => { log.flush().unwrap(); }
                Change::Reopen | Change::CloseAndReopen => {
                    let clean_shutdown = matches!(change, Change::CloseAndReopen);
                    if clean_shutdown {
                        log.close().unwrap();
                    }
                    let start = OpenState {
                        clean_shutdown,
                        recovery_point: log.recovery_point(),
                        log_start_offset: log.log_start_offset(),
..OpenState::UNKNOWN
                    };
                    let (end, producers) = (log.log_end_offset(), log.active_producers());
                    let (opened, report) = open_with(&env, config.clone(), start);
                    log = opened;
                    prop_assert!(report.is_clean(), "{}", report);
                    prop_assert_eq!(log.log_end_offset(), end);
                    prop_assert_eq!(log.active_producers(), producers);
                }
            }
            model.retain(|offset, _| *offset >= log.log_start_offset().get());
            let found: Vec<_> = read_all(&log).into_iter().map(|(offset, time, _)| (offset, time)).collect();
            prop_assert_eq!(&found, &model.iter().map(|(offset, time)| (*offset, *time)).collect::<Vec<_>>());
        }
        for time in 0..50 {
            let found = log.offset_for_timestamp(time, DecompressLimit::default()).unwrap();
            let expected = model.iter().find(|(_, at)| **at >= time).map(|(offset, _)| *offset);
            prop_assert_eq!(found.map(|found| found.offset.get()), expected);
        }
    }
}
