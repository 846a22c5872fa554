//! Producers and transactions in a compacted log.

use std::path::Path;

use crate::support::compacted::{
    NOW_MS, TOMBSTONE_MS, clean, clean_at, compacted, keyed, offsets, put, walk,
};
use crate::support::{append, checked, files, offset, open, try_append};
use headwater_env::{Env, MemoryEnv};
use headwater_log::PartitionLog;
use headwater_record::{
    BatchOptions, ControlType, DecompressLimit, Offset, ProducerEpoch, ProducerId, ProducerState,
    control_batch,
};

fn of_producer(base_sequence: i32, key: u8, value: u32) -> headwater_record::ValidatedBatches {
    let producer = Some(ProducerState {
        id: ProducerId::new(7),
        epoch: ProducerEpoch::new(0),
        base_sequence,
    });
    let options = BatchOptions {
        producer,
        ..BatchOptions::default()
    };
    keyed(options, &[(key, Some(value))])
}

#[test]
fn the_last_batch_of_a_producer_stays_empty_to_keep_its_sequence() {
    let env = MemoryEnv::new();
    let log = open(&env, compacted());
    for sequence in 0..3 {
        append(&log, of_producer(sequence, 1, 0));
    }
    put(&log, 1, Some(9));
    put(&log, 2, Some(9));
    log.roll().unwrap();
    clean(&log).unwrap();
    assert_eq!(offsets(&log), [3, 4]);
    let (_, all) = walk(&log, 300);
    assert_eq!(all[0].header().record_count, 0);
    assert_eq!(all[0].header().last_offset(), offset(2));
    // Only the log has the state.
    drop(log);
    for name in files(&env)
        .iter()
        .filter(|name| name.ends_with(".snapshot"))
    {
        env.remove_file(&Path::new(crate::support::DIR).join(name))
            .unwrap();
    }
    let log = open(&env, compacted());
    assert!(append(&log, of_producer(2, 1, 0)).duplicate);
    assert!(
        try_append(&log, of_producer(4, 1, 0)).is_err(),
        "3 is missing"
    );
    append(&log, of_producer(3, 1, 0));
    // Once the producer has written more, the empty batch can be removed.
    log.roll().unwrap();
    clean(&log).unwrap();
    let (_, all) = walk(&log, 300);
    assert_eq!(all[0].header().base_offset, offset(4));
}

#[test]
fn the_greatest_timestamp_belongs_to_an_existing_record() {
    let log = open(&MemoryEnv::new(), compacted());
    append(&log, of_producer(0, 200, 0));
    put(&log, 5, Some(1));
    put(&log, 200, None);
    put(&log, 6, Some(1));
    log.roll().unwrap();
    clean(&log).unwrap();
    put(&log, 1, Some(1));
    log.roll().unwrap();
    clean_at(&log, NOW_MS + TOMBSTONE_MS).unwrap();
    assert_eq!(offsets(&log), [1, 3, 4]);
    let greatest = log
        .offset_of_max_timestamp(DecompressLimit::default())
        .unwrap();
    assert_eq!(greatest.unwrap().offset, offset(3));
    let found = log
        .offset_for_timestamp(6, DecompressLimit::default())
        .unwrap();
    assert_eq!(found.unwrap().offset, offset(3));
    assert_eq!(
        log.offset_for_timestamp(7, DecompressLimit::default())
            .unwrap(),
        None
    );
}

/// A transaction of one record for key 1, and the marker that ends it.
fn transaction<E: Env>(log: &PartitionLog<E>, base_sequence: i32, end: ControlType) {
    let (id, epoch) = (ProducerId::new(9), ProducerEpoch::new(0));
    let options = BatchOptions {
        producer: Some(ProducerState {
            id,
            epoch,
            base_sequence,
        }),
        transactional: true,
        ..BatchOptions::default()
    };
    append(log, keyed(options, &[(1, Some(7))]));
    append(log, checked(control_batch(end, 1, id, epoch, 0)));
}

#[test]
fn an_aborted_record_does_not_replace_older_ones_and_markers_stay() {
    let log = open(&MemoryEnv::new(), compacted());
    put(&log, 1, Some(1));
    put(&log, 1, Some(2));
    transaction(&log, 0, ControlType::Abort);
    log.roll().unwrap();
    let aborted = |log: &PartitionLog<MemoryEnv>| {
        log.aborted_transactions(Offset::ZERO, log.log_end_offset())
            .unwrap()
    };
    let before = aborted(&log);
    assert_eq!(before.len(), 1);
    clean(&log).unwrap();
    let bases = |log: &PartitionLog<MemoryEnv>| -> Vec<i64> {
        let headers = log.batch_headers(Offset::ZERO, Offset::MAX).unwrap();
        headers
            .map(|header| header.unwrap().base_offset.get())
            .collect()
    };
    assert_eq!(
        bases(&log),
        [1, 2, 3],
        "the record that was committed stays"
    );
    assert_eq!(aborted(&log), before);
    // A committed record is newer than both.
    transaction(&log, 1, ControlType::Commit);
    log.roll().unwrap();
    clean(&log).unwrap();
    assert_eq!(bases(&log), [2, 3, 4, 5]);
    assert_eq!(aborted(&log), before);
}
