//! Measures encoding and decoding of the most frequent messages in nanoseconds, against copying the same bytes (the
//! limit) and against kafka-protocol. `cargo bench -p headwater-protocol`

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::{
    ApiKey, Decoder, FetchResponse, MetadataResponse, ProduceRequest, Request, Response, Str,
};
use kafka_protocol::messages::{ApiKey as TheirApiKey, RequestKind, ResponseKind};

const ROUND: Duration = Duration::from_millis(60);
const ROUNDS: usize = 7;

/// Nanoseconds per call, the best round.
fn nanoseconds(mut work: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            (0..32).for_each(|_| work());
            calls += 32;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}

fn produce(partitions: i32, record_bytes: usize) -> Request {
    let records = Bytes::from(vec![7; record_bytes]);
    let partition = |index| PartitionProduceData {
        index,
        records: Some(records.clone()),
        ..Default::default()
    };
    let partition_data = (0..partitions).map(partition).collect();
    let topic = TopicProduceData {
        name: "flights".into(),
        partition_data,
        ..Default::default()
    };
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..Default::default()
    }
    .into()
}

fn fetch(partitions: i32, record_bytes: usize) -> Response {
    let records = Bytes::from(vec![7; record_bytes]);
    let partition = |partition_index| PartitionData {
        partition_index,
        high_watermark: 1_000_000,
        records: Some(records.clone()),
        ..Default::default()
    };
    let partitions = (0..partitions).map(partition).collect();
    let topic = FetchableTopicResponse {
        topic: "flights".into(),
        partitions,
        ..Default::default()
    };
    FetchResponse {
        responses: vec![topic],
        ..Default::default()
    }
    .into()
}

fn metadata(topics: usize) -> Response {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1, 2, 3],
        isr_nodes: vec![1, 2, 3],
        ..Default::default()
    };
    let topic = |number| MetadataResponseTopic {
        name: Some(Str::from(format!("topic-{number}"))),
        partitions: (0..4).map(partition).collect(),
        ..Default::default()
    };
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: "localhost".into(),
        port: 9092,
        ..Default::default()
    };
    MetadataResponse {
        brokers: vec![broker],
        topics: (0..topics).map(topic).collect(),
        ..Default::default()
    }
    .into()
}

/// A row: the time of each direction.
struct Row {
    name: &'static str,
    bytes: usize,
    copy: f64,
    encode: f64,
    decode: f64,
    their_encode: f64,
    their_decode: f64,
}

impl Row {
    fn print(&self) {
        let Self {
            name,
            bytes,
            copy,
            encode,
            decode,
            their_encode,
            their_decode,
        } = self;
        println!(
            "{name:<38} {bytes:>8} {copy:>10.0} {encode:>10.0} {:>7.2} {decode:>10.0} {their_encode:>12.0} {their_decode:>12.0}",
            copy / encode
        );
    }
}

/// Measures the five values of a row. `encode` and `their_encode` append to their buffer.
fn measure<D, T>(
    name: &'static str,
    encode: impl Fn(&mut BytesMut),
    decode: impl Fn(Bytes) -> D,
    their_encode: impl Fn(&mut BytesMut),
    their_decode: impl Fn(Bytes) -> T,
) -> Row {
    let mut out = BytesMut::with_capacity(4 << 20);
    encode(&mut out);
    let bytes = Bytes::copy_from_slice(&out);
    let mut into_buffer = |write: &dyn Fn(&mut BytesMut)| {
        nanoseconds(|| {
            out.clear();
            write(black_box(&mut out));
        })
    };
    Row {
        name,
        bytes: bytes.len(),
        copy: into_buffer(&|out| out.extend_from_slice(black_box(&bytes))),
        encode: into_buffer(&encode),
        decode: nanoseconds(|| drop(black_box(decode(black_box(bytes.clone()))))),
        their_encode: into_buffer(&their_encode),
        their_decode: nanoseconds(|| drop(black_box(their_decode(black_box(bytes.clone()))))),
    }
}

fn request(name: &'static str, request: &Request, version: i16) -> Row {
    let mut bytes = BytesMut::new();
    request
        .encode(&mut bytes, version)
        .expect("the version has all that is set");
    let (api, key) = (
        request.api_key(),
        TheirApiKey::try_from(request.api_key().code()).expect("kafka-protocol supports it"),
    );
    let theirs =
        RequestKind::decode(key, &mut bytes.freeze(), version).expect("kafka-protocol reads it");
    measure(
        name,
        |out| request.encode(out, version).expect("encoded above"),
        |bytes| Request::decode(api, &mut Decoder::new(bytes), version),
        |out| theirs.encode(out, version).expect("decoded above"),
        |mut bytes| RequestKind::decode(key, &mut bytes, version),
    )
}

fn response(name: &'static str, response: &Response, version: i16) -> Row {
    let mut bytes = BytesMut::new();
    response
        .encode(&mut bytes, version)
        .expect("the version has all that is set");
    let api: ApiKey = response.api_key();
    let key = TheirApiKey::try_from(api.code()).expect("kafka-protocol supports it");
    let theirs =
        ResponseKind::decode(key, &mut bytes.freeze(), version).expect("kafka-protocol reads it");
    measure(
        name,
        |out| response.encode(out, version).expect("encoded above"),
        |bytes| Response::decode(api, &mut Decoder::new(bytes), version),
        |out| theirs.encode(out, version).expect("decoded above"),
        |mut bytes| ResponseKind::decode(key, &mut bytes, version),
    )
}

fn main() {
    println!(
        "nanoseconds a message, best of {ROUNDS} rounds; 'ratio' is the copy of the same bytes against our encoding\n"
    );
    println!(
        "{:<38} {:>8} {:>10} {:>10} {:>7} {:>10} {:>12} {:>12}",
        "", "bytes", "copy", "encode", "ratio", "decode", "theirs enc", "theirs dec"
    );
    request("Produce 11, 1 partition, 1 KiB", &produce(1, 1 << 10), 11).print();
    request(
        "Produce 11, 4 partitions, 16 KiB",
        &produce(4, 16 << 10),
        11,
    )
    .print();
    request("Produce 11, 1 partition, 1 MiB", &produce(1, 1 << 20), 11).print();
    response("Fetch 12, 4 partitions, 16 KiB", &fetch(4, 16 << 10), 12).print();
    response("Fetch 11, 1 partition, 1 MiB", &fetch(1, 1 << 20), 11).print();
    response("Metadata 12, 100 topics, 4 partitions", &metadata(100), 12).print();
}
