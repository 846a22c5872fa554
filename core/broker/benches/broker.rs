//! Measures the time to open a directory and the throughput of the handlers.
//!
//! `cargo bench -p headwater-broker --profile fast`. Each row has the limit measured in the same run and the ratio to
//! it.

use std::fs;
use std::future::Future;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_broker::{Broker, OpenReport, RequestContext};
use headwater_env::RealEnv;
use headwater_metadata::BrokerConfig;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::{
    ApiRequest, CreateTopicsRequest, DescribeLogDirsRequest, FetchRequest, ProduceRequest,
};
use headwater_record::{BatchBuilder, BatchOptions, ByteSource};

const PARTITIONS: i32 = 1000;
const PARTITION_BYTES: usize = (10 << 30) / PARTITIONS as usize;
const BATCH_BYTES: usize = 16 << 10;
const CALLS: usize = 40_000;
/// The size of the non-zero part of a batch: its header, and the head of its one record.
const BATCH_HEAD_BYTES: usize = 96;

fn main() {
    println!("| what | measured | limit in the same run | ratio |");
    println!("|---|---|---|---|");
    open_empty();
    open_many();
    produce_and_fetch();
}

fn open(path: &Path) -> (Broker<RealEnv>, OpenReport) {
    Broker::open(RealEnv, path, BrokerConfig::default()).expect("the directory opens")
}

fn ask<R: ApiRequest>(broker: &Broker<RealEnv>, bytes: ByteSource, request: R) -> R::Response {
    let context = RequestContext {
        bytes,
        ..RequestContext::default()
    };
    let future = pin!(broker.handle(&context, request.into()));
    let mut future = future;
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(response) => R::Response::try_from(response).expect("an answer to the request"),
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// Opens an empty directory; the limit is one durable small file: open, write, fsync, rename, fsync of the directory.
fn open_empty() {
    let temporary = tempfile::tempdir().expect("a directory");
    let mut opens = Vec::new();
    let mut files = Vec::new();
    for round in 0..21 {
        let path = temporary.path().join(format!("data-{round}"));
        let started = Instant::now();
        let (broker, _) = open(&path);
        opens.push(started.elapsed());
        drop(broker);
        let started = Instant::now();
        let name = temporary.path().join(format!("file-{round}"));
        let mut file = fs::File::create(&name).expect("a file");
        file.write_all(b"small").expect("a write");
        file.sync_data().expect("a sync");
        fs::rename(&name, temporary.path().join("file")).expect("a rename");
        fs::File::open(temporary.path())
            .and_then(|dir| dir.sync_all())
            .expect("a sync");
        files.push(started.elapsed());
    }
    let (open, file) = (median(opens), median(files));
    let ratio = open.as_secs_f64() / file.as_secs_f64();
    println!(
        "| open an empty directory | {} (at most 20) | one durable small file: {} | {ratio:.1} of them |",
        milliseconds(open),
        milliseconds(file)
    );
}

/// Opens 1,000 partitions with 10 GiB of sparse data after a clean shutdown; the limit is listing their directories.
fn open_many() {
    let temporary = tempfile::tempdir().expect("a directory");
    make_many(temporary.path());
    let mut opens = Vec::new();
    let mut lists = Vec::new();
    let mut closes = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let (broker, report) = open(temporary.path());
        opens.push(started.elapsed());
        assert!(
            report.clean_shutdown && report.recovered.is_empty(),
            "{:?}",
            report.recovered.first()
        );
        assert_eq!(size_in_bytes(&broker) >> 30, 10);
        let started = Instant::now();
        broker.close().expect("a clean close");
        closes.push(started.elapsed());
        let started = Instant::now();
        list(temporary.path());
        lists.push(started.elapsed());
    }
    let (open, list) = (median(opens), median(lists));
    let ratio = open.as_secs_f64() / list.as_secs_f64();
    println!(
        "| open 1,000 partitions, 10 GiB | {} (at most 1000) | list and stat their files: {} | {ratio:.1} |",
        milliseconds(open),
        milliseconds(list)
    );
    println!(
        "| close them again, unchanged | {} | | |",
        milliseconds(median(closes))
    );
}

fn list(path: &Path) {
    for directory in fs::read_dir(path).expect("a directory") {
        let directory = directory.expect("an entry").path();
        if directory.is_dir() {
            for file in fs::read_dir(directory).expect("a directory") {
                file.expect("an entry").metadata().expect("metadata");
            }
        }
    }
}

fn size_in_bytes(broker: &Broker<RealEnv>) -> i64 {
    let response = ask(
        broker,
        ByteSource::Outside,
        DescribeLogDirsRequest {
            topics: None,
            ..Default::default()
        },
    );
    response.results[0]
        .topics
        .iter()
        .flat_map(|topic| &topic.partitions)
        .map(|partition| partition.partition_size)
        .sum()
}

/// Writes one partition through the broker: one batch of one record of zeros. The others get copies of its files with
/// holes.
fn make_many(path: &Path) {
    let (broker, _) = open(path);
    create(
        &broker,
        "t",
        PARTITIONS,
        &[("max.message.bytes", "20000000")],
    );
    let value = vec![0; PARTITION_BYTES];
    let records = batch(&[&value]);
    produce(&broker, ByteSource::Builder, records.clone());
    broker.close().expect("a clean close");
    let first = path.join("t-0");
    let log = "00000000000000000000.log";
    let mut head = [0; BATCH_HEAD_BYTES];
    fs::File::open(first.join(log))
        .and_then(|file| file.read_exact_at(&mut head, 0))
        .expect("a batch");
    for partition in 1..PARTITIONS {
        let directory = path.join(format!("t-{partition}"));
        let file = fs::OpenOptions::new()
            .write(true)
            .open(directory.join(log))
            .expect("a log");
        file.write_all_at(&head, 0).expect("a write");
        file.set_len(records.len() as u64).expect("a hole");
        for entry in fs::read_dir(&first).expect("a directory") {
            let name = entry.expect("an entry").file_name();
            if name != *log && name != *"partition.metadata" {
                fs::copy(first.join(&name), directory.join(&name)).expect("a copy");
            }
        }
    }
}

/// Produces batches of 16 KiB against pwrite of the same bytes; fetches 1 MiB against pread.
fn produce_and_fetch() {
    let temporary = tempfile::tempdir().expect("a directory");
    let (broker, _) = open(temporary.path());
    create(&broker, "t", 1, &[]);
    let values: Vec<Vec<u8>> = (0..150_u8).map(|number| vec![number; 100]).collect();
    let records = batch(&values.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert!(
        records.len().abs_diff(BATCH_BYTES) < 1000,
        "{}",
        records.len()
    );
    let limit = pwrite(&temporary.path().join("plain"), &records);
    let limit_row = |time: Duration| format!("pwrite: {}", rate(time, records.len()));
    for (what, source) in [
        ("our own builder's", ByteSource::Builder),
        ("a stranger's", ByteSource::Outside),
    ] {
        let started = Instant::now();
        for _ in 0..CALLS {
            produce(&broker, source, records.clone());
        }
        let time = started.elapsed();
        let ratio = limit.as_secs_f64() / time.as_secs_f64();
        println!(
            "| produce {what} 16 KiB batches | {} | {} | {ratio:.2} |",
            rate(time, records.len()),
            limit_row(limit)
        );
    }
    let (time, calls, bytes) = fetch_all(&broker);
    let limit = pread(&temporary.path().join("plain"), bytes / calls);
    let seconds = time.as_secs_f64();
    let own = bytes as f64 / seconds;
    println!(
        "| fetch 1 MiB at a time | {:.0} calls/s, {:.2} GB/s | pread: {:.2} GB/s | {:.2} |",
        calls as f64 / seconds,
        own / 1e9,
        limit / 1e9,
        own / limit
    );
}

fn rate(time: Duration, bytes: usize) -> String {
    let calls = CALLS as f64 / time.as_secs_f64();
    format!("{calls:.0} calls/s, {:.2} GB/s", calls * bytes as f64 / 1e9)
}

fn pwrite(path: &Path, bytes: &[u8]) -> Duration {
    let file = fs::File::create(path).expect("a file");
    let started = Instant::now();
    for call in 0..CALLS {
        file.write_all_at(bytes, (call * bytes.len()) as u64)
            .expect("a write");
    }
    started.elapsed()
}

/// Bytes per second of reading a whole file in blocks of `size`.
fn pread(path: &Path, size: usize) -> f64 {
    let file = fs::File::open(path).expect("a file");
    let mut buffer = vec![0; size];
    let started = Instant::now();
    let mut position = 0;
    while let Ok(read) = file.read_at(&mut buffer, position)
        && read > 0
    {
        position += read as u64;
    }
    position as f64 / started.elapsed().as_secs_f64()
}

fn fetch_all(broker: &Broker<RealEnv>) -> (Duration, usize, usize) {
    let started = Instant::now();
    let (mut next, mut calls, mut bytes) = (0, 0, 0);
    loop {
        let partition = FetchPartition {
            fetch_offset: next,
            current_leader_epoch: -1,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let mut response = ask(broker, ByteSource::Outside, request);
        let data = response.responses.remove(0).partitions.remove(0);
        let records = data.records.unwrap_or_default();
        let Some(last) = headwater_record::batches(&records)
            .filter_map(Result::ok)
            .last()
        else {
            break;
        };
        next = last.header().next_offset().get();
        calls += 1;
        bytes += records.len();
    }
    (started.elapsed(), calls, bytes)
}

fn create(broker: &Broker<RealEnv>, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
        ..Default::default()
    };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: -1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    let response = ask(
        broker,
        ByteSource::Outside,
        CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        },
    );
    assert_eq!(
        response.topics[0].error_code, 0,
        "{:?}",
        response.topics[0].error_message
    );
}

fn batch(values: &[&[u8]]) -> Bytes {
    let capacity = usize::MAX;
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity,
        ..BatchOptions::default()
    });
    for value in values {
        let now_ms = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_millis() as i64);
        builder
            .try_append(now_ms, None, Some(value), &[])
            .expect("a record");
    }
    builder.finish().expect("records")
}

fn produce(broker: &Broker<RealEnv>, source: ByteSource, records: Bytes) {
    let data = PartitionProduceData {
        index: 0,
        records: Some(records),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: "t".into(),
        partition_data: vec![data],
        ..Default::default()
    };
    let response = ask(
        broker,
        source,
        ProduceRequest {
            acks: -1,
            topic_data: vec![topic],
            ..Default::default()
        },
    );
    let answer = &response.responses[0].partition_responses[0];
    assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
}
