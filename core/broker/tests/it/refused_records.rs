//! Invalid batches: Kafka's code, and nothing is appended.

use crate::support::*;
use bytes::{Bytes, BytesMut};
use headwater_broker::Broker;
use headwater_env::MemoryEnv;
use headwater_protocol::produce_response::PartitionProduceResponse;
use headwater_protocol::{ErrorCode, Message};
use headwater_record::{BatchBuilder, BatchOptions, Compression};
use rstest::rstest;

/// Positions of fields in a batch.
const LENGTH: usize = 8;
const MAGIC: usize = 16;
const CRC: usize = 17;
const LAST_OFFSET_DELTA: usize = 23;
const BASE_TIMESTAMP: usize = 27;
const RECORD_COUNT: usize = 57;
const HEADER: usize = 61;

/// A broker with one partition for each kind of rule.
fn broker() -> Broker<MemoryEnv> {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    create(&broker, "compacted", 1, &[("cleanup.policy", "compact")]);
    create(&broker, "small", 1, &[("max.message.bytes", "200")]);
    let plain_and_small = [
        ("max.message.bytes", "1000"),
        ("compression.type", "uncompressed"),
    ];
    create(&broker, "plain", 1, &plain_and_small);
    create(
        &broker,
        "recent",
        1,
        &[("message.timestamp.before.max.ms", "1000")],
    );
    create(
        &broker,
        "stamped",
        1,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    broker
}

fn produce_at(
    broker: &Broker<MemoryEnv>,
    version: i16,
    topic: &str,
    records: Bytes,
) -> PartitionProduceResponse {
    let mut response = ask_at(broker, version, produce_request(topic, 0, -1, records));
    response.to_bytes(version.min(12)).unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

/// A batch with changed bytes and a valid CRC.
fn changed(records: &[&str], position: usize, bytes: &[u8]) -> Bytes {
    resealed(BytesMut::from(&batch(records)[..]), position, bytes)
}

fn resealed(mut batch: BytesMut, position: usize, bytes: &[u8]) -> Bytes {
    batch[position..position + bytes.len()].copy_from_slice(bytes);
    let crc = crc32c(&batch[CRC + 4..]);
    batch[CRC..CRC + 4].copy_from_slice(&crc.to_be_bytes());
    batch.freeze()
}

/// CRC-32C, bit by bit: independent of the code under test.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn with_wrong_crc() -> Bytes {
    let mut batch = BytesMut::from(&batch(&["a"])[..]);
    batch[CRC] ^= 1;
    batch.freeze()
}

fn keyed(value: &str) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder
        .try_append(1000, Some(b"k"), Some(value.as_bytes()), &[])
        .unwrap();
    builder.finish().unwrap()
}

fn two_batches() -> Bytes {
    [batch(&["a"]), batch(&["b"])].concat().into()
}

/// A batch of two LZ4 frames with one record each.
fn two_lz4_frames() -> Bytes {
    let one = compressed(Compression::Lz4, &["a"]);
    let batch = compressed(Compression::Lz4, &["a", "b"]);
    let frames = [&batch[..HEADER], &one[HEADER..], &one[HEADER..]].concat();
    let length = (frames.len() - 12) as i32;
    resealed(BytesMut::from(&frames[..]), LENGTH, &length.to_be_bytes())
}

/// The timestamp of the second record overflows 64 bits.
fn overflowing_times() -> Bytes {
    let batch = batch_at(&[(1, "a"), (9, "b")]);
    let base = (i64::MAX - 4).to_be_bytes();
    resealed(BytesMut::from(&batch[..]), BASE_TIMESTAMP, &base)
}

fn control() -> Bytes {
    changed(&["a"], 21, &0x20_i16.to_be_bytes())
}

#[rstest]
#[case::wrong_crc("t", with_wrong_crc(), ErrorCode::CorruptMessage)]
#[case::nothing("t", Bytes::new(), ErrorCode::InvalidRecord)]
#[case::half_a_header("t", batch(&["a"]).slice(..30), ErrorCode::CorruptMessage)]
#[case::cut_off("t", batch(&["abc"]).slice(..HEADER + 2), ErrorCode::CorruptMessage)]
#[case::a_length_too_long("t", changed(&["a"], LENGTH, &i32::MAX.to_be_bytes()), ErrorCode::MessageTooLarge)]
#[case::a_length_too_short("t", changed(&["a"], LENGTH, &10_i32.to_be_bytes()), ErrorCode::CorruptMessage)]
#[case::a_negative_length("t", changed(&["a"], LENGTH, &(-1_i32).to_be_bytes()), ErrorCode::CorruptMessage)]
#[case::magic_0("t", changed(&["a"], MAGIC, &[0]), ErrorCode::InvalidRecord)]
#[case::magic_1("t", changed(&["a"], MAGIC, &[1]), ErrorCode::InvalidRecord)]
#[case::magic_3("t", changed(&["a"], MAGIC, &[3]), ErrorCode::CorruptMessage)]
#[case::more_records_than_there_are("t", changed(&["a"], RECORD_COUNT, &9_i32.to_be_bytes()), ErrorCode::InvalidRecord)]
#[case::fewer_records_than_there_are("t", changed(&["a", "b"], RECORD_COUNT, &1_i32.to_be_bytes()), ErrorCode::InvalidRecord)]
#[case::no_records("t", changed(&["a"], RECORD_COUNT, &0_i32.to_be_bytes()), ErrorCode::InvalidRecord)]
#[case::a_wrong_last_offset("t", changed(&["a"], LAST_OFFSET_DELTA, &7_i32.to_be_bytes()), ErrorCode::InvalidRecord)]
#[case::a_base_offset("t", changed(&["a"], 0, &5_i64.to_be_bytes()), ErrorCode::InvalidRecord)]
#[case::two_batches("t", two_batches(), ErrorCode::InvalidRecord)]
#[case::a_control_batch("t", control(), ErrorCode::InvalidRecord)]
#[case::an_unknown_codec("t", changed(&["a"], 21, &7_i16.to_be_bytes()), ErrorCode::UnsupportedCompressionType)]
#[case::two_lz4_frames("t", two_lz4_frames(), ErrorCode::CorruptMessage)]
#[case::overflowing_times("t", overflowing_times(), ErrorCode::InvalidTimestamp)]
#[case::without_a_key("compacted", batch(&["a"]), ErrorCode::InvalidRecord)]
#[case::oversize("small", batch(&[&"x".repeat(200)]), ErrorCode::MessageTooLarge)]
#[case::too_old("recent", batch_at(&[(1, "a")]), ErrorCode::InvalidTimestamp)]
#[case::too_new("t", batch_at(&[(i64::MAX, "a")]), ErrorCode::InvalidTimestamp)]
fn invalid_batches_get_kafkas_code(
    #[case] topic: &str,
    #[case] records: Bytes,
    #[case] expected: ErrorCode,
) {
    let broker = broker();
    let response = produce_at(&broker, 12, topic, records);
    assert_eq!(
        code(response.error_code),
        expected,
        "{:?}",
        response.error_message
    );
    assert_eq!(response.base_offset, -1);
    assert_eq!(offset(&broker, topic, 0, LATEST), 0, "nothing is appended");
}

#[test]
fn every_invalid_record_is_listed() {
    let broker = broker();
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for key in [Some("k"), None, Some("k"), None, None] {
        let key = key.map(str::as_bytes);
        builder.try_append(1000, key, Some(b"v"), &[]).unwrap();
    }
    let response = produce(&broker, "compacted", 0, builder.finish().unwrap());
    assert_eq!(code(response.error_code), ErrorCode::InvalidRecord);
    let message = response.error_message.as_deref().unwrap();
    assert!(message.starts_with("3 records are refused, the first: record 1 has no key"));
    let named: Vec<_> = response
        .record_errors
        .iter()
        .map(|error| error.batch_index)
        .collect();
    assert_eq!(named, [1, 3, 4]);
    for error in response.record_errors {
        let message = error.batch_index_error_message.unwrap();
        assert!(message.starts_with(&format!("record {} has no key", error.batch_index)));
    }
    assert_eq!(append(&broker, "compacted", 0, keyed("v")), 0);
}

#[test]
fn every_record_with_an_invalid_timestamp_is_listed() {
    let broker = broker();
    let times = [(1, "a"), (i64::MAX, "b"), (2, "c")];
    let response = produce(&broker, "recent", 0, batch_at(&times));
    assert_eq!(code(response.error_code), ErrorCode::InvalidTimestamp);
    assert_eq!(response.record_errors.len(), 3);
}

#[test]
fn a_batch_that_is_too_large_after_decompression_is_refused() {
    let broker = broker();
    let packed = compressed(Compression::Gzip, &[&"x".repeat(5000)]);
    assert!(packed.len() < 1000);
    let response = produce(&broker, "plain", 0, packed);
    assert_eq!(code(response.error_code), ErrorCode::MessageTooLarge);
    assert_eq!(offset(&broker, "plain", 0, LATEST), 0);
}

#[test]
fn zstd_needs_a_version_that_supports_it() {
    let broker = broker();
    let zstd = || compressed(Compression::Zstd, &["a"]);
    for version in 3..=12 {
        let response = produce_at(&broker, version, "t", zstd());
        let expected = if version < 7 {
            ErrorCode::UnsupportedCompressionType
        } else {
            ErrorCode::None
        };
        assert_eq!(code(response.error_code), expected, "version {version}");
        let old = produce_at(&broker, version, "t", compressed(Compression::Gzip, &["b"]));
        assert_eq!(code(old.error_code), ErrorCode::None);
    }
}

#[test]
fn log_append_time_is_the_brokers_clock() {
    let broker = broker();
    let response = produce(&broker, "stamped", 0, batch_at(&[(i64::MAX, "a")]));
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert!(response.log_append_time_ms > 0 && response.log_append_time_ms < i64::MAX);
    let listed = list_offsets(&broker, "stamped", 0, response.log_append_time_ms);
    assert_eq!(
        (listed.offset, listed.timestamp),
        (0, response.log_append_time_ms)
    );
}
