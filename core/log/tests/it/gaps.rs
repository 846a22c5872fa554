//! Recovery destroys no whole segment if offsets are missing: one side of the gap stays in the log, the other is kept
//! under another name.

use std::path::{Path, PathBuf};

use crate::support::*;
use headwater_env::{Env, File, MemoryEnv, OpenMode};
use headwater_log::{FirstBatch, OpenState, PartitionLog, RecoveryReport, SegmentInfo};
use headwater_record::Offset;

const KILLED: OpenState = OpenState {
    same_boot: true,
    ..OpenState::UNKNOWN
};

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn log_file(base_offset: Offset) -> PathBuf {
    path(&format!("{:020}.log", base_offset.get()))
}

fn write(env: &MemoryEnv, path: &Path, bytes: &[u8]) {
    let file = env.open_file(path, OpenMode::Create).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

fn flip(env: &MemoryEnv, path: &Path, position: usize) {
    let mut bytes = env.read_file(path).unwrap().unwrap().to_vec();
    bytes[position] ^= 1;
    write(env, path, &bytes);
}

/// A log of five segments whose process died: its segments and its end.
fn dead_log() -> (MemoryEnv, Vec<SegmentInfo>, i64) {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 5);
    (env, log.segments(), log.log_end_offset().get())
}

fn assert_range(log: &PartitionLog<MemoryEnv>, start: Offset, end: i64) {
    assert_eq!(offsets(log), (start.get()..end).collect::<Vec<_>>());
    assert_eq!(log.log_start_offset(), start);
    assert_eq!(append(log, batch(&[9])).base_offset.get(), end);
}

/// Opens the log, checks its range, and opens it again, which finds nothing to repair.
fn check(env: &MemoryEnv, start: OpenState, first: Offset, end: i64) -> RecoveryReport {
    let (log, report) = open_with(env, small(), start);
    assert_range(&log, first, end);
    assert!(!report.is_clean());
    drop(log);
    let (log, again) = open_with(env, small(), start);
    assert!(again.is_clean(), "{again}");
    assert_range(&log, first, end + 1);
    report
}

#[test]
fn after_a_kill_the_log_starts_after_the_gap() {
    let (env, segments, end) = dead_log();
    env.remove_file(&log_file(segments[2].base_offset)).unwrap();
    let before = log_files(&env);
    let report = check(&env, KILLED, segments[3].base_offset, end);
    assert_eq!(
        report.missing,
        Some(segments[2].base_offset..segments[3].base_offset)
    );
    assert_set_aside(&env, &report, &before, 2);
    assert!(report.to_string().contains("are missing"), "{report}");
}

#[test]
fn a_gap_before_the_recovery_point_is_found_in_unchecked_segments() {
    let (env, segments, end) = dead_log();
    env.remove_file(&log_file(segments[1].base_offset)).unwrap();
    let before = log_files(&env);
    let start = OpenState {
        recovery_point: segments[4].base_offset,
        ..OpenState::UNKNOWN
    };
    let report = check(&env, start, segments[2].base_offset, end);
    assert_eq!(report.segments_checked, 1);
    assert_set_aside(&env, &report, &before, 1);
}

#[test]
fn segments_after_a_gap_of_a_power_cut_are_set_aside() {
    let (env, segments, _) = dead_log();
    env.remove_file(&log_file(segments[2].base_offset)).unwrap();
    let before = log_files(&env);
    let end = segments[2].base_offset.get();
    let report = check(&env, OpenState::UNKNOWN, Offset::ZERO, end);
    assert_set_aside(&env, &report, &before, 2);
}

#[test]
fn deleted_segments_do_not_move_the_log_start_back() {
    let (env, segments, end) = dead_log();
    env.remove_file(&log_file(segments[1].base_offset)).unwrap();
    let start = segments[2].base_offset;
    // The state after retention, which updates this file first.
    let epochs = format!("0\n1\n0 {start}\n");
    env.replace_file(&path("leader-epoch-checkpoint"), epochs.as_bytes())
        .unwrap();
    check(&env, OpenState::UNKNOWN, start, end);
}

#[test]
fn no_records_are_dropped_for_a_segment_without_records() {
    let (env, segments, end) = dead_log();
    for segment in &segments[..2] {
        write(&env, &log_file(segment.base_offset), b"");
    }
    check(&env, OpenState::UNKNOWN, segments[2].base_offset, end);
}

#[test]
fn damage_in_the_middle_stays_where_it_is_after_a_kill() {
    // Damage in a value, in the length, in the magic byte and in the base offset.
    for place in [70, 11, 16, 7] {
        let (env, segments, end) = dead_log();
        let at = segments[1].base_offset.get();
        let size = batch(&[at, at + 1, at + 2]).size_in_bytes();
        flip(&env, &log_file(segments[1].base_offset), size + place);
        let (log, report) = open_with(&env, small(), KILLED);
        assert!(
            report.cut.is_none() && report.set_aside.is_empty(),
            "{report}"
        );
        assert_eq!(report.damage.len(), 1, "{report}");
        assert_eq!(report.damage[0].position, size as u64);
        let before = segments[1].base_offset;
        assert_eq!(
            log.read(before, Offset::MAX, 1, FirstBatch::Whole)
                .unwrap()
                .start,
            before
        );
        let later = segments[2].base_offset;
        assert_eq!(
            log.read(later, Offset::MAX, 1, FirstBatch::Whole)
                .unwrap()
                .start,
            later
        );
        assert_eq!(append(&log, batch(&[9])).base_offset.get(), end);
    }
}

#[test]
fn damage_in_the_active_segment_stays_if_whole_batches_follow_after_a_kill() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    for _ in 0..3 {
        append(&log, batch(&[0, 1, 2]));
    }
    let size = batch(&[0, 1, 2]).size_in_bytes();
    flip(&env, &log_file(Offset::ZERO), size + 70);
    let (log, report) = open_with(&env, small(), KILLED);
    assert!(report.cut.is_none(), "{report}");
    assert_eq!(report.damage.len(), 1, "{report}");
    assert_eq!(log.log_end_offset(), offset(9));
    flip(&env, &log_file(Offset::ZERO), 2 * size + 70);
    let (log, report) = open_with(&env, small(), KILLED);
    assert!(!report.cut.unwrap().had_batches);
    assert_eq!(log.log_end_offset(), offset(3));
}

/// The ways in which a complete log may have ended.
fn endings(end: i64) -> Vec<OpenState> {
    let whole = OpenState {
        recovery_point: offset(end),
        ..OpenState::UNKNOWN
    };
    let closed = OpenState {
        clean_shutdown: true,
        ..whole
    };
    let unknown_end = OpenState {
        clean_shutdown: true,
        ..OpenState::UNKNOWN
    };
    vec![OpenState::UNKNOWN, KILLED, whole, closed, unknown_end]
}

#[test]
fn a_stray_segment_far_behind_the_end_does_not_move_it() {
    let far = offset(1 << 62);
    for content in ["empty", "garbage", "another segment"] {
        let ends = endings(dead_log().2);
        for start in ends {
            let (env, segments, end) = dead_log();
            let bytes = match content {
                "empty" => Vec::new(),
                "garbage" => vec![7; 300],
                _ => {
                    let other = env.read_file(&log_file(segments[0].base_offset));
                    other.unwrap().unwrap().to_vec()
                }
            };
            write(&env, &log_file(far), &bytes);
            let (log, report) = open_with(&env, small(), start);
            assert_range(&log, Offset::ZERO, end);
            assert!(!report.is_clean(), "{content}: {report}");
            let is_kept = !report.set_aside.is_empty();
            assert_eq!(is_kept, content == "another segment");
        }
    }
}

#[test]
fn a_stray_segment_of_an_empty_log_does_not_move_its_end() {
    for start in endings(0) {
        let env = MemoryEnv::new();
        drop(open(&env, small()));
        write(&env, &log_file(offset(1 << 62)), b"");
        assert_range(&open_with(&env, small(), start).0, Offset::ZERO, 0);
    }
}

#[test]
fn a_stray_segment_among_the_others_does_not_cut_the_log() {
    let (env, segments, end) = dead_log();
    let inside = segments[1].base_offset + 1;
    write(&env, &log_file(inside), b"");
    check(&env, OpenState::UNKNOWN, Offset::ZERO, end);
    assert!(!log_files(&env).contains_key(&inside.get()));
}

#[test]
fn a_segment_set_aside_twice_is_kept_twice() {
    let (env, segments, _) = dead_log();
    let last = log_file(segments[4].base_offset);
    let kept: Vec<_> = (0..2)
        .map(|_| {
            let whole = env.read_file(&last).unwrap().unwrap();
            env.remove_file(&log_file(segments[3].base_offset)).unwrap();
            let (log, report) = open_with(&env, small(), OpenState::UNKNOWN);
            assert_eq!(report.set_aside.len(), 1, "{report}");
            fill(&log, 4);
            append(&log, batch(&[1, 2, 3]));
            drop(log);
            write(&env, &last, &whole);
            report.set_aside[0].path.clone()
        })
        .collect();
    assert_ne!(kept[0], kept[1]);
    assert!(
        kept.iter()
            .all(|path| env.metadata(path).unwrap().is_some())
    );
}

#[test]
fn a_log_that_lost_its_files_assigns_no_offset_twice() {
    let env = MemoryEnv::new();
    let start = OpenState {
        recovery_point: offset(40),
        log_start_offset: offset(7),
        ..OpenState::UNKNOWN
    };
    let (log, report) = open_with(&env, small(), start);
    assert_eq!(report.damage.len(), 1);
    assert_range(&log, offset(40), 40);
}
