//! Flushed records are durable, callers share an fsync, and a failed fsync ends all writing.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::*;
use headwater_env::{Fault, Operation, RealEnv, SimEnv, Times};
use headwater_log::{AppendError, ChangeError, FlushError, LogConfig, OpenState, PartitionLog};

fn fault(operation: Operation, nth: u64, error: ErrorKind) -> Fault {
    Fault {
        operation,
        nth,
        times: Times::Once,
        error,
    }
}

#[test]
fn a_failed_fsync_makes_the_partition_read_only_until_it_is_opened_again() {
    let env = SimEnv::new(3);
    let log = open(&env, small());
    fill(&log, 2);
    let durable = log.flush().unwrap();
    append(&log, batch(&[1]));
    env.inject(fault(Operation::Sync, 0, ErrorKind::Other));
    let end = log.log_end_offset();
    assert!(matches!(
        log.wait_flushed(end),
        Err(FlushError::Poisoned(_))
    ));
    // The disk works again, but the log must not rely on it.
    assert!(matches!(
        log.wait_flushed(end),
        Err(FlushError::Poisoned(_))
    ));
    assert!(matches!(
        try_append(&log, batch(&[1])),
        Err(AppendError::Poisoned(_))
    ));
    assert!(matches!(log.roll(), Err(ChangeError::Poisoned(_))));
    assert!(log.close().is_err());
    assert_eq!(log.recovery_point(), durable);
    assert_eq!(offsets(&log).len() as i64, end.get(), "reads go on");
    drop(log);
    let (log, _) = open_with(
        &env,
        small(),
        OpenState {
            recovery_point: durable,
            ..OpenState::UNKNOWN
        },
    );
    assert!(log.log_end_offset() >= durable);
    append(&log, batch(&[1]));
    log.flush().unwrap();
}

#[test]
fn a_full_disk_refuses_appends_and_harms_nothing() {
    let env = SimEnv::new(5);
    let log = open(&env, small());
    fill(&log, 2);
    let before = read_all(&log);
    env.set_capacity(Some(env.used_bytes() + 40));
    for _ in 0..3 {
        let refused = try_append(&log, batch(&[1, 2, 3]));
        assert!(
            matches!(refused, Err(AppendError::DiskFull(_))),
            "{refused:?}"
        );
        assert_eq!(read_all(&log), before);
    }
    env.set_capacity(None);
    append(&log, batch(&[1]));
    assert_eq!(read_all(&log).len(), before.len() + 1);
    drop(log);
    let log = open(&env, small());
    assert_eq!(read_all(&log).len(), before.len() + 1);
}

#[test]
fn a_failing_write_loses_only_its_append() {
    for nth in 0..60 {
        let env = SimEnv::new(nth);
        let log = open(&env, small());
        env.inject(fault(Operation::Write, nth, ErrorKind::StorageFull));
        let mut written = 0;
        for number in 0..40 {
            if try_append(&log, batch(&[number, number])).is_ok() {
                written += 2;
            }
            assert_eq!(log.log_end_offset(), offset(written));
        }
        assert_eq!(offsets(&log), (0..written).collect::<Vec<_>>());
        // The failing write may be one of those that closing makes.
        let _ = log.close();
        assert_eq!(
            offsets(&reopen_clean(&env, log, small()).0),
            (0..written).collect::<Vec<_>>(),
            "write {nth} failed"
        );
    }
}

#[test]
fn flushed_records_survive_a_power_cut() {
    for seed in 0..20 {
        let env = SimEnv::new(seed);
        let log = open(&env, small());
        fill(&log, 3);
        let durable = log.flush().unwrap();
        let expected = read_all(&log);
        append(&log, batch(&[1]));
        log.roll().unwrap();
        append(&log, batch(&[2]));
        drop(log);
        let env = env.after_power_cut(seed);
        let log = open(&env, small());
        let found = read_all(&log);
        assert!(log.log_end_offset() >= durable, "seed {seed}");
        assert_eq!(found[..expected.len()], expected, "seed {seed}");
    }
}

#[test]
fn an_abandoned_log_refuses_changes_and_writes_nothing() {
    let env = SimEnv::new(3);
    let log = open(&env, small());
    fill(&log, 2);
    let calls = || (env.calls(Operation::Sync), env.calls(Operation::Write));
    let before = calls();
    log.abandon();
    assert!(matches!(
        try_append(&log, batch(&[1])),
        Err(AppendError::Closed)
    ));
    assert!(matches!(log.roll(), Err(ChangeError::Closed)));
    assert_eq!(calls(), before);
    assert_eq!(offsets(&log).len() as i64, log.log_end_offset().get());
}

#[test]
fn flushes_are_due_by_count_by_time_and_after_a_roll() {
    let env = SimEnv::new(1);
    let config = LogConfig {
        flush_messages: 5,
        flush_ms: 1000,
        ..LogConfig::default()
    };
    let log = open(&env, config);
    assert!(!append(&log, batch(&[1, 2, 3, 4])).flush_required);
    assert!(!log.flush_if_due().unwrap());
    assert!(append(&log, batch(&[5])).flush_required);
    assert!(log.flush_if_due().unwrap());
    assert_eq!(log.recovery_point(), offset(5));
    append(&log, batch(&[6]));
    env.advance(Duration::from_millis(999));
    assert!(!log.flush_if_due().unwrap());
    env.advance(Duration::from_millis(1));
    assert!(log.flush_if_due().unwrap());
    append(&log, batch(&[7]));
    log.roll().unwrap();
    assert!(log.flush_if_due().unwrap(), "a sealed segment is synced");
    assert!(!log.flush_if_due().unwrap(), "nothing is left to do");
}

#[test]
fn many_threads_append_read_and_share_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 20_000,
        flush_messages: 1,
        file_delete_delay_ms: 0,
        ..small()
    };
    let path = directory.path().join("flights-0");
    let log = PartitionLog::open(RealEnv, &path, config.clone(), OpenState::UNKNOWN)
        .unwrap()
        .0;
    let log = Arc::new(log);
    let acknowledged = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (log, acknowledged) = (&log, &acknowledged);
                scope.spawn(move || {
                    for number in 0..150 {
                        let appended = append(log, batch(&[writer * 1000 + number, 0]));
                        assert!(appended.flush_required);
                        log.wait_flushed(appended.next_offset()).unwrap();
                        acknowledged.fetch_add(2, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for reader in 0..3 {
            let log = &log;
            scope.spawn(move || {
                let mut next = log.log_start_offset();
                while next.get() < 1200 {
                    let end = log.log_end_offset();
                    let records = read_from(log, next, 300 * (reader + 1));
                    assert!(
                        records
                            .iter()
                            .zip(next.get()..)
                            .all(|((offset, _, _), expected)| *offset == expected)
                    );
                    next = end.max(next + records.len() as i64);
                    std::thread::yield_now();
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert_eq!(acknowledged.load(Ordering::Relaxed), 1200);
    let expected = read_all(&log);
    let mut values: Vec<_> = expected
        .iter()
        .map(|(_, time, _)| *time)
        .filter(|time| *time != 0)
        .collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(
        values.len(),
        599,
        "each append exists once; the very first has timestamp 0"
    );
    log.close().unwrap();
    let start = OpenState {
        clean_shutdown: true,
        ..OpenState::UNKNOWN
    };
    let log = PartitionLog::open(RealEnv, Path::new(&path), config, start)
        .unwrap()
        .0;
    assert_eq!(read_all(&log), expected);
}
