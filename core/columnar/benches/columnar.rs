//! Compares encoding and decoding with the limits of the machine, measured in the same run.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{BinaryViewArray, RecordBatch};
use bytes::{Bytes, BytesMut};
use headwater_columnar::{
    Column, DecodeOptions, Decoder, EncodeOptions, Encoder, FetchedBatches, Format,
    KeyValueColumns, Projection, parse_schema,
};
use headwater_record::{BatchOptions, Compression};

/// The allocator of both bindings.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const READ_BYTES: usize = 1 << 20;
const ROUNDS: usize = 15;

/// The best times of `work` and of its limit over many short rounds, in turns, so that other load on the machine
/// affects both.
fn best(mut limit: impl FnMut(), mut work: impl FnMut()) -> (Duration, Duration) {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let rounds = (0..ROUNDS).map(|_| (time(&mut limit), time(&mut work)));
    rounds.fold((Duration::MAX, Duration::MAX), |(limit, work), next| {
        (limit.min(next.0), work.min(next.1))
    })
}

/// The amount of data of a line.
struct Amount {
    records: usize,
    bytes: usize,
    limit: &'static str,
}

impl Amount {
    fn line(&self, name: &str, (limit, took): (Duration, Duration)) {
        let rate = |amount: usize, time: Duration| amount as f64 / time.as_secs_f64();
        println!(
            "  {name:<42} {:>7.1} M/s {:>6.2} GB/s  {:>5.2} of {} ({:.2} GB/s)",
            rate(self.records, took) / 1e6,
            rate(self.bytes, took) / 1e9,
            limit.as_secs_f64() / took.as_secs_f64(),
            self.limit,
            rate(self.bytes, limit) / 1e9,
        );
    }
}

fn table(records: usize, value_len: usize) -> RecordBatch {
    let mut seed = 1u64;
    let mut value = vec![0; value_len];
    let values = BinaryViewArray::from_iter_values((0..records).map(|_| {
        for byte in &mut value {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = b'0' + (seed >> 59) as u8;
        }
        value.clone()
    }));
    RecordBatch::try_from_iter([("value", Arc::new(values) as _)]).expect("one column")
}

fn value_column() -> KeyValueColumns {
    KeyValueColumns {
        value: Some("value".into()),
        ..KeyValueColumns::default()
    }
}

fn encoder() -> Encoder {
    Encoder::new(EncodeOptions {
        now_ms: 1_700_000_000_000,
        ..EncodeOptions::default()
    })
}

fn encode_all(encoder: &mut Encoder, rows: &RecordBatch, mut take: impl FnMut(&[u8])) {
    for batch in encoder.encode(rows, &value_column()).expect("a good table") {
        take(&batch.expect("a good row").bytes);
    }
}

/// Batches as in a log, with offsets.
fn log_bytes(rows: &RecordBatch, batch_bytes: usize) -> Bytes {
    let batch = BatchOptions {
        capacity: batch_bytes,
        compression: Compression::None,
        ..BatchOptions::default()
    };
    let mut encoder = Encoder::new(EncodeOptions {
        batch,
        ..EncodeOptions::default()
    });
    let (mut log, mut offset) = (BytesMut::new(), 0i64);
    for batch in encoder.encode(rows, &value_column()).expect("a good table") {
        let batch = batch.expect("a good row");
        let start = log.len();
        log.extend_from_slice(&batch.bytes);
        log[start..start + 8].copy_from_slice(&offset.to_be_bytes());
        offset += batch.record_count as i64;
    }
    log.freeze()
}

fn encoding(records: usize, value_len: usize) {
    let rows = table(records, value_len);
    let mut encoder = encoder();
    let mut bytes = 0;
    encode_all(&mut encoder, &rows, |batch| bytes += batch.len());
    let path =
        std::env::temp_dir().join(format!("headwater-columnar-bench-{}", std::process::id()));
    let file = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)
        .expect("a temporary file");
    let ones = vec![1u8; READ_BYTES];
    let write = |file: &File| {
        for position in (0..bytes).step_by(READ_BYTES) {
            file.write_all_at(&ones[..READ_BYTES.min(bytes - position)], position as u64)
                .expect("written");
        }
    };
    write(&file);
    let amount = Amount {
        records,
        bytes,
        limit: "write(2) by 1 MiB",
    };
    let times = best(
        || write(&file),
        || encode_all(&mut encoder, &rows, |batch| _ = black_box(batch)),
    );
    amount.line("encode", times);
    let times = best(
        || write(&file),
        || {
            let mut position = 0;
            encode_all(&mut encoder, &rows, |batch| {
                file.write_all_at(batch, position).expect("written");
                position += batch.len() as u64;
            });
        },
    );
    amount.line("encode and write: Arrow to page cache", times);
    std::fs::remove_file(&path).expect("it is ours");
}

/// Reads the file like a log does: whole batches, about 1 MiB at a time, into reused memory.
fn read(file: &File, cuts: &[(u64, usize)], spare: &mut BytesMut, mut take: impl FnMut(Bytes)) {
    for (position, len) in cuts {
        let mut bytes = std::mem::take(spare);
        bytes.resize(*len, 0);
        file.read_exact_at(&mut bytes, *position).expect("read");
        let bytes = bytes.freeze();
        take(bytes.clone());
        *spare = bytes.try_into_mut().unwrap_or_default();
    }
}

fn cuts(log: &Bytes) -> Vec<(u64, usize)> {
    let mut cuts = Vec::new();
    let (mut start, mut end) = (0, 0);
    for batch in headwater_record::batches(log) {
        let size = batch.expect("a good batch").header().size_in_bytes();
        if end + size - start > READ_BYTES && end > start {
            cuts.push((start as u64, end - start));
            start = end;
        }
        end += size;
    }
    cuts.push((start as u64, end - start));
    cuts
}

fn decoding(records: usize, value_len: usize, batch_bytes: usize) {
    let log = log_bytes(&table(records, value_len), batch_bytes);
    let bytes = log.len();
    let path =
        std::env::temp_dir().join(format!("headwater-columnar-bench-{}", std::process::id()));
    std::fs::write(&path, &log).expect("a temporary file");
    let file = File::open(&path).expect("just written");
    let cuts = cuts(&log);
    println!(" batches of {} KiB", batch_bytes >> 10);
    let mut spare = BytesMut::zeroed(cuts.iter().map(|cut| cut.1).max().unwrap_or(0));
    let mut reused = vec![0; cuts.iter().map(|cut| cut.1).max().unwrap_or(0)];
    let mut pread = || {
        for (position, len) in &cuts {
            file.read_exact_at(&mut reused[..*len], *position)
                .expect("read");
        }
    };
    let amount = Amount {
        records,
        bytes,
        limit: "pread by 1 MiB",
    };
    let options = |check_crc, views| DecodeOptions {
        check_crc,
        views,
        ..DecodeOptions::default()
    };
    let value_only = Projection::of(&[Column::Value]);
    for (name, options) in [
        ("views", options(false, true)),
        ("views, CRC", options(true, true)),
        (
            "views, CRC, value only",
            DecodeOptions {
                columns: value_only,
                ..options(true, true)
            },
        ),
        (
            "text views, CRC",
            DecodeOptions {
                value: Format::String,
                ..options(true, true)
            },
        ),
        ("classic, CRC", options(true, false)),
    ] {
        let mut decoder = Decoder::new(options).expect("good options");
        let mut decode = |bytes: Bytes| {
            _ = black_box(
                decoder
                    .decode(&[FetchedBatches::new("t", 0, bytes, 0)])
                    .expect("a good log"),
            );
        };
        let slices: Vec<_> = cuts
            .iter()
            .map(|(at, len)| log.slice(*at as usize..*at as usize + len))
            .collect();
        let times = best(&mut pread, || slices.iter().cloned().for_each(&mut decode));
        amount.line(&format!("from memory: {name}"), times);
        let times = best(&mut pread, || read(&file, &cuts, &mut spare, &mut decode));
        amount.line(&format!("from page cache: {name}"), times);
    }
    std::fs::remove_file(&path).expect("it is ours");
}

/// Flights as JSON, 19 fields, about 310 bytes.
fn flights(records: usize) -> RecordBatch {
    let line = |n: usize| {
        format!(
            "{{\"year\":2013,\"month\":{},\"day\":{},\"dep_time\":{},\"sched_dep_time\":{},\"dep_delay\":{},\"arr_time\":{},\"sched_arr_time\":819,\
             \"arr_delay\":{},\"carrier\":\"UA\",\"flight\":{},\"tailnum\":\"N{}\",\"origin\":\"EWR\",\"dest\":\"IAH\",\"air_time\":{}.5,\"distance\":1400,\
             \"hour\":{},\"minute\":{},\"time_hour\":\"2013-01-01T{:02}:00:00Z\"}}",
            n % 12 + 1,
            n % 28 + 1,
            n % 2400,
            n % 2359,
            n % 90,
            n % 2300,
            n % 60,
            n % 9000,
            n % 99999,
            n % 400,
            n % 24,
            n % 60,
            n % 24
        )
    };
    let values = BinaryViewArray::from_iter_values((0..records).map(|n| line(n).into_bytes()));
    RecordBatch::try_from_iter([("value", Arc::new(values) as _)]).expect("one column")
}

const FLIGHTS: &str = r#"{"year":"int64","month":"int64","day":"int64","dep_time":"int64","sched_dep_time":"int64","dep_delay":"int64","arr_time":"int64",
"sched_arr_time":"int64","arr_delay":"int64","carrier":"string","flight":"int64","tailnum":"string","origin":"string","dest":"string","air_time":"float64",
"distance":"int64","hour":"int64","minute":"int64","time_hour":"string"}"#;

fn json(records: usize) {
    let log = log_bytes(&flights(records), 1 << 20);
    let bytes = log.len();
    let mut copy = vec![0; bytes];
    let amount = Amount {
        records,
        bytes,
        limit: "memcpy",
    };
    let times = FLIGHTS.replace(
        "\"time_hour\":\"string\"",
        "\"time_hour\":\"timestamp[ms, UTC]\"",
    );
    for (name, schema, max_threads) in [
        ("schema, one thread", Some(FLIGHTS), 1),
        ("schema, all threads", Some(FLIGHTS), 0),
        ("schema with times, all threads", Some(times.as_str()), 0),
        ("inferred, all threads", None, 0),
    ] {
        let measured = best(
            || copy.copy_from_slice(black_box(&log)),
            || {
                let schema = schema.map(|schema| parse_schema(schema).expect("a good schema"));
                let options = DecodeOptions {
                    value: Format::Json(schema),
                    unnest: true,
                    max_threads,
                    ..DecodeOptions::default()
                };
                let mut decoder = Decoder::new(options).expect("good options");
                black_box(
                    decoder
                        .decode(&[FetchedBatches::new("t", 0, log.clone(), 0)])
                        .expect("good lines"),
                );
            },
        );
        amount.line(name, measured);
    }
}

fn main() {
    // `cargo bench --bench columnar -- decode` runs only one part.
    let part = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let runs = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let sizes = [(1_000_000, 100), (125_000, 1000)];
    for (records, value_len) in sizes.into_iter().filter(|_| runs("encode")) {
        println!("Arrow to batches, values of {value_len} bytes");
        encoding(records, value_len);
    }
    for (records, value_len) in sizes.into_iter().filter(|_| runs("decode")) {
        println!("batches to Arrow, values of {value_len} bytes");
        for batch_bytes in [1 << 20, 16 << 10] {
            decoding(records, value_len, batch_bytes);
        }
    }
    if runs("json") {
        println!("JSON to columns, 19 fields");
        json(300_000);
    }
}
