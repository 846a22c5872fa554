//! A producer's retries when brokers refuse requests, lose their state or do not answer: order, sequences and epochs.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{FakeCluster, Fault, client, config};
use arrow_array::{self as arrow, ArrayRef, BinaryArray};
use headwater_client::{BulkOptions, Client, ErrorKind, Producer, Record, SendHandle};
use headwater_protocol::ErrorCode;
use rstest::rstest;

const TOPIC: &str = "t";
/// Long enough for other requests to queue up after a late one.
const LATE: Duration = Duration::from_millis(30);
/// The leader of a partition without one.
const NOBODY: i32 = -1;

fn send(producer: &Producer, value: &str) -> SendHandle {
    producer
        .send_blocking(&Record::new(TOPIC, value.as_bytes()).timestamp_ms(1))
        .unwrap()
}

/// Sends each value as its own batch, without waiting for results.
fn send_batches<const N: usize>(producer: &Producer, values: [&str; N]) -> Vec<SendHandle> {
    let handles = values.map(|value| {
        let handle = send(producer, value);
        handle.send_now();
        handle
    });
    handles.into()
}

fn values(broker: &FakeCluster, partition: i32) -> Vec<String> {
    broker
        .values(TOPIC, partition)
        .into_iter()
        .map(|(_, value)| String::from_utf8(value).unwrap())
        .collect()
}

/// Epoch and sequence of every batch that was sent.
fn stamps(broker: &FakeCluster) -> Vec<(i16, i32)> {
    let state = broker.state();
    let headers = state.seen.iter().map(|seen| seen.header);
    headers
        .map(|header| (header.producer_epoch.get(), header.base_sequence))
        .collect()
}

fn wait_for_all(handles: Vec<SendHandle>) {
    for handle in handles {
        handle.wait().unwrap();
    }
}

#[rstest]
#[case::refused(vec![Fault::Code(ErrorCode::NotLeaderOrFollower), Fault::Code(ErrorCode::NotEnoughReplicas)])]
#[case::lost_on_the_way(vec![Fault::RequestLost, Fault::RequestLost])]
#[case::written_and_not_answered(vec![Fault::AnswerLost, Fault::AnswerLost])]
fn temporary_errors_are_retried_and_records_written_once(#[case] faults: Vec<Fault>) {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    send(&producer, "before").wait().unwrap();
    broker.fail_next(faults);
    let (a, b) = (send(&producer, "a"), send(&producer, "b"));
    assert_eq!(a.wait().unwrap().offset.unwrap().get(), 1);
    assert_eq!(b.wait().unwrap().offset.unwrap().get(), 2);
    send(&producer, "after").wait().unwrap();
    assert_eq!(values(&broker, 0), ["before", "a", "b", "after"]);
    let sequences: Vec<_> = broker
        .state()
        .seen
        .iter()
        .map(|seen| seen.header.base_sequence)
        .collect();
    assert_eq!(
        sequences,
        [0, 1, 1, 1, 3],
        "a repeated batch keeps its sequence"
    );
}

#[test]
fn requests_wait_for_a_broker_that_is_temporarily_away() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    send(&producer, "before").wait().unwrap();
    broker.state().away = 9;
    send(&producer, "after").wait().unwrap();
    assert_eq!(broker.state().away, 0);
    assert_eq!(values(&broker, 0), ["before", "after"]);
}

#[test]
fn a_table_waits_for_a_broker_that_is_temporarily_away() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    broker.state().away = 9;
    let values: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"row"]));
    let rows = arrow::RecordBatch::try_from_iter([("value", values)]).unwrap();
    let options = BulkOptions::default();
    let sent = producer.send_batch(TOPIC, &rows, &options);
    runtime.block_on(sent).unwrap();
    assert_eq!(broker.state().away, 0);
}

/// As Kafka's producer does.
#[test]
fn records_wait_for_the_leaders_of_a_topic_that_is_being_created() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&cluster);
    cluster.state().metadata_without_leaders = 3;
    let producer = client.producer(config(&[("retry.backoff.ms", "1")]));
    send(&producer, "a").wait().unwrap();
    assert_eq!(values(&cluster, 0), ["a"]);
    assert_eq!(cluster.state().metadata_without_leaders, 0);
}

#[test]
fn the_error_after_max_block_ms_has_the_reason() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("max.block.ms", "50")]));
    broker.state().away = usize::MAX;
    let error = producer
        .send_blocking(&Record::new(TOPIC, b""))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[test]
fn a_permanent_refusal_fails_only_its_record() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    broker.fail_next([Fault::Code(ErrorCode::InvalidTimestamp)]);
    let error = send(&producer, "bad").wait().unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        (ErrorCode::InvalidTimestamp, ErrorKind::InvalidArgument)
    );
    assert_eq!(
        (error.topic(), error.partition().map(Into::into)),
        (Some(TOPIC), Some(0))
    );
    assert_eq!(
        send(&producer, "good")
            .wait()
            .unwrap()
            .offset
            .unwrap()
            .get(),
        0
    );
}

#[test]
fn an_invalid_record_gets_its_own_message() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    broker.fail_next([Fault::Records(vec![1])]);
    let handles: Vec<_> = ["a", "b", "c"].map(|value| send(&producer, value)).into();
    let errors: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.wait().unwrap_err())
        .collect();
    assert!(errors[1].message().contains("this one") && !errors[1].is_retriable());
    for bystander in [&errors[0], &errors[2]] {
        assert!(
            bystander.message().contains("another record of its batch") && bystander.is_retriable()
        );
    }
}

#[test]
fn a_batch_that_is_too_large_is_split_until_its_parts_fit() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    broker.state().max_batch_bytes = 400;
    let mut sizes = [100; 11];
    sizes[6] = 600;
    let handles: Vec<_> = sizes
        .iter()
        .map(|size| send(&producer, &"x".repeat(*size)))
        .collect();
    let results: Vec<_> = handles.into_iter().map(SendHandle::wait).collect();
    let error = results[6].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordTooLarge, "{error}");
    let offsets: Vec<_> = results
        .iter()
        .flatten()
        .map(|sent| sent.offset.unwrap().get())
        .collect();
    assert_eq!(
        offsets,
        (0..10).collect::<Vec<_>>(),
        "the others are written, in order"
    );
    send(&producer, "after").wait().unwrap();
    assert_eq!(broker.values(TOPIC, 0).len(), 11);
}

#[test]
fn an_answer_that_never_comes_is_a_timeout_and_the_next_batch_starts_a_new_epoch() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[
        ("request.timeout.ms", "30"),
        ("linger.ms", "0"),
        ("delivery.timeout.ms", "60"),
    ]));
    send(&producer, "before").wait().unwrap();
    broker.fail_next([Fault::Hangs, Fault::Hangs, Fault::Hangs]);
    let error = send(&producer, "lost").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    broker.state().produce_faults.clear();
    send(&producer, "after").wait().unwrap();
    let last = broker.state().seen.last().unwrap().header;
    assert_eq!((last.producer_epoch.get(), last.base_sequence), (1, 0));
    assert_eq!(values(&broker, 0), ["before", "after"]);
}

#[test]
fn a_request_that_was_never_sent_costs_no_epoch() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[
        ("linger.ms", "0"),
        ("request.timeout.ms", "50"),
        ("delivery.timeout.ms", "100"),
    ]));
    send(&producer, "first").wait().unwrap();
    broker.state().away = usize::MAX;
    let error = send(&producer, "lost").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    broker.state().away = 0;
    send(&producer, "second").wait().unwrap();
    let stamps: Vec<_> = (broker.state().seen.iter())
        .map(|seen| (seen.header.producer_epoch.get(), seen.header.base_sequence))
        .collect();
    assert_eq!(stamps, [(0, 0), (0, 1)]);
    assert_eq!(values(&broker, 0), ["first", "second"]);
}
/// A cluster with one partition, and a producer whose first record is acknowledged: from then on requests are
/// pipelined.
fn started(
    pairs: &[(&str, &str)],
) -> (Arc<FakeCluster>, tokio::runtime::Runtime, Client, Producer) {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(pairs));
    send(&producer, "0").wait().unwrap();
    (broker, runtime, client, producer)
}

#[test]
fn batches_after_a_lost_one_are_sent_again_in_order() {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.fail_next([Fault::Late(LATE), Fault::RequestLost]);
    let handles = send_batches(&producer, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    wait_for_all(handles);
    assert_eq!(
        values(&broker, 0),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8"]
    );
    let stamps = stamps(&broker);
    assert!(stamps.iter().all(|(epoch, _)| *epoch == 0), "{stamps:?}");
    assert!(
        broker.state().sequence_refusals > 0,
        "others were in flight"
    );
    assert_eq!(broker.state().in_flight_max, 5);
}

#[test]
fn a_lost_answer_does_not_duplicate_later_batches() {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.fail_next([Fault::Late(LATE), Fault::AnswerLost]);
    wait_for_all(send_batches(&producer, ["1", "2", "3", "4", "5", "6", "7"]));
    assert_eq!(values(&broker, 0), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert!(stamps(&broker).iter().all(|(epoch, _)| *epoch == 0));
}

/// A broker keeps the last five batches of a producer. The batch after this one was acknowledged, so this one was
/// written.
#[test]
fn a_batch_that_the_broker_has_dropped_from_its_state_is_not_written_twice() {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.fail_next([
        Fault::Late(LATE),
        Fault::AnswerLost,
        Fault::LateAnswer(Duration::ZERO),
        Fault::Code(ErrorCode::OutOfOrderSequenceNumber),
    ]);
    let mut handles = send_batches(&producer, ["1", "2", "3"]);
    assert_eq!(handles.remove(1).wait().unwrap().offset, None);
    wait_for_all(handles);
    assert_eq!(values(&broker, 0), ["0", "1", "2", "3"]);
}

#[test]
fn without_idempotence_one_request_in_flight_keeps_the_order() {
    let (broker, _runtime, _client, producer) = started(&[
        ("enable.idempotence", "false"),
        ("max.in.flight.requests.per.connection", "1"),
    ]);
    broker.fail_next([Fault::Late(LATE), Fault::RequestLost, Fault::RequestLost]);
    wait_for_all(send_batches(&producer, ["1", "2", "3", "4"]));
    assert_eq!(values(&broker, 0), ["0", "1", "2", "3", "4"]);
}

#[test]
fn the_second_batch_of_an_epoch_is_sent_when_the_first_is_acknowledged() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    // The broker would accept the second batch of an unknown producer.
    broker.state().produce_takes = LATE;
    broker.fail_next([Fault::RequestLost]);
    wait_for_all(send_batches(&producer, ["1", "2", "3"]));
    assert_eq!(values(&broker, 0), ["1", "2", "3"]);
    assert_eq!(broker.state().sequence_refusals, 0);
}

/// Kafka's broker has dropped the producer's state, or lost a batch that it acknowledged.
#[rstest]
#[case(ErrorCode::OutOfOrderSequenceNumber)]
#[case(ErrorCode::UnknownProducerId)]
fn a_broker_that_lost_the_producers_state_gets_a_new_epoch(#[case] code: ErrorCode) {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.fail_next([Fault::Code(code)]);
    send(&producer, "1").wait().unwrap();
    assert_eq!(values(&broker, 0), ["0", "1"]);
    assert_eq!(stamps(&broker), [(0, 0), (0, 1), (1, 0)]);
}

#[test]
fn a_refused_batch_leaves_its_sequences_to_later_ones() {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.fail_next([Fault::Late(LATE), Fault::Code(ErrorCode::InvalidTimestamp)]);
    let mut handles = send_batches(&producer, ["1", "bad", "3", "4", "5"]);
    let error = handles.remove(1).wait().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidTimestamp);
    wait_for_all(handles);
    assert_eq!(values(&broker, 0), ["0", "1", "3", "4", "5"]);
    assert!(stamps(&broker).iter().all(|(epoch, _)| *epoch == 0));
}

#[test]
fn a_split_batch_and_later_ones_keep_their_order() {
    let (broker, _runtime, _client, producer) = started(&[]);
    broker.state().max_batch_bytes = 400;
    let large = "x".repeat(100);
    let mut handles: Vec<_> = (0..9).map(|_| send(&producer, &large)).collect();
    handles.extend(send_batches(&producer, ["1", "2"]));
    let offsets: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.wait().unwrap().offset.unwrap().get())
        .collect();
    assert_eq!(offsets, (1..12).collect::<Vec<_>>());
    assert_eq!(values(&broker, 0)[10..], ["1", "2"]);
    assert!(stamps(&broker).iter().all(|(epoch, _)| *epoch == 0));
}

/// A producer whose records expire soon.
const IMPATIENT: [(&str, &str); 3] = [
    ("linger.ms", "0"),
    ("request.timeout.ms", "50"),
    ("delivery.timeout.ms", "100"),
];

#[test]
fn a_batch_that_expires_before_it_is_sent_uses_no_sequence() {
    let mut pairs = IMPATIENT.to_vec();
    // The producer looks up the leader before each request.
    pairs.push(("metadata.max.age.ms", "0"));
    let (broker, _runtime, _client, producer) = started(&pairs);
    broker.state().move_leader(TOPIC, 0, NOBODY);
    let error = send(&producer, "expired").wait().unwrap_err();
    assert_eq!(error.code(), ErrorCode::LeaderNotAvailable, "{error}");
    broker.state().move_leader(TOPIC, 0, 1);
    send(&producer, "1").wait().unwrap();
    assert_eq!(stamps(&broker), [(0, 0), (0, 1)]);
    assert_eq!(values(&broker, 0), ["0", "1"]);
}

/// The broker has written the expired batch. With its sequence, the next one would be dropped as a duplicate.
#[test]
fn a_record_after_an_expired_one_that_was_written_is_written_too() {
    let (broker, _runtime, _client, producer) = started(&IMPATIENT);
    broker.fail_next([Fault::AnswerLost]);
    let handle = send(&producer, "expired");
    handle.send_now();
    broker.state().away = usize::MAX;
    let error = handle.wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    broker.state().away = 0;
    send(&producer, "1").wait().unwrap();
    assert_eq!(values(&broker, 0), ["0", "expired", "1"]);
    assert_eq!(stamps(&broker).last(), Some(&(1, 0)));
}

#[test]
fn another_partition_starts_the_new_epoch_with_its_next_batch() {
    let broker = FakeCluster::with_topic(TOPIC, 2);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    let send_to = |partition, value: &str| {
        let record = Record::new(TOPIC, value.as_bytes()).partition(partition);
        producer.send_blocking(&record).unwrap().wait().unwrap()
    };
    send_to(0, "a");
    send_to(1, "b");
    broker.fail_next([Fault::Code(ErrorCode::OutOfOrderSequenceNumber)]);
    send_to(0, "c");
    send_to(1, "d");
    send_to(1, "e");
    assert_eq!(values(&broker, 1), ["b", "d", "e"]);
    assert_eq!(broker.state().sequence_refusals, 0);
    let of_second = stamps(&broker).split_off(4);
    assert_eq!(of_second, [(1, 0), (1, 1)]);
}
