//! Compares the log with the limits of the disk, measured in the same run: `cargo bench -p headwater-log` (or
//! `--profile fast`).
#![allow(missing_docs, reason = "a bench")]
#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a bench ends at the first failure"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_env::{Env, File, OpenMode, RealEnv};
use headwater_log::{FirstBatch, LogConfig, OpenState, PartitionLog};
use headwater_record::{
    BatchBuilder, BatchOptions, ByteSource, LeaderEpoch, Offset, ValidatedBatches, ValidationRules,
    batches, validate,
};

/// The number of runs of each side of a comparison, in turns; the best counts.
const ROUNDS: usize = 7;
const TOTAL_BYTES: usize = 512 << 20;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    println!(
        "{:<58} {:>12} {:>12} {:>7}",
        "what", "ours", "limit", "ratio"
    );
    for batch_bytes in [1 << 20, 16 << 10] {
        append(directory.path(), batch_bytes);
    }
    for batch_bytes in [1 << 20, 16 << 10, 1 << 10] {
        read(directory.path(), batch_bytes);
    }
    lookup(directory.path());
    group_commit(directory.path());
    open_many(directory.path());
}

fn config() -> LogConfig {
    LogConfig {
        max_message_bytes: 16 << 20,
        ..LogConfig::default()
    }
}

fn open(path: &Path, start: OpenState) -> PartitionLog<RealEnv> {
    PartitionLog::open(RealEnv, path, config(), start)
        .unwrap()
        .0
}

fn fresh(directory: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    directory.join(format!("topic-{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
}

/// A batch of about `bytes`, with 100-byte values.
fn batch(bytes: usize) -> ValidatedBatches {
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity: bytes,
        ..BatchOptions::default()
    });
    let value = [b'v'; 100];
    let mut time = 0;
    while builder.try_append(time, None, Some(&value), &[]).is_ok() {
        time += 1;
    }
    let rules = ValidationRules {
        source: ByteSource::Builder,
        max_batch_bytes: 16 << 20,
        ..ValidationRules::default()
    };
    validate(builder.finish().unwrap(), &rules).unwrap()
}

fn report(what: &str, ours: f64, limit: f64, unit: &str) {
    println!(
        "{what:<58} {ours:>7.2} {unit} {limit:>7.2} {unit} {:>7.2}",
        ours / limit
    );
}

fn gigabytes(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e9 / time.as_secs_f64()
}

fn append(directory: &Path, batch_bytes: usize) {
    let batch = batch(batch_bytes);
    let (size, count) = (batch.size_in_bytes(), TOTAL_BYTES / batch.size_in_bytes());
    let (mut ours, mut limit) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let path = fresh(directory);
        let file = RealEnv.open_file(&path, OpenMode::CreateNew).unwrap();
        let start = Instant::now();
        for number in 0..count {
            file.write_all_at(batch.bytes(), (number * size) as u64)
                .unwrap();
        }
        limit = limit.min(start.elapsed());
        std::fs::remove_file(path).unwrap();

        let path = fresh(directory);
        let log = open(&path, OpenState::UNKNOWN);
        log.append_as_leader(batch.clone(), LeaderEpoch::new(0))
            .unwrap();
        let start = Instant::now();
        for _ in 1..count {
            log.append_as_leader(batch.clone(), LeaderEpoch::new(0))
                .unwrap();
        }
        ours = ours.min(start.elapsed());
        drop(log);
        std::fs::remove_dir_all(path).unwrap();
    }
    let what = format!(
        "append {} KiB batches, against write(2) of the same",
        batch_bytes >> 10
    );
    report(
        &what,
        gigabytes(count * size, ours),
        gigabytes(count * size, limit),
        "GB/s",
    );
}

fn read(directory: &Path, batch_bytes: usize) {
    let path = fresh(directory);
    let log = open(&path, OpenState::UNKNOWN);
    let batch = batch(batch_bytes);
    while log.size_in_bytes() < TOTAL_BYTES as u64 / 2 {
        log.append_as_leader(batch.clone(), LeaderEpoch::new(0))
            .unwrap();
    }
    let total = log.size_in_bytes() as usize;
    let (mut plain, mut checked, mut limit) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let file = RealEnv
        .open_file(&path.join("00000000000000000000.log"), OpenMode::Read)
        .unwrap();
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut position = 0;
        while let read @ 1.. = file.read_at(&mut buffer, position as u64).unwrap() {
            black_box(&buffer);
            position += read;
        }
        limit = limit.min(start.elapsed());
        for check in [false, true] {
            let start = Instant::now();
            let (mut next, mut bytes) = (Offset::ZERO, 0);
            while next < log.log_end_offset() {
                let read = log
                    .read(next, Offset::MAX, 1 << 20, FirstBatch::Whole)
                    .unwrap();
                for batch in batches(&read.bytes) {
                    let batch = batch.unwrap();
                    if check {
                        batch.verify_crc().unwrap();
                    }
                    next = batch.header().next_offset();
                    bytes += batch.bytes().len();
                }
            }
            assert_eq!(bytes, total);
            let best = if check { &mut checked } else { &mut plain };
            *best = (*best).min(start.elapsed());
        }
    }
    for (what, ours) in [("without CRC", plain), ("with CRC", checked)] {
        let what = format!(
            "read {} KiB batches {what}, against pread by 1 MiB",
            batch_bytes >> 10
        );
        report(
            &what,
            gigabytes(total, ours),
            gigabytes(total, limit),
            "GB/s",
        );
    }
    drop(log);
    std::fs::remove_dir_all(path).unwrap();
}

fn lookup(directory: &Path) {
    let path = fresh(directory);
    let log = open(&path, OpenState::UNKNOWN);
    let batch = batch(4 << 10);
    while log.size_in_bytes() < 256 << 20 {
        log.append_as_leader(batch.clone(), LeaderEpoch::new(0))
            .unwrap();
    }
    let end = log.log_end_offset();
    let file = RealEnv
        .open_file(&path.join("00000000000000000000.log"), OpenMode::Read)
        .unwrap();
    let time = |log: &PartitionLog<RealEnv>| {
        let (mut seed, count) = (1_u64, 20_000);
        let start = Instant::now();
        for _ in 0..count {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let offset = Offset::new((seed >> 33) as i64 % end.get());
            black_box(log.read(offset, Offset::MAX, 1, FirstBatch::Whole).unwrap());
        }
        start.elapsed().as_secs_f64() / f64::from(count) * 1e6
    };
    let mut buffer = [0; 4096];
    let start = Instant::now();
    for number in 0..20_000 {
        file.read_at(&mut buffer, number % 60_000 * 4096).unwrap();
    }
    let limit = start.elapsed().as_secs_f64() / 20_000.0 * 1e6;
    let active = time(&log);
    report(
        "read a 4 KiB batch at random, index in memory (pread)",
        active,
        limit,
        "us  ",
    );
    log.roll().unwrap();
    log.flush().unwrap();
    let sealed = time(&log);
    report("the same, index on disk", sealed, limit, "us  ");
    drop(log);
    std::fs::remove_dir_all(path).unwrap();
}

fn group_commit(directory: &Path) {
    let mut single = 0.0;
    for threads in [1, 2, 4, 8, 16] {
        let path = fresh(directory);
        let log = open(&path, OpenState::UNKNOWN);
        let batch = batch(4 << 10);
        let (appends, start) = (AtomicU64::new(0), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while start.elapsed() < Duration::from_millis(700) {
                        let appended = log
                            .append_as_leader(batch.clone(), LeaderEpoch::new(0))
                            .unwrap();
                        log.wait_flushed(appended.next_offset()).unwrap();
                        appends.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let rate = appends.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64() / 1e3;
        if threads == 1 {
            single = rate;
        }
        let what = format!("append 4 KiB and wait for fsync, {threads} threads (one)");
        report(&what, rate, single, "k/s ");
        drop(log);
        std::fs::remove_dir_all(path).unwrap();
    }
}

/// 1,000 partitions of 10 MiB. Their logs are sparse files: real batches at the end, which opening reads, and a hole
/// before them.
fn open_many(directory: &Path) {
    const PARTITIONS: usize = 1000;
    const HOLE_BYTES: u64 = 10 << 20;
    let root = fresh(directory);
    let template = root.join("template");
    let log = open(&template, OpenState::UNKNOWN);
    let batch = batch(16 << 10);
    for _ in 0..4 {
        log.append_as_leader(batch.clone(), LeaderEpoch::new(0))
            .unwrap();
    }
    let end = log.close().unwrap();
    let names: Vec<String> = RealEnv
        .read_dir(&template)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    for partition in 0..PARTITIONS {
        let path = root.join(format!("t-{partition}"));
        RealEnv.create_dir_all(&path).unwrap();
        for name in &names {
            let bytes = RealEnv.read_file(&template.join(name)).unwrap().unwrap();
            let file = RealEnv
                .open_file(&path.join(name), OpenMode::CreateNew)
                .unwrap();
            if name.ends_with(".log") {
                file.write_all_at(&bytes, HOLE_BYTES).unwrap();
            } else if name.ends_with(".index") {
                file.write_all_at(&shifted(&bytes, HOLE_BYTES as u32), 0)
                    .unwrap();
            } else {
                file.write_all_at(&bytes, 0).unwrap();
            }
        }
    }
    let start = Instant::now();
    let logs: Vec<_> = (0..PARTITIONS)
        .map(|partition| {
            let start = OpenState {
                clean_shutdown: true,
                recovery_point: end,
                log_start_offset: Offset::ZERO,
                ..OpenState::UNKNOWN
            };
            open(&root.join(format!("t-{partition}")), start)
        })
        .collect();
    let time = start.elapsed().as_secs_f64() * 1e3;
    assert!(logs.iter().all(|log| log.log_end_offset() == end));
    let total: u64 = logs.iter().map(PartitionLog::size_in_bytes).sum();
    let gibibytes = total as f64 / f64::from(1 << 30);
    let what = format!("open 1,000 partitions, {gibibytes:.1} GiB, closed in order (goal)");
    report(&what, time, 1000.0, "ms  ");
    let empty = fresh(directory);
    let start = Instant::now();
    black_box(open(&empty, OpenState::UNKNOWN));
    report(
        "open an empty partition (goal)",
        start.elapsed().as_secs_f64() * 1e3,
        20.0,
        "ms  ",
    );
    drop(logs);
    std::fs::remove_dir_all(root).unwrap();
}

/// The entries of an offset index, for a log that begins `by` bytes later.
fn shifted(index: &[u8], by: u32) -> Vec<u8> {
    let mut out = index.to_vec();
    for entry in out.chunks_exact_mut(8) {
        let position = u32::from_be_bytes([entry[4], entry[5], entry[6], entry[7]]);
        entry[4..].copy_from_slice(&(position + by).to_be_bytes());
    }
    out
}
