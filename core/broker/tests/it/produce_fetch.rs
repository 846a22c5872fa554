//! Produce, Fetch and `ListOffsets`, without waiting.

use crate::support::*;
use bytes::Bytes;
use headwater_protocol::ErrorCode;
use headwater_record::{Compression, batches};
use rstest::rstest;
use uuid::Uuid;

#[test]
fn produced_records_are_fetched_at_their_offsets() {
    let broker = in_memory();
    create(&broker, "t", 2, &[]);
    assert_eq!(append(&broker, "t", 0, batch(&["a", "b"])), 0);
    assert_eq!(append(&broker, "t", 0, batch(&["c"])), 2);
    assert_eq!(append(&broker, "t", 1, batch(&["d"])), 0);
    let data = fetch(&broker, "t", 0, 0);
    assert_eq!(
        records(&data),
        [(0, "a".into()), (1, "b".into()), (2, "c".into())]
    );
    assert_eq!(
        (
            data.high_watermark,
            data.last_stable_offset,
            data.log_start_offset
        ),
        (3, 3, 0)
    );
    assert_eq!(records(&fetch(&broker, "t", 1, 0)), [(0, "d".into())]);
    assert_eq!(
        data.aborted_transactions, None,
        "read_uncommitted gets no aborted transactions"
    );
}

#[test]
fn topics_are_found_by_id_too() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("t", 1, &[])).topic_id;
    let mut produce = produce_request("", 0, 1, batch(&["a"]));
    produce.topic_data[0].topic_id = id;
    let answer = ask(&broker, produce);
    assert_eq!(answer.responses[0].partition_responses[0].base_offset, 0);
    let mut request = fetch_request("", &[(0, 0)]);
    request.topics[0].topic_id = id;
    assert_eq!(
        records(&first(ask(&broker, request.clone()))),
        [(0, "a".into())]
    );
    request.topics[0].topic_id = Uuid::from_u128(77);
    assert_eq!(
        code(first(ask(&broker, request)).error_code),
        ErrorCode::UnknownTopicId
    );
}

#[rstest]
#[case::no_such_topic("u", 0, -1, batch(&["a"]), ErrorCode::UnknownTopicOrPartition)]
#[case::no_such_partition("t", 1, -1, batch(&["a"]), ErrorCode::UnknownTopicOrPartition)]
#[case::negative_partition("t", -1, -1, batch(&["a"]), ErrorCode::UnknownTopicOrPartition)]
#[case::wrong_acks("t", 0, 2, batch(&["a"]), ErrorCode::InvalidRequiredAcks)]
#[case::no_records("t", 0, -1, Bytes::new(), ErrorCode::InvalidRecord)]
#[case::too_large("small", 0, -1, batch(&["0123456789012345678901234567890123456789"]), ErrorCode::MessageTooLarge)]
#[case::too_late("t", 0, -1, batch_at(&[(i64::MAX, "a")]), ErrorCode::InvalidTimestamp)]
#[case::without_a_key("compacted", 0, -1, batch(&["a"]), ErrorCode::InvalidRecord)]
#[case::too_few_replicas("careful", 0, -1, batch(&["a"]), ErrorCode::NotEnoughReplicas)]
fn an_invalid_produce_gets_kafkas_code_and_a_message(
    #[case] topic: &str,
    #[case] partition: i32,
    #[case] acks: i16,
    #[case] records: Bytes,
    #[case] expected: ErrorCode,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    create(&broker, "small", 1, &[("max.message.bytes", "100")]);
    create(&broker, "compacted", 1, &[("cleanup.policy", "compact")]);
    create(&broker, "careful", 1, &[("min.insync.replicas", "2")]);
    let answer = ask(&broker, produce_request(topic, partition, acks, records));
    let answer = &answer.responses[0].partition_responses[0];
    assert_eq!(
        code(answer.error_code),
        expected,
        "{:?}",
        answer.error_message
    );
    assert_eq!(answer.base_offset, -1);
    assert!(
        answer
            .error_message
            .as_ref()
            .is_some_and(|message| message.len() > 10)
    );
    for topic in ["t", "small", "compacted", "careful"] {
        assert_eq!(offset(&broker, topic, 0, LATEST), 0, "nothing was appended");
    }
}

#[test]
fn each_flipped_bit_of_a_batch_is_refused_or_lies_outside_the_crc() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let good = batch(&["hello"]);
    for bit in 0..good.len() * 8 {
        let mut bad = good.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        let answer = produce(&broker, "t", 0, Bytes::from(bad));
        // The broker sets the base offset and the leader epoch.
        let is_patched = bit / 8 < 8 || (12..16).contains(&(bit / 8));
        let accepted = code(answer.error_code) == ErrorCode::None;
        assert!(!accepted || is_patched, "bit {bit} was accepted");
    }
    for (_, value) in records(&fetch(&broker, "t", 0, 0)) {
        assert_eq!(value, "hello");
    }
}

#[test]
fn one_partition_that_fails_leaves_the_others_alone() {
    let broker = in_memory();
    create(&broker, "t", 2, &[]);
    let mut request = produce_request("t", 0, -1, batch(&["a"]));
    let data = &mut request.topic_data[0].partition_data;
    data.push(data[0].clone());
    data[0].records = Some(Bytes::from_static(b"rubbish"));
    data[1].index = 1;
    let answer = ask(&broker, request);
    let answers = &answer.responses[0].partition_responses;
    assert_eq!(code(answers[0].error_code), ErrorCode::CorruptMessage);
    assert_eq!(
        (code(answers[1].error_code), answers[1].base_offset),
        (ErrorCode::None, 0)
    );
}

#[test]
fn a_duplicate_batch_is_answered_with_its_first_offset() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["x"]));
    let first = batch_of((7, 0, 0), &["a", "b"]);
    assert_eq!(append(&broker, "t", 0, first.clone()), 1);
    assert_eq!(append(&broker, "t", 0, batch_of((7, 0, 2), &["c"])), 3);
    assert_eq!(append(&broker, "t", 0, first), 1);
    assert_eq!(values(&broker, "t", 0), ["x", "a", "b", "c"]);
}

#[test]
fn a_gap_in_a_sequence_and_an_old_epoch_are_refused() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch_of((7, 1, 0), &["a"]));
    let gap = produce(&broker, "t", 0, batch_of((7, 1, 5), &["b"]));
    assert_eq!(code(gap.error_code), ErrorCode::OutOfOrderSequenceNumber);
    let old = produce(&broker, "t", 0, batch_of((7, 0, 1), &["b"]));
    assert_eq!(code(old.error_code), ErrorCode::InvalidProducerEpoch);
    assert_eq!(values(&broker, "t", 0), ["a"]);
}

#[test]
fn log_append_time_replaces_the_producers_time_and_is_returned() {
    let broker = in_memory();
    create(
        &broker,
        "t",
        1,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    let answer = produce(&broker, "t", 0, batch(&["a"]));
    assert!(answer.log_append_time_ms > 1_600_000_000_000);
    let data = fetch(&broker, "t", 0, 0);
    let batch = batches(&data.records.unwrap()).next().unwrap().unwrap();
    assert_eq!(batch.header().max_timestamp_ms, answer.log_append_time_ms);
}

#[rstest]
#[case("zstd", Compression::Zstd)]
#[case("lz4", Compression::Lz4)]
#[case("uncompressed", Compression::None)]
fn a_topic_stores_its_own_codec(#[case] topic_codec: &str, #[case] stored: Compression) {
    let broker = in_memory();
    create(&broker, "t", 1, &[("compression.type", topic_codec)]);
    append(
        &broker,
        "t",
        0,
        compressed(Compression::Gzip, &["aaaaaaaaaaaaaaaa", "b"]),
    );
    append(&broker, "t", 0, batch(&["c"]));
    assert_eq!(values(&broker, "t", 0), ["aaaaaaaaaaaaaaaa", "b", "c"]);
    let bytes = fetch(&broker, "t", 0, 0).records.unwrap();
    for batch in batches(&bytes) {
        assert_eq!(
            batch.unwrap().header().attributes.compression().unwrap(),
            stored
        );
    }
}

#[rstest]
#[case::before_the_start(-1, ErrorCode::OffsetOutOfRange)]
#[case::past_the_end(4, ErrorCode::OffsetOutOfRange)]
#[case::at_the_end(3, ErrorCode::None)]
fn offsets_up_to_the_log_end_are_in_range(#[case] offset: i64, #[case] expected: ErrorCode) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a", "b", "c"]));
    let data = fetch(&broker, "t", 0, offset);
    assert_eq!(code(data.error_code), expected);
    assert_eq!(data.records.unwrap_or_default().len(), 0);
    assert_eq!(
        (data.log_start_offset, data.high_watermark),
        (0, 3),
        "the error contains the range"
    );
}

#[rstest]
#[case::older(-1, ErrorCode::None)]
#[case::same(0, ErrorCode::None)]
#[case::newer(1, ErrorCode::UnknownLeaderEpoch)]
fn a_wrong_leader_epoch_is_refused(#[case] epoch: i32, #[case] expected: ErrorCode) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let mut request = fetch_request("t", &[(0, 0)]);
    request.topics[0].partitions[0].current_leader_epoch = epoch;
    assert_eq!(code(first(ask(&broker, request)).error_code), expected);
}

#[test]
fn the_first_batch_is_returned_whole_and_max_bytes_covers_all_partitions() {
    let broker = in_memory();
    create(&broker, "t", 3, &[]);
    let big = batch(&["x".repeat(1000).as_str()]);
    for partition in 0..3 {
        append(&broker, "t", partition, big.clone());
        append(&broker, "t", partition, big.clone());
    }
    let sizes = |max_bytes: usize, partition_max_bytes: usize| {
        let mut request = fetch_request("t", &[(0, 0), (1, 0), (2, 0)]);
        request.max_bytes = max_bytes as i32;
        for partition in &mut request.topics[0].partitions {
            partition.partition_max_bytes = partition_max_bytes as i32;
        }
        let response = ask(&broker, request);
        let len = |data: &headwater_protocol::fetch_response::PartitionData| {
            data.records.as_ref().map_or(0, Bytes::len)
        };
        response.responses[0]
            .partitions
            .iter()
            .map(len)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sizes(1, 1 << 20)[0],
        big.len(),
        "the first batch must be complete"
    );
    assert!(sizes(1, 1 << 20)[1..].iter().all(|size| *size == 0));
    let (two, total): (_, usize) = (
        sizes(big.len() * 3, big.len() * 2),
        sizes(big.len() * 3, big.len() * 2).iter().sum(),
    );
    assert_eq!(two[0], big.len() * 2);
    assert!(total <= big.len() * 3, "{two:?}");
    let each = sizes(1 << 20, 1);
    assert_eq!(each[0], big.len());
    assert!(each[1..].iter().all(|size| *size <= 1), "{each:?}");
}

#[rstest]
#[case::earliest(-2, 0, -1)]
#[case::latest(-1, 5, -1)]
#[case::greatest(-3, 3, 900)]
#[case::local(-4, 0, -1)]
#[case::remote(-5, -1, -1)]
#[case::first_at_or_after(500, 1, 500)]
#[case::between(501, 2, 700)]
#[case::disordered(701, 3, 900)]
#[case::of_the_greatest(900, 3, 900)]
#[case::later_than_all(901, -1, -1)]
fn offsets_are_found_by_timestamp(
    #[case] timestamp: i64,
    #[case] offset: i64,
    #[case] found_ms: i64,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch_at(&[(100, "a"), (500, "b")]));
    append(
        &broker,
        "t",
        0,
        batch_at(&[(700, "c"), (900, "d"), (600, "e")]),
    );
    let listed = list_offsets(&broker, "t", 0, timestamp);
    assert_eq!(code(listed.error_code), ErrorCode::None);
    assert_eq!((listed.offset, listed.timestamp), (offset, found_ms));
}

#[test]
fn listing_an_unknown_partition_is_refused() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    assert_eq!(
        code(list_offsets(&broker, "u", 0, -1).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
    assert_eq!(
        code(list_offsets(&broker, "t", 1, -1).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
    assert_eq!(
        code(list_offsets(&broker, "t", 0, -9).error_code),
        ErrorCode::UnsupportedVersion
    );
}

#[test]
fn concurrent_producers_get_distinct_offsets() {
    const THREADS: usize = 4;
    const EACH: usize = 200;
    let broker = in_memory();
    create(&broker, "t", 1, &[("flush.messages", "1")]);
    let mut offsets: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    (0..EACH)
                        .map(|_| append(&broker, "t", 0, batch(&["a", "b"])))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    offsets.sort_unstable();
    assert!(
        offsets
            .iter()
            .zip(0..)
            .all(|(offset, nth)| *offset == nth * 2)
    );
    assert_eq!(offset(&broker, "t", 0, LATEST), (THREADS * EACH * 2) as i64);
}
