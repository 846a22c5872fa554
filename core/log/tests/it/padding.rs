//! Small appends leave zeros after the log for later appends; readers never see them.

use std::path::{Path, PathBuf};

use crate::support::*;
use headwater_env::{Env, SimEnv};
use headwater_log::{LogConfig, OpenState, PartitionLog};
use headwater_record::Offset;

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 4096,
        ..small()
    }
}

fn file_len(env: &SimEnv, base_offset: Offset) -> u64 {
    let path: PathBuf = Path::new(DIR).join(format!("{:020}.log", base_offset.get()));
    env.metadata(&path).unwrap().expect("it is there").len
}

/// The number of bytes after the last batch in the file of the active segment.
fn padding(env: &SimEnv, log: &PartitionLog<SimEnv>) -> u64 {
    let active = *log.segments().last().unwrap();
    file_len(env, active.base_offset) - active.size_bytes
}

/// A log whose active segment has padding.
fn log_with_padding(env: &SimEnv) -> PartitionLog<SimEnv> {
    let log = open(env, config());
    while padding(env, &log) == 0 {
        append(&log, batch(&[1]));
    }
    log
}

#[test]
fn later_appends_use_the_padding_and_reads_end_before_it() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    let before = padding(&env, &log);
    let len = append(&log, batch(&[1])).base_offset;
    assert_eq!(
        padding(&env, &log),
        before - batch(&[1]).size_in_bytes() as u64
    );
    assert_eq!(offsets(&log), (0..=len.get()).collect::<Vec<_>>());
}

#[test]
fn a_sealed_segment_has_no_padding() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    log.roll().unwrap();
    let sealed = log.segments()[0];
    assert_eq!(file_len(&env, sealed.base_offset), sealed.size_bytes);
    append(&log, batch(&[1]));
    assert_eq!(offsets(&log).len() as i64, log.log_end_offset().get());
}

#[test]
fn a_closed_log_has_none() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    log.close().unwrap();
    assert_eq!(padding(&env, &log), 0);
}

#[test]
fn a_truncated_log_has_no_padding_until_the_next_append() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    log.truncate_to(offset(3)).unwrap();
    assert_eq!(padding(&env, &log), 0);
    append(&log, batch(&[1]));
    assert_eq!(offsets(&log), [0, 1, 2, 3]);
}

#[test]
fn after_a_kill_padding_is_truncated_without_a_report() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    let end = log.log_end_offset();
    drop(log);
    let env = env.after_kill(1);
    let (log, report) = open_with(&env, config(), OpenState::UNKNOWN);
    assert!(report.is_clean(), "{report}");
    assert_eq!(log.log_end_offset(), end);
    assert_eq!(padding(&env, &log), 0);
}

#[test]
fn padding_of_a_sealed_segment_is_truncated_after_a_crash_and_later_segments_stay() {
    let env = SimEnv::new(1);
    let log = log_with_padding(&env);
    log.roll().unwrap();
    append(&log, batch(&[1]));
    let (sealed, end) = (log.segments()[0], log.log_end_offset());
    drop(log);
    let env = env.after_kill(1);
    let path = Path::new(DIR).join(format!("{:020}.log", sealed.base_offset.get()));
    let file = env
        .open_file(&path, headwater_env::OpenMode::Write)
        .unwrap();
    headwater_env::File::set_len(&file, sealed.size_bytes + SimEnv::PADDING_BYTES).unwrap();
    let (log, report) = open_with(&env, config(), OpenState::UNKNOWN);
    assert!(report.is_clean(), "{report}");
    assert_eq!(log.log_end_offset(), end);
    assert_eq!(file_len(&env, sealed.base_offset), sealed.size_bytes);
    assert_eq!(offsets(&log).len() as i64, end.get());
}

#[test]
fn an_append_without_space_for_padding_succeeds() {
    let env = SimEnv::new(1);
    let log = open(&env, config());
    let len = batch(&[1]).size_in_bytes() as u64;
    while log.segments()[0].size_bytes < 2 * SimEnv::PADDING_BYTES {
        append(&log, batch(&[1]));
    }
    env.set_capacity(Some(env.used_bytes() - padding(&env, &log) + len));
    let appended = append(&log, batch(&[1]));
    assert_eq!(padding(&env, &log), 0);
    assert_eq!(offsets(&log).len() as i64, appended.last_offset.get() + 1);
    assert!(try_append(&log, batch(&[1])).is_err());
}

#[test]
fn a_segment_synced_with_padding_and_sealed_without_survives_a_power_cut() {
    for seed in 0..50 {
        let env = SimEnv::new(1);
        let log = log_with_padding(&env);
        let recovery_point = log.flush().unwrap();
        assert_eq!(recovery_point, log.log_end_offset());
        log.roll().unwrap();
        append(&log, batch(&[1]));
        drop(log);
        let start = OpenState {
            recovery_point,
            ..OpenState::UNKNOWN
        };
        let (log, report) = open_with(&env.after_power_cut(seed), config(), start);
        assert!(report.damage.is_empty(), "{report}");
        assert_eq!(offsets(&log).len() as i64, log.log_end_offset().get());
    }
}

#[test]
fn zeros_of_a_failed_write_are_truncated_too() {
    let env = SimEnv::new(1);
    let log = open(&env, config());
    while log.segments()[0].size_bytes < 2 * SimEnv::PADDING_BYTES {
        append(&log, batch(&[1]));
    }
    let len = batch(&[1]).size_in_bytes() as u64;
    env.set_capacity(Some(env.used_bytes() - padding(&env, &log) + len + 10));
    append(&log, batch(&[1]));
    env.set_capacity(None);
    log.roll().unwrap();
    let sealed = log.segments()[0];
    assert_eq!(file_len(&env, sealed.base_offset), sealed.size_bytes);
}
