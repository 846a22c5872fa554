//! Reads the content of a disk without using the log.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_record::{RecordBatch, batches};

use crate::session::PARTITION;

/// The log files of a disk by base offset.
pub fn log_files(image: &BTreeMap<String, Bytes>) -> BTreeMap<i64, Bytes> {
    let base_offset = |path: &str| {
        path.strip_prefix(PARTITION)?
            .strip_prefix('/')?
            .strip_suffix(".log")?
            .parse()
            .ok()
    };
    image
        .iter()
        .filter_map(|(path, bytes)| Some((base_offset(path)?, bytes.clone())))
        .collect()
}

/// The whole valid batches at the start of a log file.
pub fn whole_batches(bytes: &Bytes) -> impl Iterator<Item = RecordBatch> {
    batches(bytes).map_while(|batch| batch.ok().filter(|batch| batch.verify_crc().is_ok()))
}

/// The first offset from `start` on that no contiguous sequence of whole valid batches reaches. Other bytes end the
/// sequence, wherever the next segment begins.
pub fn end_of_whole_batches(image: &BTreeMap<String, Bytes>, start: i64) -> i64 {
    let files = log_files(image);
    let mut next = start;
    for (&base_offset, bytes) in &files {
        if base_offset > next {
            break;
        }
        let following = files
            .range(base_offset + 1..)
            .next()
            .map_or(i64::MAX, |(offset, _)| *offset);
        let mut whole = 0;
        for batch in whole_batches(bytes) {
            whole += batch.bytes().len();
            let header = batch.header();
            let offsets = header.base_offset.get()..=header.last_offset().get();
            if offsets.contains(&next) && offsets.end() < &following {
                next = offsets.end() + 1;
            }
        }
        if whole < bytes.len() {
            break;
        }
    }
    next
}
