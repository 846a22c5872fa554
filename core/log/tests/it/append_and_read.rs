//! Appended records can be read by offset and by timestamp.

use crate::support::*;
use headwater_env::MemoryEnv;
use headwater_log::{AppendError, FirstBatch, LogConfig, ReadError};
use headwater_record::{DecompressLimit, Offset, RecordBatch, TimestampType, batches};
use proptest::prelude::*;

#[test]
fn offsets_are_assigned_in_order_across_rolls() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 5);
    let end = log.log_end_offset().get();
    assert_eq!(offsets(&log), (0..end).collect::<Vec<_>>());
    let segments = log.segments();
    assert!(
        segments
            .windows(2)
            .all(|pair| pair[0].end_offset == pair[1].base_offset)
    );
    assert!(segments.iter().all(|segment| segment.size_bytes <= 1000));
    assert_eq!(
        log.size_in_bytes(),
        segments
            .iter()
            .map(|segment| segment.size_bytes)
            .sum::<u64>()
    );
}

#[test]
fn a_read_begins_with_the_batch_that_contains_the_offset() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 3);
    let end = log.log_end_offset();
    for from in 0..end.get() {
        let read = log.read(offset(from), end, 1, FirstBatch::Whole).unwrap();
        let batch = RecordBatch::parse(read.bytes).unwrap();
        assert_eq!(batch.header().base_offset, offset(from - from % 3));
        assert_eq!(read.start, batch.header().base_offset);
        assert_eq!(batch.header().leader_epoch, epoch(0));
    }
}

#[test]
fn a_read_returns_no_batch_at_or_after_its_upper_bound() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 3);
    for upper in 0..log.log_end_offset().get() {
        let read = log
            .read(Offset::ZERO, offset(upper), 1 << 20, FirstBatch::Whole)
            .unwrap();
        let last = batches(&read.bytes)
            .last()
            .map(|batch| batch.unwrap().header().base_offset.get());
        assert!(
            last.is_none_or(|last| last < upper),
            "{last:?} is not before {upper}"
        );
        assert_eq!(last.is_none(), upper == 0);
    }
}

#[test]
fn max_bytes_cuts_all_but_the_first_batch() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    let size = batch(&[1, 2, 3]).size_in_bytes();
    for _ in 0..4 {
        append(&log, batch(&[1, 2, 3]));
    }
    let end = log.log_end_offset();
    let len = |max_bytes, first_batch| {
        log.read(Offset::ZERO, end, max_bytes, first_batch)
            .unwrap()
            .bytes
            .len()
    };
    assert_eq!(len(10, FirstBatch::Whole), size);
    assert_eq!(len(10, FirstBatch::Limited), 10);
    assert_eq!(len(0, FirstBatch::Limited), 0);
    assert_eq!(len(size + 10, FirstBatch::Whole), size + 10);
    assert_eq!(len(1 << 20, FirstBatch::Whole), 4 * size);
}

#[test]
fn an_offset_outside_the_log_is_refused_and_its_end_is_empty() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 3);
    let end = log.log_end_offset();
    assert!(
        log.read(end, Offset::MAX, 100, FirstBatch::Whole)
            .unwrap()
            .bytes
            .is_empty()
    );
    assert!(matches!(
        log.read(end + 1, Offset::MAX, 100, FirstBatch::Whole),
        Err(ReadError::OutOfRange { .. })
    ));
    log.delete_records(offset(4)).unwrap();
    assert!(matches!(
        log.read(offset(3), end, 100, FirstBatch::Whole),
        Err(ReadError::OutOfRange { log_start_offset, .. }) if log_start_offset == offset(4)
    ));
    let read = log.read(offset(4), end, 100, FirstBatch::Whole).unwrap();
    assert_eq!(
        read.start,
        offset(3),
        "the batch that holds offset 4 begins before it"
    );
}

#[test]
fn a_batch_that_is_too_large_is_refused_and_harms_nothing() {
    let env = MemoryEnv::new();
    let config = LogConfig {
        max_message_bytes: 500,
        ..small()
    };
    let log = open(&env, config.clone());
    let large = || {
        batch_with(
            headwater_record::BatchOptions::default(),
            &[(1, vec![0; 600])],
        )
    };
    assert!(matches!(
        try_append(&log, large()),
        Err(AppendError::TooLarge { max: 500, .. })
    ));
    log.update_config(LogConfig {
        max_message_bytes: 5000,
        segment_bytes: 600,
        ..config
    });
    assert!(matches!(
        try_append(&log, large()),
        Err(AppendError::LargerThanSegment { max: 600, .. })
    ));
    append(&log, batch(&[1]));
    assert_eq!(offsets(&log), [0]);
}

#[test]
fn log_append_time_replaces_the_producers_and_keeps_the_crc_valid() {
    let env = headwater_env::SimEnv::new(1);
    env.set_wall_clock_ms(123_456);
    let config = LogConfig {
        message_timestamp_type: TimestampType::LogAppendTime,
        ..small()
    };
    let log = open(&env, config);
    let appended = append(&log, batch(&[5, 6]));
    assert_eq!(appended.log_append_time_ms, Some(123_456));
    let times: Vec<_> = read_all(&log)
        .into_iter()
        .map(|(_, time, _)| time)
        .collect();
    assert_eq!(times, [123_456, 123_456]);
    let found = log
        .offset_for_timestamp(100_000, DecompressLimit::default())
        .unwrap();
    assert_eq!(found.unwrap().offset, offset(0));
}

#[test]
fn an_old_leader_is_refused() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    log.append_as_leader(batch(&[1]), epoch(3)).unwrap();
    assert!(matches!(
        log.append_as_leader(batch(&[1]), epoch(2)),
        Err(AppendError::StaleLeaderEpoch { .. })
    ));
    log.append_as_leader(batch(&[1]), epoch(7)).unwrap();
    let end = log.end_offset_for_epoch(epoch(5)).unwrap();
    assert_eq!((end.leader_epoch, end.end_offset), (epoch(3), offset(1)));
    assert_eq!(log.latest_leader_epoch(), Some(epoch(7)));
}

#[test]
fn a_repeated_batch_gets_its_first_offsets_even_after_a_restart() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 2);
    let first = append(&log, produced(9, 0, 0, 4));
    let second = append(&log, produced(9, 0, 4, 2));
    let again = append(&log, produced(9, 0, 0, 4));
    assert!(again.duplicate);
    assert_eq!(
        (again.base_offset, again.last_offset),
        (first.base_offset, first.last_offset)
    );
    drop(log);
    // Like after kill -9.
    let log = open(&env, small());
    for (sequence, records, was) in [(0, 4, first), (4, 2, second)] {
        let again = append(&log, produced(9, 0, sequence, records));
        assert!(again.duplicate);
        assert_eq!(
            (again.base_offset, again.last_offset),
            (was.base_offset, was.last_offset)
        );
    }
    assert!(matches!(
        try_append(&log, produced(9, 0, 8, 1)),
        Err(AppendError::OutOfOrderSequence {
            expected: Some(6),
            ..
        })
    ));
    assert!(!append(&log, produced(9, 0, 6, 1)).duplicate);
}

#[test]
fn a_new_epoch_fences_the_old_producer_over_a_clean_restart() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    append(&log, produced(9, 0, 0, 4));
    append(&log, produced(9, 1, 0, 4));
    let (log, report) = reopen_clean(&env, log, small());
    assert!(report.is_clean());
    assert_eq!(report.bytes_checked, 0);
    assert!(matches!(
        try_append(&log, produced(9, 0, 4, 1)),
        Err(AppendError::ProducerFenced { .. })
    ));
    assert!(append(&log, produced(9, 1, 0, 4)).duplicate);
    assert_eq!(log.active_producers()[0].last_sequence, Some(3));
}

#[test]
fn a_segment_is_closed_when_its_records_span_segment_ms() {
    let env = MemoryEnv::new();
    let config = LogConfig {
        segment_ms: 100,
        ..LogConfig::default()
    };
    let log = open(&env, config);
    for time in [1000, 1050, 1100, 1101, 1150, 1300] {
        append(&log, batch(&[time]));
    }
    let bases: Vec<_> = log
        .segments()
        .iter()
        .map(|segment| segment.base_offset.get())
        .collect();
    assert_eq!(bases, [0, 3, 5]);
}

#[test]
fn a_segment_is_closed_when_an_index_is_full() {
    let env = MemoryEnv::new();
    let config = LogConfig {
        segment_index_bytes: 8 * 12,
        index_interval_bytes: 0,
        ..LogConfig::default()
    };
    let log = open(&env, config);
    for time in 0..100 {
        append(&log, batch(&[time]));
    }
    assert!(log.segments().len() > 5);
    log.flush().unwrap();
    let largest = log
        .segments()
        .iter()
        .map(|segment| format!("{:020}.timeindex", segment.base_offset.get()))
        .filter_map(|name| {
            headwater_env::Env::metadata(&env, &std::path::Path::new(DIR).join(name)).unwrap()
        })
        .map(|metadata| metadata.len)
        .max();
    let largest = largest.expect("the sealed segments have time indexes");
    assert!(
        (7 * 12..=8 * 12).contains(&largest),
        "{largest} bytes fill the limit and do not pass it"
    );
}

#[test]
fn batch_headers_are_those_of_the_batches() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    fill(&log, 4);
    let end = log.log_end_offset();
    let headers: Vec<_> = log
        .batch_headers(offset(4), end - 4)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let bases: Vec<_> = headers
        .iter()
        .map(|header| header.base_offset.get())
        .collect();
    let expected: Vec<_> = (3..end.get() - 4).step_by(3).collect();
    assert_eq!(bases, expected);
    assert_eq!(log.batch_headers(end, end).unwrap().count(), 0);
}

fn scan(log: &headwater_log::PartitionLog<MemoryEnv>, timestamp_ms: i64) -> Option<(i64, i64)> {
    let mut records = read_all(log)
        .into_iter()
        .filter(|(offset, _, _)| *offset >= log.log_start_offset().get());
    records
        .find(|(_, time, _)| *time >= timestamp_ms)
        .map(|(offset, time, _)| (offset, time))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_time_is_found_where_a_scan_finds_it(
        appended in prop::collection::vec((prop::collection::vec(-1..60_i64, 1..5), any::<bool>()), 1..60),
        start in 0..40_i64, restart in 0..3_u8, interval in 0..400_u32,
    ) {
        let env = MemoryEnv::new();
        let config = LogConfig { index_interval_bytes: interval, ..small() };
        let mut log = open(&env, config.clone());
        for (timestamps, compress) in &appended {
            append(&log, if *compress { compressed(timestamps) } else { batch(timestamps) });
        }
        match restart {
            0 => {}
            1 => log = open(&env, config),
            _ => {
                log = reopen_clean(&env, log, config).0;
            }
        }
        log.delete_records(offset(start).min(log.log_end_offset())).unwrap();
        for timestamp_ms in -2..62 {
            let found = log.offset_for_timestamp(timestamp_ms, DecompressLimit::default()).unwrap();
            prop_assert_eq!(found.map(|found| (found.offset.get(), found.timestamp_ms)), scan(&log, timestamp_ms));
        }
        let greatest = read_all(&log).iter().map(|(_, time, _)| *time).max().filter(|time| *time >= 0);
        let found = log.offset_of_max_timestamp(DecompressLimit::default()).unwrap();
        prop_assert_eq!(
            found.map(|found| (found.offset.get(), found.timestamp_ms)),
            greatest.and_then(|greatest| scan(&log, greatest))
        );
    }

    #[test]
    fn every_offset_is_read_whatever_the_sizes(
        sizes in prop::collection::vec((1..6_usize, 0..120_usize), 1..60),
        interval in 0..400_u32, segment_bytes in 800..3000_u32, max_bytes in 1..4000_usize,
    ) {
        let env = MemoryEnv::new();
        let config = LogConfig { index_interval_bytes: interval, segment_bytes, ..small() };
        let log = open(&env, config.clone());
        let mut expected = Vec::new();
        for (records, size) in sizes {
            let records: Vec<_> = (0..records).map(|number| (number as i64, vec![number as u8; size])).collect();
            append(&log, batch_with(headwater_record::BatchOptions::default(), &records));
            expected.extend(records);
        }
        log.flush().unwrap();
        let log = reopen_clean(&env, log, config).0;
        for from in 0..expected.len() {
            let read = read_from(&log, offset(from as i64), max_bytes);
            prop_assert_eq!(read.len(), expected.len() - from);
            let is_same = read.iter().zip(from..).all(|((offset, time, value), place)| {
                *offset == place as i64 && (*time, value) == (expected[place].0, &expected[place].1)
            });
            prop_assert!(is_same);
        }
    }
}
