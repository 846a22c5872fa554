//! Compaction: which records stay, which are removed, and what readers see meanwhile.

use std::path::Path;

use crate::support::compacted::{
    NOW_MS, TOMBSTONE_MS, clean, clean_at, cleaning, compacted, keyed, offsets, put, seen, walk,
};
use crate::support::{DIR, append, files, offset, open, open_with, reopen_clean};
use headwater_env::{Env, File as _, MemoryEnv, OpenMode, SimEnv};
use headwater_log::{
    CleanError, Cleaning, CleanupPolicy, FirstBatch, LogConfig, OpenState, PartitionLog,
};
use headwater_record::{BatchOptions, Compression, Offset};

#[test]
fn the_last_record_of_each_key_stays_and_keeps_its_offset() {
    let log = open(&MemoryEnv::new(), compacted());
    for value in 0..40 {
        put(&log, (value % 4) as u8 + 1, Some(value));
    }
    log.roll().unwrap();
    let before = log.size_in_bytes();
    let cleaned = clean(&log).unwrap();
    assert_eq!(cleaned.first_dirty_offset, offset(40));
    assert_eq!(cleaned.keys, 4);
    assert_eq!(offsets(&log), [36, 37, 38, 39]);
    assert!(log.size_in_bytes() < before / 5);
    assert_eq!(log.cleaner_checkpoint(), Some(offset(40)));
    assert_eq!(clean(&log), None, "nothing is dirty any more");
    // A fetch from a gap returns the next batch.
    let read = log
        .read(offset(3), offset(40), 1, FirstBatch::Whole)
        .unwrap();
    assert!(read.start > offset(3) && !read.bytes.is_empty());
    // Later records of a key replace those of the clean part.
    put(&log, 1, Some(99));
    log.roll().unwrap();
    clean(&log).unwrap();
    assert_eq!(offsets(&log), [37, 38, 39, 40]);
}

#[test]
fn active_unflushed_and_unstable_records_stay() {
    let log = open(&MemoryEnv::new(), compacted());
    for value in 0..5 {
        put(&log, 1, Some(value));
    }
    let end = log.log_end_offset();
    let try_clean = |last_stable| log.clean(cleaning(last_stable, NOW_MS, 1 << 20)).unwrap();
    log.flush().unwrap();
    assert_eq!(try_clean(end), None, "all of it is in the active segment");
    log.roll().unwrap();
    for value in 5..10 {
        put(&log, 1, Some(value));
    }
    log.roll().unwrap();
    assert_eq!(log.recovery_point(), Offset::ZERO);
    assert_eq!(
        try_clean(log.log_end_offset()),
        None,
        "no record is known to be on disk"
    );
    log.flush().unwrap();
    let cleaned = try_clean(offset(9)).unwrap();
    assert_eq!(cleaned.first_dirty_offset, offset(5));
    assert_eq!(offsets(&log), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_topic_that_is_not_compacted_is_not_cleaned() {
    let log = open(&MemoryEnv::new(), crate::support::small());
    crate::support::fill(&log, 3);
    assert_eq!(clean(&log), None);
    assert_eq!(log.cleaner_checkpoint(), None);
}

#[test]
fn a_tombstone_stays_until_its_horizon_after_the_first_cleaning() {
    let log = open(&MemoryEnv::new(), compacted());
    put(&log, 1, Some(1));
    put(&log, 1, None);
    put(&log, 2, Some(2));
    log.roll().unwrap();
    clean_at(&log, NOW_MS).unwrap();
    assert_eq!(offsets(&log), [1, 2]);
    let horizons = |log: &PartitionLog<MemoryEnv>| -> Vec<_> {
        let (_, all) = walk(log, 300);
        all.iter()
            .map(|batch| batch.header().delete_horizon_ms())
            .collect()
    };
    assert_eq!(horizons(&log), [Some(NOW_MS + TOMBSTONE_MS), None]);
    // Another cleaning does not postpone its horizon.
    let again = |value, now| {
        put(&log, 3, Some(value));
        log.roll().unwrap();
        clean_at(&log, now).unwrap();
    };
    again(1, NOW_MS + TOMBSTONE_MS - 1);
    assert_eq!(offsets(&log), [1, 2, 3]);
    assert_eq!(horizons(&log), [Some(NOW_MS + TOMBSTONE_MS), None, None]);
    again(2, NOW_MS + TOMBSTONE_MS);
    assert_eq!(offsets(&log), [2, 4]);
}

#[test]
fn records_without_a_key_go_and_batches_keep_their_codec() {
    let log = open(&MemoryEnv::new(), compacted());
    append(&log, crate::support::batch(&[1, 2, 3]));
    let options = BatchOptions {
        compression: Compression::Zstd,
        ..BatchOptions::default()
    };
    append(
        &log,
        keyed(options, &[(1, Some(1)), (2, Some(2)), (1, Some(3))]),
    );
    log.roll().unwrap();
    clean(&log).unwrap();
    let (seen, all) = walk(&log, 300);
    assert_eq!(seen.iter().map(|seen| seen.0).collect::<Vec<_>>(), [4, 5]);
    let header = all[0].header();
    assert_eq!(header.attributes.compression().unwrap(), Compression::Zstd);
    assert_eq!(
        (header.base_offset, header.last_offset()),
        (offset(3), offset(5))
    );
}

#[test]
fn a_full_map_cleans_a_part_and_the_next_cleaning_continues() {
    let log = open(&MemoryEnv::new(), compacted());
    for round in 0..4 {
        for key in 0..50 {
            put(&log, key, Some(round));
        }
    }
    log.roll().unwrap();
    log.flush().unwrap();
    let mut ends = Vec::new();
    // The map takes twenty keys.
    while let Some(cleaned) = log.clean(cleaning(offset(200), NOW_MS, 24 * 23)).unwrap() {
        assert_eq!(cleaned.keys, 20);
        ends.push(cleaned.first_dirty_offset.get());
        assert!(ends.len() < 20);
    }
    assert_eq!(ends, (1..=10).map(|round| round * 20).collect::<Vec<_>>());
    assert_eq!(offsets(&log), (150..200).collect::<Vec<_>>());
}

#[test]
fn small_segments_are_merged() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for value in 0..60 {
        put(&log, value as u8, Some(value));
    }
    log.roll().unwrap();
    clean(&log).unwrap();
    let segments = |log: &PartitionLog<MemoryEnv>| log.segments().len();
    let before = segments(&log);
    assert!(before > 5);
    for value in 0..50 {
        put(&log, value as u8, Some(value));
    }
    log.roll().unwrap();
    clean(&log).unwrap();
    // Records that the segments have lost would show when they are merged the next time.
    put(&log, 1, Some(1));
    log.roll().unwrap();
    let between = segments(&log);
    let cleaned = clean(&log).unwrap();
    assert!(cleaned.after.segments < cleaned.before.segments);
    assert!(segments(&log) < between && segments(&log) <= before + 1);
    assert!(
        log.segments()
            .iter()
            .all(|segment| segment.size_bytes <= 1000)
    );
    let logs = files(&env)
        .iter()
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "log")
        })
        .count();
    assert_eq!(logs, segments(&log), "files of removed segments remain");
}

/// A cleaning leaves no batch without records. Reading from any offset continues with the next batch, also across
/// removed segments. The log is the same after a restart, whatever the checkpoints contain.
#[test]
fn segments_without_remaining_records_are_dropped() {
    let env = SimEnv::new(1);
    let log = open(&env, compacted());
    for value in 0..400 {
        put(&log, (value % 4) as u8 + 1, Some(value));
    }
    log.roll().unwrap();
    let before = log.segments().len();
    let cleaned = clean(&log).unwrap();
    assert!(before > 20 && cleaned.before.segments == before - 1);
    let left = log.segments();
    let non_empty = left.iter().filter(|segment| segment.size_bytes > 0);
    assert!(non_empty.count() <= 2 && left.len() <= 4, "{left:?}");
    assert_eq!(cleaned.after.segments, left.len() - 1);
    assert_eq!(left[0].base_offset, Offset::ZERO, "the log starts there");
    let (_, all) = walk(&log, 300);
    assert!(all.iter().all(|batch| batch.header().record_count > 0));
    for from in 0..=396 {
        let read = log
            .read(offset(from), Offset::MAX, 1, FirstBatch::Whole)
            .unwrap();
        assert_eq!(read.start, offset(396));
        assert!(!read.bytes.is_empty());
    }
    // Append after the recovery point, so that the open has records to recover.
    put(&log, 1, Some(400));
    let expected = seen(&log);
    let starts = [log.recovery_point(), Offset::ZERO].map(|recovery_point| OpenState {
        recovery_point,
        cleaner_checkpoint: log.cleaner_checkpoint(),
        ..OpenState::UNKNOWN
    });
    drop(log);
    for start in starts {
        let machine = env.after_kill(1);
        let (log, report) = open_with(&machine, compacted(), start);
        assert!(report.is_clean(), "{report}");
        assert_eq!(seen(&log), expected);
        // The empty segment at the start is merged into the next one.
        log.roll().unwrap();
        clean(&log).unwrap();
        assert!(
            log.segments()
                .iter()
                .all(|segment| { segment.size_bytes > 0 || segment.is_active })
        );
        let (log, report) = reopen_clean(&machine, log, compacted());
        assert!(report.is_clean(), "{report}");
        assert_eq!(offsets(&log), [397, 398, 399, 400]);
    }
}

/// Readers find the end of the log in a batch, so the last one stays, though empty, until another follows it.
#[test]
fn the_last_batch_of_a_cleaned_log_stays_empty_until_another_follows() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    put(&log, 1, Some(1));
    for _ in 0..20 {
        append(&log, crate::support::batch(&[1, 2, 3]));
    }
    log.roll().unwrap();
    clean(&log).unwrap();
    let ends = |log: &PartitionLog<MemoryEnv>| -> Vec<_> {
        let (_, all) = walk(log, 300);
        all.iter()
            .map(|batch| {
                let header = batch.header();
                (header.next_offset().get(), header.record_count)
            })
            .collect()
    };
    assert_eq!(ends(&log), [(1, 1), (61, 0)]);
    let (log, report) = reopen_clean(&env, log, compacted());
    assert!(report.is_clean(), "{report}");
    assert_eq!(ends(&log), [(1, 1), (61, 0)]);
    put(&log, 2, Some(2));
    log.roll().unwrap();
    clean(&log).unwrap();
    assert_eq!(ends(&log), [(1, 1), (62, 1)]);
}

#[test]
fn a_log_without_remaining_records_continues_at_its_end() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for value in 0..60 {
        put(&log, 1, Some(value));
    }
    put(&log, 1, None);
    log.roll().unwrap();
    clean_at(&log, NOW_MS).unwrap();
    assert_eq!(offsets(&log), [60]);
    put(&log, 1, None);
    log.roll().unwrap();
    clean_at(&log, NOW_MS).unwrap();
    log.roll().unwrap();
    // The last tombstone is after its horizon when the next record is cleaned.
    put(&log, 2, None);
    log.roll().unwrap();
    clean_at(&log, NOW_MS + TOMBSTONE_MS).unwrap();
    put(&log, 2, None);
    log.roll().unwrap();
    clean_at(&log, NOW_MS + 2 * TOMBSTONE_MS).unwrap();
    let read = log
        .read(offset(5), Offset::MAX, 300, FirstBatch::Whole)
        .unwrap();
    assert_eq!(read.log_end_offset, offset(64));
    assert!(offsets(&log).iter().all(|offset| *offset == 63));
    let (log, report) = reopen_clean(&env, log, compacted());
    assert!(report.is_clean(), "{report}");
    assert_eq!(put(&log, 3, Some(3)), offset(64));
}

#[test]
fn a_log_that_was_compacted_is_recovered_under_any_later_policy() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for value in 0..40 {
        put(&log, (value % 4) as u8, Some(value));
    }
    log.roll().unwrap();
    clean(&log).unwrap();
    put(&log, 9, Some(9));
    let expected = seen(&log);
    log.update_config(crate::support::small());
    assert_eq!(seen(&log), expected);
    let start = OpenState {
        cleaner_checkpoint: log.cleaner_checkpoint(),
        ..OpenState::UNKNOWN
    };
    drop(log);
    let (log, report) = open_with(&env, crate::support::small(), start);
    assert!(report.is_clean(), "{report}");
    assert_eq!(seen(&log), expected);
    let (log, report) = reopen_clean(&env, log, compacted());
    assert!(report.is_clean(), "{report}");
    assert_eq!(seen(&log), expected);
}

#[test]
fn leader_epochs_keep_their_start_after_their_first_batches_are_removed() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for (leader_epoch, records) in [(0, 3), (2, 3), (5, 3)] {
        for value in 0..records {
            let batch = keyed(BatchOptions::default(), &[(1, Some(value))]);
            log.append_as_leader(batch, crate::support::epoch(leader_epoch))
                .unwrap();
        }
    }
    log.roll().unwrap();
    clean(&log).unwrap();
    assert_eq!(offsets(&log), [8]);
    let ends = |log: &PartitionLog<MemoryEnv>| -> Vec<_> {
        (0..6)
            .map(|leader_epoch| {
                log.end_offset_for_epoch(crate::support::epoch(leader_epoch))
                    .map(|end| (end.leader_epoch.get(), end.end_offset.get()))
            })
            .collect()
    };
    let expected = ends(&log);
    assert_eq!(expected[0], Some((0, 3)));
    assert_eq!(expected[5], Some((5, 9)));
    drop(log);
    let (log, report) = open_with(&env, compacted(), OpenState::UNKNOWN);
    assert!(report.is_clean(), "{report}");
    assert_eq!(ends(&log), expected);
}

#[test]
fn a_reader_continues_in_a_segment_that_is_replaced() {
    let log = open(&MemoryEnv::new(), compacted());
    for value in 0..60 {
        put(&log, (value % 3) as u8, Some(value));
    }
    log.roll().unwrap();
    log.flush().unwrap();
    let mut headers = log.batch_headers(Offset::ZERO, offset(60)).unwrap();
    let first: Vec<_> = headers
        .by_ref()
        .take(2)
        .map(|header| header.unwrap().base_offset.get())
        .collect();
    assert_eq!(first, [0, 1]);
    clean(&log).unwrap();
    // Idle files are closed at the second call, as in housekeeping.
    log.delete_due_files().unwrap();
    log.delete_due_files().unwrap();
    let rest: Vec<_> = headers
        .map(|header| header.unwrap().base_offset.get())
        .collect();
    assert_eq!(rest, (2..60).collect::<Vec<_>>());
    assert_eq!(offsets(&log), [57, 58, 59]);
}

#[test]
fn closing_stops_a_cleaning_and_leaves_none_of_its_files() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for value in 0..60 {
        put(&log, (value % 3) as u8, Some(value));
    }
    log.roll().unwrap();
    log.flush().unwrap();
    let batches_seen = std::sync::atomic::AtomicUsize::new(0);
    let stop_later = || batches_seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 70;
    let result = log.clean(Cleaning {
        is_stopped: &stop_later,
        ..cleaning(offset(60), NOW_MS, 1 << 20)
    });
    assert!(matches!(result, Err(CleanError::Stopped)), "{result:?}");
    assert_eq!(offsets(&log).len(), 60);
    assert!(!files(&env).iter().any(|name| name.ends_with(".cleaned")));
    log.close().unwrap();
    assert!(matches!(
        log.clean(cleaning(offset(60), NOW_MS, 1 << 20)),
        Err(CleanError::Stopped)
    ));
}

#[test]
fn a_cleaning_does_not_copy_a_damaged_batch() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for value in 0..10 {
        put(&log, 1, Some(value));
    }
    log.roll().unwrap();
    log.flush().unwrap();
    let path = Path::new(crate::support::DIR).join("00000000000000000000.log");
    let file = env
        .open_file(&path, headwater_env::OpenMode::Write)
        .unwrap();
    headwater_env::File::write_all_at(&file, &[0xff], 80).unwrap();
    let result = log.clean(cleaning(offset(10), NOW_MS, 1 << 20));
    assert!(
        matches!(&result, Err(error) if error.is_lasting()),
        "{result:?}"
    );
    assert!(!files(&env).iter().any(|name| name.ends_with(".cleaned")));
}

#[test]
fn retention_removes_from_compact_delete_and_never_from_compact() {
    for (policy, goes) in [
        (CleanupPolicy::COMPACT, false),
        (
            CleanupPolicy {
                delete: true,
                compact: true,
            },
            true,
        ),
    ] {
        let config = LogConfig {
            cleanup_policy: policy,
            retention_bytes: Some(1),
            ..compacted()
        };
        let log = open(&MemoryEnv::new(), config);
        for value in 0..60 {
            put(&log, value as u8, Some(value));
        }
        log.roll().unwrap();
        clean(&log).unwrap();
        let deleted = log.apply_retention(NOW_MS).unwrap();
        assert_eq!(!deleted.is_empty(), goes);
        assert_eq!(seen(&log).len() < 60, goes);
        if goes {
            // The dirty part now begins at the start of the log.
            assert_eq!(clean(&log), None);
        }
    }
}

/// Compaction leaves gaps of any size, so a gap alone proves no loss, but remaining index files do.
#[test]
fn a_segment_whose_log_file_was_removed_or_emptied_is_reported() {
    let cleaned = || {
        let env = MemoryEnv::new();
        let log = open(&env, compacted());
        for value in 0..60 {
            put(&log, value as u8, Some(value));
        }
        log.roll().unwrap();
        clean(&log).unwrap();
        (env, log)
    };
    let damages: [fn(&MemoryEnv, &Path); 3] = [
        |_, _| {},
        |env, path| env.remove_file(path).unwrap(),
        |env, path| {
            let file = env.open_file(path, OpenMode::Write).unwrap();
            file.set_len(0).unwrap();
        },
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        let (env, log) = cleaned();
        let end = log.close().unwrap();
        let start = OpenState {
            clean_shutdown: true,
            recovery_point: end,
            cleaner_checkpoint: log.cleaner_checkpoint(),
            ..OpenState::UNKNOWN
        };
        let lost = log.segments()[2].base_offset;
        drop(log);
        damage(
            &env,
            &Path::new(DIR).join(format!("{:020}.log", lost.get())),
        );
        let (log, report) = open_with(&env, compacted(), start);
        assert_eq!(log.log_end_offset(), end);
        let reported: Vec<_> = report.damage.iter().map(|found| found.segment).collect();
        let expected = if index == 0 { vec![] } else { vec![lost] };
        assert_eq!(reported, expected, "{report}");
    }
}
