//! Support for the tests of the cleaner: a compacted log with keys, and a view of it like a reader's.

use std::collections::BTreeMap;

use headwater_env::Env;
use headwater_log::{Cleaned, Cleaning, CleanupPolicy, FirstBatch, LogConfig, PartitionLog};
use headwater_record::{
    BatchBuilder, BatchOptions, DecompressLimit, Offset, RecordBatch, ValidatedBatches, batches,
};

use super::{append, checked};

pub const NOW_MS: i64 = 1_000_000;
pub const TOMBSTONE_MS: i64 = 1000;

pub fn compacted() -> LogConfig {
    LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        delete_retention_ms: TOMBSTONE_MS,
        min_cleanable_dirty_ratio: 0.0,
        ..super::small()
    }
}

/// One batch of keys and values; a value of `None` is a tombstone.
pub fn keyed(options: BatchOptions, records: &[(u8, Option<u32>)]) -> ValidatedBatches {
    let mut builder = BatchBuilder::new(options);
    for (key, value) in records {
        let value = value.map(|value| format!("value {value:08}"));
        builder
            .try_append(
                i64::from(*key),
                Some(&[*key]),
                value.as_deref().map(str::as_bytes),
                &[("h", Some(b"x"))],
            )
            .expect("the record fits");
    }
    checked(builder.finish().expect("there are records"))
}

pub fn put<E: Env>(log: &PartitionLog<E>, key: u8, value: Option<u32>) -> Offset {
    append(log, keyed(BatchOptions::default(), &[(key, value)])).base_offset
}

pub fn cleaning(log_end: Offset, now_wall_ms: i64, bytes: usize) -> Cleaning<'static> {
    Cleaning {
        last_stable_offset: log_end,
        checkpointed: log_end,
        now_wall_ms,
        dedupe_buffer_bytes: bytes,
        is_stopped: &|| false,
    }
}

pub fn clean_at<E: Env>(log: &PartitionLog<E>, now_wall_ms: i64) -> Option<Cleaned> {
    log.flush().expect("the disk is good");
    log.clean(cleaning(log.log_end_offset(), now_wall_ms, 1 << 20))
        .expect("it is cleaned")
}

pub fn clean<E: Env>(log: &PartitionLog<E>) -> Option<Cleaned> {
    clean_at(log, NOW_MS)
}

/// The records that a reader sees: offset, key, value.
pub type VisibleRecords = Vec<(i64, u8, Option<Vec<u8>>)>;

pub fn walk<E: Env>(log: &PartitionLog<E>, max_bytes: usize) -> (VisibleRecords, Vec<RecordBatch>) {
    let (mut seen, mut all) = (Vec::new(), Vec::new());
    let mut next = log.log_start_offset();
    // Read up to the current end of the log: the newer record that replaced an older value meanwhile may be there.
    while next < log.log_end_offset() {
        let read = log
            .read(next, Offset::MAX, max_bytes, FirstBatch::Whole)
            .expect("a read");
        let before = next;
        for batch in batches(&read.bytes) {
            let batch = batch.expect("the batch is whole");
            batch.verify_crc().expect("the batch is undamaged");
            assert!(batch.header().last_offset() >= next, "offsets grow");
            let records = batch
                .records(DecompressLimit::default())
                .expect("the records decompress");
            for record in &records {
                let record = record.expect("the record is well formed");
                assert!(
                    (batch.header().base_offset..=batch.header().last_offset())
                        .contains(&record.offset)
                );
                if record.offset >= next {
                    let key = record.key.map_or(0, |key| key[0]);
                    assert_eq!(record.timestamp_ms, i64::from(key), "times stay");
                    assert_eq!(record.headers.count(), 1, "headers stay");
                    seen.push((record.offset.get(), key, record.value.map(<[u8]>::to_vec)));
                }
            }
            next = batch.header().next_offset();
            all.push(batch);
        }
        assert!(next > before, "each read goes on");
    }
    (seen, all)
}

pub fn seen<E: Env>(log: &PartitionLog<E>) -> VisibleRecords {
    walk(log, 300).0
}

pub fn offsets<E: Env>(log: &PartitionLog<E>) -> Vec<i64> {
    seen(log).into_iter().map(|(offset, _, _)| offset).collect()
}

pub fn last_values<E: Env>(log: &PartitionLog<E>) -> BTreeMap<u8, (i64, Option<Vec<u8>>)> {
    let last = |(offset, key, value)| (key, (offset, value));
    seen(log).into_iter().map(last).collect()
}
