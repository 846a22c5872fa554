//! Requests that are appended with one write have the same effect as requests appended one by one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::*;
use bytes::Bytes;
use headwater_env::{DirEntry, Env, MemoryEnv, Operation, SimEnv};
use headwater_log::{Appended, LogConfig, PartitionLog};
use headwater_record::{BatchOptions, ValidatedBatches};
use proptest::prelude::*;

/// A request of a producer.
#[derive(Debug, Clone, Copy)]
enum TestRequest {
    /// One batch without a producer id, with this timestamp.
    Plain(i64),
    /// Two batches in one request.
    Two,
    /// The next batch of a producer, with this many records.
    Next(i64, usize),
    /// The last batch, repeated.
    Again(i64),
    /// A batch after a gap in the sequence.
    Gap(i64),
    /// A batch with an older producer epoch.
    Fenced(i64),
    /// Larger than `max.message.bytes`.
    TooLarge,
}

fn sent() -> impl Strategy<Value = TestRequest> {
    let producer = 0..3_i64;
    prop_oneof![
        4 => (0..100_i64).prop_map(TestRequest::Plain),
        1 => Just(TestRequest::Two),
        8 => (producer.clone(), 1..5_usize).prop_map(|(producer, records)| TestRequest::Next(producer, records)),
        1 => producer.clone().prop_map(TestRequest::Again),
        1 => producer.clone().prop_map(TestRequest::Gap),
        1 => producer.prop_map(TestRequest::Fenced),
        1 => Just(TestRequest::TooLarge),
    ]
}

fn request(sent: TestRequest, sequences: &mut BTreeMap<i64, (i32, usize)>) -> ValidatedBatches {
    let mut of = |producer, records, skip| {
        let (next, last) = sequences.entry(producer).or_insert((0, 1));
        let first = *next + skip;
        if skip == 0 {
            (*next, *last) = (first + records as i32, records);
        }
        produced(producer, 1, first, records)
    };
    match sent {
        TestRequest::Plain(time) => batch(&[time]),
        TestRequest::Two => {
            let both = [batch(&[1, 2]), batch(&[3])];
            let bytes: Vec<u8> = both.iter().flat_map(|one| one.bytes().to_vec()).collect();
            checked(Bytes::from(bytes))
        }
        TestRequest::Next(producer, records) => of(producer, records, 0),
        TestRequest::Gap(producer) => of(producer, 1, 7),
        TestRequest::Again(producer) => {
            let (next, last) = sequences.get(&producer).copied().unwrap_or((1, 1));
            produced(producer, 1, (next - last as i32).max(0), last)
        }
        TestRequest::Fenced(producer) => produced(producer, 0, 0, 1),
        TestRequest::TooLarge => batch_with(BatchOptions::default(), &[(1, vec![7; 900])]),
    }
}

fn config(interval: u32, segment_bytes: u32, segment_index_bytes: u32) -> LogConfig {
    LogConfig {
        index_interval_bytes: interval,
        segment_bytes,
        segment_index_bytes,
        segment_ms: 80,
        segment_jitter_ms: 0,
        max_message_bytes: 800,
        ..small()
    }
}

fn one_by_one<E: Env>(
    log: &PartitionLog<E>,
    run: &[ValidatedBatches],
) -> Vec<Result<Appended, String>> {
    let append = |batches: &ValidatedBatches| {
        try_append(log, batches.clone()).map_err(|error| error.to_string())
    };
    run.iter().map(append).collect()
}

/// Appends a run of requests like the broker.
fn together<E: Env>(
    log: &PartitionLog<E>,
    run: &[ValidatedBatches],
) -> Vec<Result<Appended, String>> {
    let before = log.log_end_offset();
    if let Some(appended) = log.append_together_as_leader(run, epoch(0)) {
        return appended.into_iter().map(Ok).collect();
    }
    assert_eq!(log.log_end_offset(), before, "nothing was appended");
    one_by_one(log, run)
}

/// Every file of the log.
fn files<E: Env>(env: &E) -> BTreeMap<String, Bytes> {
    let entries = env.read_dir(Path::new(DIR)).unwrap();
    let content = |entry: DirEntry| {
        let bytes = env.read_file(&Path::new(DIR).join(&entry.name)).unwrap();
        (entry.name, bytes.unwrap_or_default())
    };
    entries.into_iter().map(content).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_the_same_and_so_is_each_answer(
        runs in prop::collection::vec(prop::collection::vec(sent(), 1..7), 1..30),
        interval in 0..300_u32, segment_bytes in 800..4000_u32, index_entries in 4..40_u32,
    ) {
        let config = config(interval, segment_bytes, index_entries * 12);
        let (env, env_together) = (MemoryEnv::new(), MemoryEnv::new());
        let (log, log_together) = (open(&env, config.clone()), open(&env_together, config));
        let mut sequences = BTreeMap::new();
        for run in runs {
            let run: Vec<_> = run.into_iter().map(|sent| request(sent, &mut sequences)).collect();
            prop_assert_eq!(together(&log_together, &run), one_by_one(&log, &run));
        }
        prop_assert_eq!(log_together.segments().len(), log.segments().len());
        prop_assert_eq!(log_together.active_producers(), log.active_producers());
        log.close().unwrap();
        log_together.close().unwrap();
        prop_assert_eq!(files(&env_together), files(&env));
    }
}

#[test]
fn a_run_is_one_write() {
    let env = SimEnv::new(1);
    let log = open(&env, config(150, 4000, 1000));
    append(&log, batch(&[1]));
    let run: Vec<_> = (0..5).map(|at| produced(9, 0, 3 * at, 3)).collect();
    let before = env.calls(Operation::Write);
    let appended = log.append_together_as_leader(&run, epoch(0)).unwrap();
    assert_eq!(env.calls(Operation::Write), before + 1);
    let bases: Vec<_> = appended.iter().map(|one| one.base_offset.get()).collect();
    assert_eq!(bases, [1, 4, 7, 10, 13]);
    assert_eq!(offsets(&log), (0..16).collect::<Vec<_>>());
}

#[test]
fn a_run_that_does_not_go_together_leaves_no_trace() {
    let env = SimEnv::new(1);
    let log = open(&env, config(150, 1000, 1000));
    let first = produced(9, 0, 0, 3);
    let none = |run: &[ValidatedBatches]| {
        let before = (log.log_end_offset(), log.active_producers(), env.image());
        assert_eq!(log.append_together_as_leader(run, epoch(0)), None);
        let after = (log.log_end_offset(), log.active_producers(), env.image());
        assert_eq!(after, before);
    };
    // The first request of a segment is appended alone.
    none(&[first.clone(), produced(9, 0, 3, 3)]);
    append(&log, first.clone());
    none(&[first, produced(9, 0, 3, 3)]);
    none(&[produced(9, 0, 3, 3), produced(9, 0, 3, 3)]);
    none(&[produced(9, 0, 3, 3), produced(9, 0, 9, 3)]);
    let many: Vec<_> = (1..8).map(|at| produced(9, 0, 3 * at, 3)).collect();
    none(&many);
    log.close().unwrap();
    none(&[batch(&[1]), batch(&[2])]);
}
