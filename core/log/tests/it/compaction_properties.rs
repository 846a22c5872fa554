//! Properties of the cleaner: compared with a model, with concurrent readers, and on a full disk.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::compacted::{
    NOW_MS, TOMBSTONE_MS, VisibleRecords, clean, cleaning, compacted, keyed, last_values, offsets,
    put, seen, walk,
};
use crate::support::{append, files, offset, open, open_with};
use headwater_env::{Env, Fault, Operation, RealEnv, SimEnv, Times};
use headwater_log::{CleanError, OpenState, PartitionLog};
use headwater_record::{
    BatchOptions, Compression, Offset, ProducerEpoch, ProducerId, ProducerState,
};
use proptest::prelude::*;

#[test]
fn readers_see_every_last_value_while_segments_are_replaced() {
    let env = RealEnv;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t-0");
    let (log, _) = PartitionLog::open(env, &path, compacted(), OpenState::UNKNOWN).unwrap();
    for value in 0..200 {
        put(&log, (value % 50) as u8, Some(value));
    }
    std::thread::scope(|scope| {
        let reader = || {
            for _ in 0..300 {
                let (seen, _) = walk(&log, 200);
                let mut last = BTreeMap::new();
                for (offset, key, _) in &seen {
                    assert!(
                        last.insert(*key, *offset)
                            .is_none_or(|before| before < *offset)
                    );
                }
                assert_eq!(last.len(), 50, "a key is missing");
            }
        };
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(reader)).collect();
        let mut value = 200;
        while readers.iter().any(|reader| !reader.is_finished()) {
            for _ in 0..20 {
                put(&log, (value % 50) as u8, Some(value));
                value += 1;
            }
            log.roll().unwrap();
            clean(&log);
            log.delete_due_files().unwrap();
        }
    });
}

#[test]
fn a_full_disk_leaves_the_log_whole() {
    let full = |env: &SimEnv, nth| {
        env.inject(Fault {
            operation: Operation::Write,
            nth,
            times: Times::Once,
            error: std::io::ErrorKind::StorageFull,
        });
    };
    let machine = || {
        let env = SimEnv::new(3);
        let log = open(&env, compacted());
        for value in 0..60 {
            put(&log, (value % 7) as u8, Some(value));
        }
        log.roll().unwrap();
        log.flush().unwrap();
        (env, log)
    };
    let mut failed = 0;
    for nth in 0..20 {
        let (env, log) = machine();
        let before = last_values(&log);
        full(&env, nth);
        let result = log.clean(cleaning(offset(60), NOW_MS, 1 << 20));
        match result {
            Err(CleanError::File(error)) => {
                assert!(error.is_disk_full());
                failed += 1;
                assert_eq!(last_values(&log), before);
                assert!(!files(&env).iter().any(|name| name.ends_with(".cleaned")));
                assert_eq!(log.cleaner_checkpoint(), None);
            }
            result => drop(result.unwrap()),
        }
        env.clear_faults();
        put(&log, 1, Some(1));
        log.roll().unwrap();
        clean(&log).unwrap();
        assert_eq!(offsets(&log), [53, 54, 55, 56, 58, 59, 60]);
    }
    assert!(failed > 2, "only {failed} cleanings failed");
}

#[derive(Debug, Clone)]
enum Step {
    Append {
        records: Vec<(u8, bool)>,
        codec: i8,
        producer: bool,
    },
    Roll,
    Clean {
        room: usize,
    },
    Wait(u64),
    DeleteRecords(u64),
    Reopen {
        clean: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (prop::collection::vec((0..12_u8, any::<bool>()), 1..6), 0..5_i8, any::<bool>())
            .prop_map(|(records, codec, producer)| Step::Append { records, codec, producer }),
        2 => Just(Step::Roll),
        4 => prop_oneof![Just(1 << 20), 48..400_usize].prop_map(|room| Step::Clean { room }),
        2 => (0..2 * TOMBSTONE_MS as u64).prop_map(Step::Wait),
        1 => (0..40_u64).prop_map(Step::DeleteRecords),
        1 => any::<bool>().prop_map(|clean| Step::Reopen { clean }),
    ]
}

/// The written records, and which of them may have been removed.
#[derive(Debug, Default)]
struct Model {
    /// By offset: key and value.
    written: BTreeMap<i64, (u8, Option<Vec<u8>>)>,
    /// Before this offset there is at most one record of each key.
    cleaned_to: i64,
    start: i64,
}

impl Model {
    fn check(&self, seen: &VisibleRecords) {
        let mut last = BTreeMap::new();
        for (offset, (key, value)) in self.written.range(self.start..) {
            last.insert(*key, (*offset, value.clone()));
        }
        let mut found = BTreeMap::new();
        let mut in_clean_part = BTreeMap::new();
        for (offset, key, value) in seen {
            assert_eq!(
                self.written.get(offset),
                Some(&(*key, value.clone())),
                "offset {offset}"
            );
            found.insert(*key, (*offset, value.clone()));
            if *offset < self.cleaned_to {
                let before = in_clean_part.insert(*key, *offset);
                assert_eq!(
                    before, None,
                    "key {key} is twice in the clean part, at {offset} too"
                );
            }
        }
        for (key, newest) in &last {
            match found.get(key) {
                Some(seen) => assert_eq!(seen, newest, "key {key}"),
                // Only a tombstone may be removed, and then no older record of the key may be left.
                None => assert_eq!(newest.1, None, "the last value of key {key} is gone"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_last_value_of_each_key_is_always_there_and_never_an_older_one(steps in prop::collection::vec(step(), 1..60)) {
        let env = SimEnv::new(1);
        let mut log = open(&env, compacted());
        let (mut model, mut value, mut sequence) = (Model::default(), 0, 0);
        for step in steps {
            match step {
                Step::Append { records, codec, producer } => {
                    let records: Vec<_> = records.into_iter().map(|(key, is_tombstone)| {
                        value += 1;
                        (key, (!is_tombstone).then_some(value))
                    }).collect();
                    let producer = producer.then_some(ProducerState {
                        id: ProducerId::new(1), epoch: ProducerEpoch::new(0), base_sequence: sequence,
                    });
                    if producer.is_some() {
                        sequence += records.len() as i32;
                    }
                    let options = BatchOptions {
                        compression: Compression::from_id(codec).unwrap(), producer, ..BatchOptions::default()
                    };
                    let base = append(&log, keyed(options, &records)).base_offset.get();
                    for (offset, (key, value)) in (base..).zip(records) {
                        let value = value.map(|value| format!("value {value:08}").into_bytes());
                        model.written.insert(offset, (key, value));
                    }
                }
                Step::Roll => log.roll().unwrap(),
                Step::Clean { room } => {
                    log.flush().unwrap();
                    let end = log.log_end_offset();
                    if let Some(cleaned) = log.clean(cleaning(end, env.wall_clock_ms(), room)).unwrap() {
                        model.cleaned_to = cleaned.first_dirty_offset.get();
                    }
                }
                Step::Wait(ms) => env.advance(Duration::from_millis(ms)),
                Step::DeleteRecords(percent) => {
                    let (start, end) = (log.log_start_offset(), log.log_end_offset());
                    let before = start + (end - start) * percent as i64 / 100;
                    model.start = log.delete_records(before).unwrap().get();
                    log.apply_retention(env.wall_clock_ms()).unwrap();
                }
                Step::Reopen { clean } => {
                    let start = OpenState {
                        clean_shutdown: clean,
                        same_boot: false,
                        recovery_point: if clean { log.close().unwrap() } else { Offset::ZERO },
                        log_start_offset: log.log_start_offset(),
                        cleaner_checkpoint: log.cleaner_checkpoint(),
                        leader_epoch: None,
                    };
                    drop(log);
                    let (opened, report) = open_with(&env, compacted(), start);
                    prop_assert!(report.is_clean(), "{}", report);
                    log = opened;
                }
            }
            model.check(&seen(&log));
        }
    }
}
