//! Invalid records over a socket: Kafka's error code, nothing is appended, and the next valid record gets the first
//! offset.

use std::net::TcpStream;

use crate::support::{Client, batch, code, connect, creation, fetch, local, produce, serve};
use bytes::Bytes;
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::produce_response::PartitionProduceResponse;
use headwater_protocol::{ErrorCode, ListOffsetsRequest};
use headwater_record::compression::compress;
use headwater_record::{
    Attributes, BatchBuilder, BatchHeader, BatchOptions, Compression, CompressionLevel,
    DecompressLimit, HEADER_LEN, crc,
};
use rstest::rstest;

const LATEST: i64 = -1;
/// The position of a batch's CRC. It covers the bytes after it.
const CRC: usize = 17;
const COVERED: usize = 21;
/// The buffer that a connection keeps for some seconds.
const RECEIVE_BYTES: usize = 1 << 20;
/// The size of one run of zeros of a decompression bomb.
const RUN_BYTES: usize = 16 << 20;

fn send(
    client: &mut Client<TcpStream>,
    version: i16,
    topic: &str,
    records: Bytes,
) -> PartitionProduceResponse {
    let mut answer = client.ask(produce(topic, records, -1), version);
    answer.responses.remove(0).partition_responses.remove(0)
}

fn log_end(client: &mut Client<TcpStream>, topic: &str) -> i64 {
    let wanted = ListOffsetsPartition {
        timestamp: LATEST,
        current_leader_epoch: -1,
        ..Default::default()
    };
    let topic = ListOffsetsTopic {
        name: topic.into(),
        partitions: vec![wanted],
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![topic],
        ..Default::default()
    };
    client.ask(request, 5).topics[0].partitions[0].offset
}

/// A batch of these record bytes, with a valid CRC.
fn sealed(compression: Compression, count: i32, records: &[u8]) -> Bytes {
    let mut header = BatchHeader::parse(&batch(b"v")).unwrap();
    header.batch_length = (HEADER_LEN - 12 + records.len()) as i32;
    header.attributes = Attributes::from_bits(i16::from(compression.id()));
    header.last_offset_delta = count - 1;
    header.record_count = count;
    let mut head = [0; HEADER_LEN];
    header.write(&mut head);
    let mut bytes = [&head[..], records].concat();
    let sum = crc::crc32c(&bytes[COVERED..]);
    bytes[CRC..COVERED].copy_from_slice(&sum.to_be_bytes());
    bytes.into()
}

fn wrong_crc() -> Bytes {
    let mut bytes = batch(b"v").to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes.into()
}

/// One record, with this record count.
fn counted(count: i32) -> Bytes {
    sealed(Compression::None, count, &batch(b"v")[HEADER_LEN..])
}

fn without_key() -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.try_append(1_000, None, Some(b"v"), &[]).unwrap();
    builder.finish().unwrap()
}

/// Compressed zeros that exceed the maximum batch size.
fn bomb(codec: Compression) -> Bytes {
    let run = compress(codec, CompressionLevel::Default, &vec![0; RUN_BYTES]).unwrap();
    let runs = DecompressLimit::default().get() / RUN_BYTES + 1;
    let stored = match codec {
        // Only one LZ4 frame is read: repeat the blocks between its header and its end mark.
        Compression::Lz4 => {
            let blocks = &run[7..run.len() - 4];
            [&run[..7], &blocks.repeat(runs), &[0; 4]].concat()
        }
        _ => run.repeat(runs),
    };
    sealed(codec, 1, &stored)
}

#[rstest]
#[case::wrong_crc("t", wrong_crc(), ErrorCode::CorruptMessage)]
#[case::more_records_than_there_are("t", counted(2), ErrorCode::InvalidRecord)]
#[case::a_billion_records("t", counted(1_000_000_000), ErrorCode::InvalidRecord)]
#[case::no_records("t", counted(0), ErrorCode::InvalidRecord)]
#[case::fewer_than_no_records("t", counted(-1), ErrorCode::InvalidRecord)]
#[case::without_a_key("compacted", without_key(), ErrorCode::InvalidRecord)]
#[case::oversize("small", batch(&[7; 1_000]), ErrorCode::MessageTooLarge)]
#[case::gzip_bomb("bombs", bomb(Compression::Gzip), ErrorCode::MessageTooLarge)]
#[case::snappy_bomb("bombs", bomb(Compression::Snappy), ErrorCode::MessageTooLarge)]
#[case::lz4_bomb("bombs", bomb(Compression::Lz4), ErrorCode::MessageTooLarge)]
#[case::zstd_bomb("bombs", bomb(Compression::Zstd), ErrorCode::MessageTooLarge)]
fn bad_records_are_refused_with_kafkas_code_and_nothing_is_appended(
    #[case] topic: &str,
    #[case] records: Bytes,
    #[case] expected: ErrorCode,
) {
    let server = serve(local());
    let mut client = connect(&server);
    let configs: &[_] = match topic {
        "compacted" => &[("cleanup.policy", "compact")],
        "small" => &[("max.message.bytes", "500")],
        "bombs" => &[("max.message.bytes", "33554432")],
        _ => &[],
    };
    client.create(creation(topic, 1, configs));
    for version in 7..=12 {
        let refused = send(&mut client, version, topic, records.clone());
        assert_eq!(
            (code(refused.error_code), refused.base_offset),
            (expected, -1),
            "version {version}: {:?}",
            refused.error_message
        );
        assert_eq!(log_end(&mut client, topic), 0, "nothing is appended");
    }
    let held = server.memory_used();
    assert!(
        held <= 2 * RECEIVE_BYTES,
        "{held} bytes are held, more than a connection's buffer"
    );
    let mut other = connect(&server);
    let accepted = send(&mut other, 9, topic, batch(b"good"));
    assert_eq!((accepted.error_code, accepted.base_offset), (0, 0));
    let answer = other.ask(fetch(topic, 0, 0), 11);
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 1);
}

/// Without acknowledgements the error is the end of the connection, as in Kafka; nothing is appended either.
#[test]
fn bad_records_without_acknowledgement_end_the_connection() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    client.send(produce("t", wrong_crc(), 0), 9);
    assert!(client.is_closed());
    assert_eq!(log_end(&mut connect(&server), "t"), 0);
}
