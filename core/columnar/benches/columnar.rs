//! Encoding and decoding against the limits of the machine, each measured in the same run.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{BinaryViewArray, RecordBatch};
use bytes::{Bytes, BytesMut};
use headwater_columnar::{
    Column, DecodeOptions, Decoder, EncodeOptions, Encoder, Fetched, Format, KeyValueColumns,
    Projection, parse_schema,
};
use headwater_record::{BatchOptions, Compression};

/// The allocator of both bindings.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const READ_BYTES: usize = 1 << 20;
const ROUNDS: usize = 9;

/// The least time of several rounds: noise only adds.
fn best(mut work: impl FnMut()) -> Duration {
    best_by(&mut work, {
        let epoch = Instant::now();
        move || epoch.elapsed()
    })
}

/// The least time on a processor, for work of one thread: what else the machine does counts less.
fn best_on_cpu(mut work: impl FnMut()) -> Duration {
    let on_cpu = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds = stat.split(' ').next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds)).filter(|time| !time.is_zero())
    };
    match on_cpu() {
        Some(_) => best_by(&mut work, || on_cpu().unwrap_or_default()),
        None => best(work),
    }
}

fn best_by(work: &mut dyn FnMut(), clock: impl Fn() -> Duration) -> Duration {
    let time = |_| {
        let start = clock();
        work();
        clock().saturating_sub(start)
    };
    (0..ROUNDS).map(time).min().unwrap_or_default()
}

fn row(name: &str, records: usize, bytes: usize, took: Duration, limit: Duration, of: &str) {
    let seconds = took.as_secs_f64();
    println!(
        "  {name:<44} {:>8.1} M/s {:>7.2} GB/s   {:>5.2} of {of}",
        records as f64 / seconds / 1e6,
        bytes as f64 / seconds / 1e9,
        limit.as_secs_f64() / seconds
    );
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

/// Batches as a log has them, with offsets.
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
    let mut file = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)
        .expect("a temporary file");
    let ones = vec![1u8; READ_BYTES];
    let write = |file: &mut File| {
        for position in (0..bytes).step_by(READ_BYTES) {
            file.write_all_at(&ones[..READ_BYTES.min(bytes - position)], position as u64)
                .expect("written");
        }
    };
    write(&mut file);
    let limit = best_on_cpu(|| write(&mut file));
    row(
        "write(2) of the same bytes by 1 MiB",
        records,
        bytes,
        limit,
        limit,
        "write",
    );
    let in_memory = best_on_cpu(|| encode_all(&mut encoder, &rows, |batch| _ = black_box(batch)));
    row("encode", records, bytes, in_memory, limit, "write");
    let produced = best_on_cpu(|| {
        let mut position = 0;
        encode_all(&mut encoder, &rows, |batch| {
            file.write_all_at(batch, position).expect("written");
            position += batch.len() as u64;
        });
    });
    row(
        "encode and write: Arrow to page cache",
        records,
        bytes,
        produced,
        limit,
        "write",
    );
    file.flush().expect("nothing buffered");
    std::fs::remove_file(&path).expect("it is ours");
}

/// Reads the file as a log does: whole batches, about 1 MiB at a time.
fn read(mut file: &File, cuts: &[(u64, usize)], mut take: impl FnMut(Bytes)) {
    file.seek(SeekFrom::Start(0)).expect("a file");
    for (_, len) in cuts {
        // Into memory that is not zeroed first.
        let mut bytes = Vec::with_capacity(*len);
        file.take(*len as u64)
            .read_to_end(&mut bytes)
            .expect("read");
        take(Bytes::from(bytes));
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
    let mut reused = vec![0; READ_BYTES * 2];
    let limit = best_on_cpu(|| {
        for (position, len) in &cuts {
            file.read_exact_at(&mut reused[..*len], *position)
                .expect("read");
        }
    });
    row(
        "pread of the same bytes by 1 MiB",
        records,
        bytes,
        limit,
        limit,
        "pread",
    );
    let options = |check_crc, views| DecodeOptions {
        check_crc,
        views,
        ..DecodeOptions::default()
    };
    for (name, options) in [
        ("to views", options(false, true)),
        ("to views with CRC", options(true, true)),
        (
            "to views with CRC, value only",
            DecodeOptions {
                columns: Projection::of(&[Column::Value]),
                ..options(true, true)
            },
        ),
        (
            "to text views with CRC",
            DecodeOptions {
                value: Format::String,
                ..options(true, true)
            },
        ),
        ("to classic with CRC", options(true, false)),
    ] {
        let mut decoder = Decoder::new(options).expect("good options");
        let fetched: Vec<_> = cuts
            .iter()
            .map(|(at, len)| Fetched::new("t", 0, log.slice(*at as usize..*at as usize + len), 0))
            .collect();
        let took = best_on_cpu(|| {
            for fetched in &fetched {
                black_box(
                    decoder
                        .decode(std::slice::from_ref(fetched))
                        .expect("a good log"),
                );
            }
        });
        row(
            &format!("in memory {name}"),
            records,
            bytes,
            took,
            limit,
            "pread",
        );
        let took = best_on_cpu(|| {
            read(&file, &cuts, |bytes| {
                black_box(
                    decoder
                        .decode(&[Fetched::new("t", 0, bytes, 0)])
                        .expect("a good log"),
                );
            });
        });
        row(
            &format!("read and {name}"),
            records,
            bytes,
            took,
            limit,
            "pread",
        );
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
    let limit = best_on_cpu(|| copy.copy_from_slice(black_box(&log)));
    row(
        "memcpy of the same bytes",
        records,
        bytes,
        limit,
        limit,
        "memcpy",
    );
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
        let took = best(|| {
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
                    .decode(&[Fetched::new("t", 0, log.clone(), 0)])
                    .expect("good lines"),
            );
        });
        row(name, records, bytes, took, limit, "memcpy");
    }
}

fn main() {
    for (records, value_len) in [(2_000_000, 100), (250_000, 1000)] {
        println!("Arrow to batches, values of {value_len} bytes");
        encoding(records, value_len);
    }
    for (records, value_len) in [(2_000_000, 100), (250_000, 1000)] {
        println!("batches to Arrow, values of {value_len} bytes");
        for batch_bytes in [1 << 20, 16 << 10] {
            decoding(records, value_len, batch_bytes);
        }
    }
    println!("JSON to columns, 19 fields");
    json(300_000);
}
