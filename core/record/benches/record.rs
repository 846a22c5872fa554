//! Compares building and reading batches with copying and checksumming the same bytes.
//!
//! `cargo bench -p headwater-record --bench record`. Each line is the best of several rounds. The limits are measured
//! in the same run, over the same bytes: `memcpy` copies them, `crc` checksums them; the limit of a codec is `memcpy`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_record::compression::{compress, decompress};
use headwater_record::crc::crc32c;
use headwater_record::{
    BatchBuilder, BatchOptions, ByteSource, Compression, CompressionLevel, DecompressLimit,
    PlainRecord, RecordBatch, ValidationRules, validate,
};

/// Many short rounds, so that at least one runs undisturbed.
const ROUNDS: usize = 60;
const BYTES_PER_ROUND: usize = 256 << 20;
const BATCH: usize = 1 << 20;
const TIMESTAMP_MS: i64 = 1_700_000_000_000;

fn main() {
    println!(
        "{:<44}{:>12}{:>12}{:>12}{:>10}",
        "what", "M records/s", "GB/s", "limit GB/s", "ratio"
    );
    for value_len in [10, 100, 1000] {
        records(value_len);
    }
    codecs();
}

fn records(value_len: usize) {
    let values: Vec<u8> = (0..BATCH).map(|index| ((index * 31) >> 3) as u8).collect();
    let value = |index: usize| {
        // Like from an Arrow column. A batch has more bytes than the values of its records, so the index stays within
        // the values.
        &values[index * value_len..][..value_len]
    };
    let batch = build(BATCH, &value);
    let records = batch.header().record_count as usize;
    let size = batch.bytes().len();
    let (memcpy, crc) = limits(batch.bytes());
    let print = |what: &str, took: Duration, limit: Duration| {
        line(
            &format!("{value_len}-byte values: {what}"),
            records,
            size,
            took,
            limit,
        );
    };
    print("memcpy", memcpy, memcpy);
    print("crc", crc, crc);
    encode(value_len, &value);
    read(&batch, &print, crc);
}

/// The times for copying and for checksumming these bytes.
fn limits(bytes: &[u8]) -> (Duration, Duration) {
    let mut copy = vec![0; bytes.len()];
    let memcpy = best(bytes.len(), || {
        black_box(&mut copy).copy_from_slice(black_box(bytes));
    });
    let crc = best(bytes.len(), || {
        black_box(crc32c(black_box(bytes)));
    });
    (memcpy, crc)
}

fn build<'a>(capacity: usize, value: &impl Fn(usize) -> &'a [u8]) -> RecordBatch {
    let mut builder = BatchBuilder::new(options(capacity));
    builder
        .append_bulk(usize::MAX, |index| plain(index, value))
        .expect("values are small");
    RecordBatch::parse(builder.finish().expect("it has records")).expect("it was just built")
}

fn options(capacity: usize) -> BatchOptions {
    BatchOptions {
        capacity,
        ..BatchOptions::default()
    }
}

fn plain<'a>(index: usize, value: &impl Fn(usize) -> &'a [u8]) -> PlainRecord<'a> {
    PlainRecord {
        timestamp_ms: TIMESTAMP_MS + (index / 8) as i64,
        key: None,
        value: Some(value(index)),
    }
}

fn encode<'a>(value_len: usize, value: &impl Fn(usize) -> &'a [u8]) {
    for capacity in [BATCH, 16 * 1024] {
        let made = build(capacity, value);
        let (records, size) = (made.header().record_count as usize, made.bytes().len());
        // Any encoder must copy the bytes once and checksum them once.
        let (memcpy, crc) = limits(made.bytes());
        let limit = memcpy + crc;
        let name = |how: &str| {
            format!(
                "{value_len}-byte values: encode {how}, {} KiB",
                capacity >> 10
            )
        };

        let mut builder = BatchBuilder::new(options(capacity));
        let took = best(size, || {
            let taken = builder.append_bulk(records, |index| plain(index, value));
            black_box((taken.expect("values are small"), builder.finish()));
        });
        line(&name("bulk"), records, size, took, limit);

        let took = best(size, || {
            for index in 0..records {
                let record = plain(index, value);
                let appended =
                    builder.try_append(record.timestamp_ms, record.key, record.value, &[]);
                appended.expect("it fitted before");
            }
            black_box(builder.finish());
        });
        line(&name("one by one"), records, size, took, limit);
    }
}

fn read(batch: &RecordBatch, print: &impl Fn(&str, Duration, Duration), crc: Duration) {
    let limit = DecompressLimit::default();
    let size = batch.bytes().len();
    let read_raw = || {
        let records = batch.records(limit).expect("it is plain");
        let sum = records
            .raw()
            .map(|record| i64::from(record.expect("it is whole").value.len));
        black_box(sum.sum::<i64>());
    };
    let read_views = || {
        let records = batch.records(limit).expect("it is plain");
        let sum = records
            .iter()
            .map(|record| record.expect("it is whole").value.map_or(0, <[u8]>::len));
        black_box(sum.sum::<usize>());
    };
    print("positions without crc", best(size, read_raw), crc);
    print("views without crc", best(size, read_views), crc);
    let with_crc = best(size, || {
        batch.verify_crc().expect("it is whole");
        read_views();
    });
    print("views with crc", with_crc, crc);
    for (what, source) in [
        ("validate", ByteSource::Outside),
        ("validate, header only", ByteSource::Builder),
    ] {
        let rules = ValidationRules {
            source,
            ..ValidationRules::default()
        };
        let took = best(size, || {
            black_box(validate(batch.bytes().clone(), &rules).expect("it is valid"));
        });
        print(what, took, crc);
    }
}

/// JSON-like values, which compress by a factor of about six.
fn codecs() {
    let carriers = ["UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN", "9E"];
    let mut builder = BatchBuilder::new(options(BATCH));
    for index in 0u64.. {
        let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let carrier = carriers[mixed as usize % carriers.len()];
        let delay = mixed % 97;
        let value = format!(
            r#"{{"carrier":"{carrier}","flight":{},"dep_delay":{delay},"origin":"JFK"}}"#,
            mixed % 8000
        );
        if builder
            .try_append(
                TIMESTAMP_MS,
                Some(carrier.as_bytes()),
                Some(value.as_bytes()),
                &[],
            )
            .is_err()
        {
            break;
        }
    }
    let batch =
        RecordBatch::parse(builder.finish().expect("it has records")).expect("it was just built");
    let records = batch.header().record_count as usize;
    let plain = batch
        .plain_records(DecompressLimit::default())
        .expect("it is plain");
    let mut copy = vec![0; plain.len()];
    let memcpy = best(plain.len(), || black_box(&mut copy).copy_from_slice(&plain));
    for codec in [
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let pack = || compress(codec, CompressionLevel::Default, &plain).expect("there is memory");
        let stored = Bytes::from(pack());
        let took = best_of(10, 2, || {
            black_box(pack());
        });
        let ratio = plain.len() as f64 / stored.len() as f64;
        line(
            &format!("{codec}: compress ({ratio:.1} to 1)"),
            records,
            plain.len(),
            took,
            memcpy,
        );
        let took = best_of(20, 4, || {
            black_box(
                decompress(codec, &stored, DecompressLimit::default()).expect("it was just made"),
            );
        });
        line(
            &format!("{codec}: decompress"),
            records,
            plain.len(),
            took,
            memcpy,
        );
    }
}

/// The time of the best round for one run over `size` bytes.
fn best(size: usize, run: impl FnMut()) -> Duration {
    best_of(ROUNDS, (BYTES_PER_ROUND / ROUNDS / size).max(1), run)
}

fn best_of(rounds: usize, repeats: usize, mut run: impl FnMut()) -> Duration {
    let round = |_| {
        let start = Instant::now();
        (0..repeats).for_each(|_| run());
        start.elapsed() / repeats as u32
    };
    (0..rounds).map(round).min().unwrap_or_default()
}

fn line(what: &str, records: usize, size: usize, took: Duration, limit: Duration) {
    let (seconds, limit_seconds) = (took.as_secs_f64(), limit.as_secs_f64());
    let records_per_second = records as f64 / seconds / 1e6;
    let (rate, limit_rate) = (
        size as f64 / seconds / 1e9,
        size as f64 / limit_seconds / 1e9,
    );
    let ratio = limit_seconds / seconds;
    println!("{what:<44}{records_per_second:>12.1}{rate:>12.2}{limit_rate:>12.2}{ratio:>10.2}");
}
