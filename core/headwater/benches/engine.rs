//! Measures the engine through its public API, each figure with the limit of the machine in the same run.
//!
//! `cargo bench -p headwater --bench engine --profile fast [-- NAME]`. Runs alternate with their limit, and the best of
//! each counts. The last column is the ratio of this thread's processor time, which is more reliable than wall time on
//! a shared machine.

mod opening;
mod stopwatch;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, BinaryArray, RecordBatch};
use headwater::{
    BatchOptions, BatchStream, BulkOptions, ConsumerConfig, Engine, NO_CONFIG, NewTopic,
    ProducerConfig, Record, ScanOptions, Until,
};
use stopwatch::{RunTime, Stopwatch};
use tempfile::TempDir;

/// The same allocator as in the Python and Node packages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The encoded bytes of one run.
const RUN_BYTES: usize = 192 << 20;
const MIB: usize = 1 << 20;
const TURNS: usize = 5;

fn main() {
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    println!(
        "{:<44} {:>14} {:>14} {:>8} {:>8}",
        "what", "ours", "limit", "ratio", "cpu"
    );
    for size in [100, 1_000] {
        if wanted("produce") {
            produce(size);
        }
        if wanted("scan") {
            scan(size);
        }
    }
    if wanted("send") {
        send(&ProducerConfig::default(), "send() one by one, 100 bytes");
        let large = ProducerConfig::parse([("batch.size", "262144")]);
        send(
            &large.expect("a valid size"),
            "send() one by one, batch.size=256 KiB",
        );
    }
    if wanted("open") {
        opening::open_empty();
        opening::open_many();
    }
}

fn directory() -> TempDir {
    // In the build directory, because `/tmp` may be in memory.
    let parent = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, Into::into);
    TempDir::new_in(parent).expect("a directory for the bench")
}

/// An engine with an empty topic.
fn with_topic(directory: &TempDir) -> Engine {
    let engine = headwater::open(Some(directory.path()), NO_CONFIG).expect("an engine");
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .expect("a topic");
    engine
}

fn table(size: usize, rows: usize) -> RecordBatch {
    let value = vec![b'x'; size];
    let values = BinaryArray::from_iter_values((0..rows).map(|_| &value));
    RecordBatch::try_from_iter([("value", Arc::new(values) as ArrayRef)]).expect("one column")
}

fn value_column() -> BulkOptions {
    BulkOptions {
        value: Some("value".into()),
        ..BulkOptions::default()
    }
}

/// Writes an Arrow table to the page cache, against `write(2)` of the same number of bytes in calls of 1 MiB.
fn produce(size: usize) {
    let rows = RUN_BYTES / (size + 10);
    let table = table(size, rows);
    let (mut ours, mut limit) = (RunTime::MAX, RunTime::MAX);
    let mut bytes = 0;
    for turn in 0..TURNS {
        let directory = directory();
        let engine = with_topic(&directory);
        let producer = engine.producer(ProducerConfig::default());
        // The second writer after dropping the cache is a tenth faster, so the order alternates too.
        if turn % 2 == 1 {
            limit = limit.min(write_all(&directory.path().join("limit"), RUN_BYTES));
        }
        let start = Stopwatch::start();
        let result = engine
            .block_on(producer.send_batch("t", &table, &value_column()))
            .expect("sent");
        ours = ours.min(start.spent());
        bytes = result.bytes as usize;
        drop((producer, engine));
        if turn % 2 == 0 {
            limit = limit.min(write_all(&directory.path().join("limit"), bytes));
        }
    }
    report(
        &format!("Arrow to page cache, {size} bytes"),
        &rate(rows, ours),
        &rate(rows, limit),
        limit,
        ours,
    );
    println!(
        "{:<44} {:>14} {:>14}",
        "",
        throughput(bytes, ours),
        throughput(bytes, limit)
    );
}

fn write_all(path: &Path, bytes: usize) -> RunTime {
    let buffer = vec![b'x'; MIB];
    let mut file = File::create(path).expect("a file");
    let start = Stopwatch::start();
    let mut left = bytes;
    while left > 0 {
        let part = left.min(MIB);
        file.write_all(&buffer[..part]).expect("written");
        left -= part;
    }
    start.spent()
}

/// Reads the log to Arrow views with the CRC checked, against `pread(2)` of the same bytes in calls of 1 MiB. The first
/// read of a topic fills the page tables; later reads find the pages there.
fn scan(size: usize) {
    let rows = RUN_BYTES / (size + 10);
    let table = table(size, rows);
    let (mut first, mut again, mut stream) = (RunTime::MAX, RunTime::MAX, RunTime::MAX);
    let (mut limit, mut bytes) = (RunTime::MAX, 0);
    for _ in 0..TURNS {
        let directory = directory();
        let engine = with_topic(&directory);
        let producer = engine.producer(ProducerConfig::default());
        engine
            .block_on(producer.send_batch("t", &table, &value_column()))
            .expect("sent");
        first = first.min(read_scan(&engine, rows));
        // The first of these creates the map.
        for _ in 0..3 {
            again = again.min(read_scan(&engine, rows));
        }
        stream = stream.min(read_batches(&engine, rows));
        let (time, read) = pread_all(&directory.path().join("t-0"));
        limit = limit.min(time);
        bytes = read;
    }
    for (what, ours) in [
        ("scan to views with CRC, first read", first),
        ("scan to views with CRC", again),
        ("consumer's batches with CRC", stream),
    ] {
        report(
            &format!("{what}, {size} bytes"),
            &rate(rows, ours),
            &rate(rows, limit),
            limit,
            ours,
        );
    }
    println!(
        "{:<44} {:>14} {:>14}",
        "",
        throughput(bytes, again),
        throughput(bytes, limit)
    );
}

fn read_scan(engine: &Engine, rows: usize) -> RunTime {
    let scan = engine.topic("t").scan(ScanOptions::default());
    let start = Stopwatch::start();
    let mut reader = engine.block_on(scan.reader()).expect("a reader");
    let mut seen = 0;
    while let Some(batch) = reader.next_batch_blocking().expect("read") {
        seen += batch.len();
    }
    let time = start.spent();
    assert_eq!(seen, rows);
    time
}

fn read_batches(engine: &Engine, rows: usize) -> RunTime {
    let config =
        ConsumerConfig::parse([("auto.offset.reset", "earliest")]).expect("a valid configuration");
    let mut consumer = engine.consumer(config);
    engine
        .block_on(consumer.assign_topics(&["t"]))
        .expect("assigned");
    let stream = BatchStream::new(BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    })
    .expect("the limits let records through");
    let start = Stopwatch::start();
    let mut seen = 0;
    while let Some(batch) = engine.block_on(consumer.next_batch(&stream)).expect("read") {
        seen += batch.len();
    }
    let time = start.spent();
    assert_eq!(seen, rows);
    time
}

fn pread_all(partition: &Path) -> (RunTime, usize) {
    let mut buffer = vec![0; MIB];
    let mut total = 0;
    let mut time = RunTime::default();
    for entry in fs::read_dir(partition).expect("a partition") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let file = File::open(path).expect("a segment");
            let start = Stopwatch::start();
            let mut at = 0;
            loop {
                let read = file.read_at(&mut buffer, at).expect("read");
                if read == 0 {
                    break;
                }
                at += read as u64;
            }
            time += start.spent();
            total += at as usize;
        }
    }
    (time, total)
}

/// Sends single records from one thread.
fn send(config: &ProducerConfig, what: &str) {
    const RECORDS: usize = 2_000_000;
    let value = [b'x'; 100];
    let (mut ours, mut limit) = (RunTime::MAX, RunTime::MAX);
    for _ in 0..TURNS {
        let directory = directory();
        let engine = with_topic(&directory);
        let producer = engine.producer(config.clone());
        let record = Record::new("t", &value);
        drop(producer.send_blocking(&record).expect("sent"));
        let start = Stopwatch::start();
        for _ in 0..RECORDS {
            match producer.try_send(&record) {
                Ok(handle) => drop(handle),
                Err(_) => drop(producer.send_blocking(&record).expect("sent")),
            }
        }
        engine.block_on(producer.flush()).expect("flushed");
        ours = ours.min(start.spent());
        limit = limit.min(write_all(&directory.path().join("limit"), RECORDS * 110));
    }
    report(
        what,
        &rate(RECORDS, ours),
        &rate(RECORDS, limit),
        limit,
        ours,
    );
}

fn report(what: &str, ours: &str, of_limit: &str, limit: RunTime, time: RunTime) {
    let ratio = |limit: Duration, time: Duration| limit.as_secs_f64() / time.as_secs_f64();
    let wall = ratio(limit.wall, time.wall);
    let cpu = ratio(limit.cpu, time.cpu);
    println!("{what:<44} {ours:>14} {of_limit:>14} {wall:>8.2} {cpu:>8.2}");
}

fn rate(records: usize, time: RunTime) -> String {
    format!("{:.1} M/s", records as f64 / time.wall.as_secs_f64() / 1e6)
}

fn throughput(bytes: usize, time: RunTime) -> String {
    format!("{:.2} GB/s", bytes as f64 / time.wall.as_secs_f64() / 1e9)
}

fn millis(time: RunTime) -> String {
    format!("{:.1} ms", time.wall.as_secs_f64() * 1e3)
}
