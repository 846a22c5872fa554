//! A producer with a broker that refuses requests, loses its state or never answers.

use std::time::{Duration, Instant};

use crate::support::{FakeCluster, Fault, client, config};
use headwater_client::{ErrorKind, Producer, Record, SendHandle};
use headwater_protocol::ErrorCode;
use rstest::rstest;

const TOPIC: &str = "t";

static HUGE: [u8; 2_000_000] = [0; 2_000_000];

fn send(producer: &Producer, value: &str) -> SendHandle {
    producer
        .send_blocking(&Record::new(TOPIC, value.as_bytes()).timestamp_ms(1))
        .unwrap()
}

fn values(broker: &FakeCluster, partition: i32) -> Vec<String> {
    broker
        .values(TOPIC, partition)
        .into_iter()
        .map(|(_, value)| String::from_utf8(value).unwrap())
        .collect()
}

#[test]
fn waiting_for_a_record_does_not_wait_for_linger() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    let handles: Vec<_> = ["a", "b", "c"].map(|value| send(&producer, value)).into();
    assert!(handles.iter().all(|handle| handle.try_result().is_none()));
    let offsets: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.wait().unwrap().offset.unwrap().get())
        .collect();
    assert_eq!(offsets, [0, 1, 2]);
    assert_eq!(broker.state().seen.len(), 1, "one batch for all");
    assert_eq!(
        broker.state().seen[0].thread,
        std::thread::current().id(),
        "sent by the thread that waits"
    );
}

#[test]
fn an_awaited_handle_sends_its_batch() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    let offset = runtime.block_on(async {
        let handle = producer.send(&Record::new(TOPIC, b"v")).await.unwrap();
        tokio::spawn(handle).await.unwrap().unwrap().offset
    });
    assert_eq!(offset.unwrap().get(), 0);
}

#[test]
fn a_batch_without_a_waiting_caller_is_sent_after_linger() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("linger.ms", "5")]));
    // Twice: the lingering task must not sleep for good after its first work.
    for count in 1..=2 {
        let handle = send(&producer, "v");
        let patience = Instant::now() + Duration::from_secs(20);
        while handle.try_result().is_none() {
            assert!(Instant::now() < patience, "batch {count} was never sent");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(broker.values(TOPIC, 0).len(), 2);
}

#[test]
fn a_full_batch_is_sent_by_the_thread_that_filled_it() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("batch.size", "1000")]));
    let handles: Vec<_> = (0..100)
        .map(|_| send(&producer, &"x".repeat(100)))
        .collect();
    let done = handles.iter().filter(|handle| handle.is_done()).count();
    assert!(
        (80..100).contains(&done),
        "{done} of 100 were sent without a waiting caller"
    );
    let me = std::thread::current().id();
    assert!(broker.state().seen.iter().all(|seen| seen.thread == me));
    assert!(
        broker
            .state()
            .seen
            .iter()
            .all(|seen| seen.header.size_in_bytes() <= 1000)
    );
}

#[test]
fn a_batch_size_of_zero_sends_each_record_alone() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("batch.size", "0")]));
    let handles: Vec<_> = (0..5)
        .map(|index| send(&producer, &index.to_string()))
        .collect();
    for handle in handles {
        handle.wait().unwrap();
    }
    assert_eq!(
        broker
            .state()
            .seen
            .iter()
            .map(|seen| seen.header.record_count)
            .collect::<Vec<_>>(),
        [1; 5]
    );
}

#[test]
fn a_send_to_a_full_buffer_waits_and_then_fails() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[
        ("batch.size", "1000"),
        ("buffer.memory", "3000"),
        ("max.block.ms", "50"),
    ]));
    broker.fail_next([Fault::Hangs]);
    let error = (0..1000)
        .find_map(|_| producer.send_blocking(&Record::new(TOPIC, &[0; 100])).err())
        .expect("a broker that does not answer must fill the buffer");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("buffer.memory"), "{error}");
}

#[test]
fn memory_is_released_when_batches_are_answered() {
    let broker = FakeCluster::with_topic(TOPIC, 3);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[
        ("batch.size", "1000"),
        ("buffer.memory", "1000"),
        ("max.block.ms", "20000"),
    ]));
    // Open batches of other partitions fill the whole buffer each time.
    for index in 0..300 {
        let value = [0; 50];
        let record = Record::new(TOPIC, &value).partition(index % 3);
        drop(producer.send_blocking(&record).unwrap());
    }
    runtime.block_on(producer.flush()).unwrap();
    assert_eq!(
        (0..3)
            .map(|partition| broker.values(TOPIC, partition).len())
            .sum::<usize>(),
        300
    );
}

#[test]
fn records_without_a_key_fill_one_partition_after_the_other() {
    let broker = FakeCluster::with_topic(TOPIC, 4);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[("batch.size", "2000")]));
    for _ in 0..400 {
        drop(send(&producer, &"x".repeat(100)));
    }
    runtime.block_on(producer.flush()).unwrap();
    let turns: Vec<_> = broker
        .state()
        .seen
        .iter()
        .map(|seen| seen.partition)
        .collect();
    // The flush sends open batches in the order of partitions; before it they take turns.
    assert!(
        turns
            .windows(2)
            .take(20)
            .all(|pair| (pair[0] + 1) % 4 == pair[1]),
        "{turns:?}"
    );
    let counts: Vec<_> = (0..4)
        .map(|partition| broker.values(TOPIC, partition).len())
        .collect();
    assert!(
        counts.iter().all(|count| (80..=120).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn records_with_a_key_go_where_javas_producer_sends_them() {
    let broker = FakeCluster::with_topic(TOPIC, 10);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    // toPositive(murmur2(key)) % 10, with the hashes of Kafka's own test of murmur2.
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("abc", 479_470_107),
    ] {
        let handle = producer
            .send_blocking(&Record::new(TOPIC, b"v").key(key.as_bytes()))
            .unwrap();
        assert_eq!(
            handle.wait().unwrap().partition.get(),
            (hash & i32::MAX) % 10,
            "{key}"
        );
    }
}

#[test]
fn many_threads_keep_their_order_and_no_sequence_is_missing() {
    const THREADS: usize = 4;
    const RECORDS: usize = 2_000;
    let broker = FakeCluster::with_topic(TOPIC, 2);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[("batch.size", "500"), ("linger.ms", "1")]));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let producer = producer.clone();
            scope.spawn(move || {
                for index in 0..RECORDS {
                    let value = format!("{thread} {index}");
                    let record = Record::new(TOPIC, value.as_bytes()).partition((index % 2) as i32);
                    let handle = producer.send_blocking(&record).unwrap();
                    if index % 97 == 0 {
                        handle.wait().unwrap();
                    }
                }
            });
        }
    });
    runtime.block_on(producer.flush()).unwrap();
    for partition in 0..2 {
        let mut next = [partition as usize; THREADS];
        let values = values(&broker, partition);
        assert_eq!(values.len(), THREADS * RECORDS / 2);
        for value in values {
            let (thread, index) = value.split_once(' ').unwrap();
            let (thread, index): (usize, usize) = (thread.parse().unwrap(), index.parse().unwrap());
            assert_eq!(
                index, next[thread],
                "thread {thread} in partition {partition}"
            );
            next[thread] += 2;
        }
    }
}

#[test]
fn a_dropped_producer_sends_its_queued_records() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    let handle = send(&producer, "last");
    drop(producer);
    assert_eq!(values(&broker, 0), ["last"]);
    assert!(handle.is_done());
}

#[test]
fn without_acks_there_is_no_offset_and_no_error() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("acks", "0")]));
    broker.fail_next([Fault::Code(ErrorCode::InvalidTimestamp)]);
    assert_eq!(send(&producer, "v").wait().unwrap().offset, None);
    assert_eq!(
        broker.state().seen[0].header.producer_id,
        None,
        "acks=0 disables idempotence"
    );
}

#[rstest]
#[case::unknown_topic(Record::new("nope", b"v"), ErrorKind::UnknownTopicOrPartition)]
#[case::unknown_partition(Record::new(TOPIC, b"v").partition(7), ErrorKind::UnknownTopicOrPartition)]
#[case::too_large(Record::new(TOPIC, &HUGE), ErrorKind::RecordTooLarge)]
fn a_record_that_can_never_be_sent_is_refused_at_once(
    #[case] record: Record<'_>,
    #[case] kind: ErrorKind,
) {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    let error = producer.send_blocking(&record).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(broker.state().seen.is_empty());
}

#[test]
fn a_closed_producer_has_sent_everything_and_refuses_records() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    drop(send(&producer, "v"));
    runtime.block_on(producer.close()).unwrap();
    runtime.block_on(producer.close()).unwrap();
    assert_eq!(values(&broker, 0), ["v"]);
    let error = producer
        .send_blocking(&Record::new(TOPIC, b"late"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn partitions_that_are_added_are_used_once_they_are_known() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    let producer = client.producer(config(&[("metadata.max.age.ms", "0")]));
    send(&producer, "v").wait().unwrap();
    broker.state().add_topic(TOPIC, 3);
    // The leader has moved: the producer refreshes the metadata, and so learns of the new partitions.
    broker.fail_next([Fault::Code(ErrorCode::NotLeaderOrFollower)]);
    send(&producer, "w").wait().unwrap();
    let handle = producer
        .send_blocking(&Record::new(TOPIC, b"x").partition(2))
        .unwrap();
    assert_eq!(handle.wait().unwrap().partition.get(), 2);
}

#[test]
fn a_negative_timestamp_is_an_invalid_argument() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    let producer = client.producer(config(&[]));
    for timestamp_ms in [-1, -2, i64::MIN] {
        let record = Record::new(TOPIC, b"value").timestamp_ms(timestamp_ms);
        let blocking = producer.send_blocking(&record).unwrap_err();
        let awaited = runtime.block_on(producer.send(&record)).unwrap_err();
        for error in [blocking, awaited] {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            assert!(!error.is_retriable());
        }
    }
    assert!(broker.values(TOPIC, 0).is_empty());
}
