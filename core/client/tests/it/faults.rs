//! Producers and readers on a cluster that loses requests and responses, moves leaders, lags in its metadata, and loses
//! brokers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater_client::{
    BatchOptions, BatchStream, Client, ConsumerConfig, DecodeOptions, Producer, Record, SendHandle,
    TopicPartition, Until,
};
use headwater_columnar::Format;
use headwater_protocol::ErrorCode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{FakeCluster, Fault, client, config};

const TOPIC: &str = "t";
const NODES: i32 = 3;
const PARTITIONS: i32 = 4;
const PRODUCERS: usize = 2;

/// The guarantee of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// With idempotence.
    ExactlyOnce,
    /// Without idempotence records may be duplicated.
    AtLeastOnce,
}

/// Each record is a batch, so that many are in flight.
const SMALL_BATCHES: [(&str, &str); 1] = [("batch.size", "0")];
const NOT_IDEMPOTENT: [(&str, &str); 3] = [
    ("batch.size", "0"),
    ("enable.idempotence", "false"),
    ("max.in.flight.requests.per.connection", "1"),
];
/// Records expire while brokers do not answer.
const IMPATIENT: [(&str, &str); 4] = [
    ("batch.size", "0"),
    ("linger.ms", "0"),
    ("request.timeout.ms", "20"),
    ("delivery.timeout.ms", "20"),
];

/// A step of a history.
#[derive(Debug, Clone)]
enum Step {
    Send {
        producer: usize,
        partition: i32,
    },
    Flush {
        producer: usize,
    },
    Fault(Fault),
    MoveLeader {
        partition: i32,
        node: i32,
    },
    /// Metadata stays unchanged until it catches up.
    Lag,
    CatchUp,
    /// This many requests of any kind do not reach a broker.
    Away(usize),
    /// Nothing happens for this time.
    Wait(Duration),
}

/// Any steps. For every eight other faults there are `hangs` requests that are never answered.
fn steps(hangs: u32) -> impl Strategy<Value = Vec<Step>> {
    let code = prop::sample::select(vec![
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::RequestTimedOut,
        ErrorCode::NotEnoughReplicasAfterAppend,
        ErrorCode::NotEnoughReplicas,
    ]);
    let delay = (0..4_u64).prop_map(Duration::from_millis);
    let fault = prop_oneof![
        Just(Fault::AnswerLost),
        Just(Fault::RequestLost),
        code.prop_map(Fault::Code),
        delay.clone().prop_map(Fault::Late),
        delay.prop_map(Fault::LateAnswer),
    ];
    let fault = (0..8 + hangs, fault).prop_map(|(roll, fault)| match roll {
        0..8 => fault,
        _ => Fault::Hangs,
    });
    // Long enough for records to expire, if they can.
    let wait = (0..3 + 10 * u64::from(hangs)).prop_map(Duration::from_millis);
    let step = prop_oneof![
        12 => (0..PRODUCERS, 0..PARTITIONS)
            .prop_map(|(producer, partition)| Step::Send { producer, partition }),
        3 => (0..PRODUCERS).prop_map(|producer| Step::Flush { producer }),
        3 => fault.prop_map(Step::Fault),
        2 => (0..PARTITIONS, 1..=NODES)
            .prop_map(|(partition, node)| Step::MoveLeader { partition, node }),
        1 => Just(Step::Lag),
        1 => Just(Step::CatchUp),
        1 => (1..4_usize).prop_map(Step::Away),
        1 => wait.prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

/// One history: the cluster, and the records that its producers sent.
struct History {
    cluster: Arc<FakeCluster>,
    runtime: tokio::runtime::Runtime,
    client: Client,
    producers: Vec<Producer>,
    /// The producer, partition, value and handle of each record, in the order of sending.
    sent: Vec<(usize, i32, String, SendHandle)>,
}

impl History {
    fn new(pairs: &[(&str, &str)]) -> Self {
        let cluster = FakeCluster::with_nodes(NODES, TOPIC, PARTITIONS);
        let (runtime, client) = client(&cluster);
        let producers = (0..PRODUCERS).map(|_| client.producer(config(pairs)));
        Self {
            producers: producers.collect(),
            cluster,
            runtime,
            client,
            sent: Vec::new(),
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Send {
                producer,
                partition,
            } => {
                let value = format!("{producer}-{}", self.sent.len());
                let record = Record::new(TOPIC, value.as_bytes()).partition(partition);
                let handle = self.producers[producer].send_blocking(&record).unwrap();
                self.sent.push((producer, partition, value, handle));
            }
            Step::Flush { producer } => {
                // Do not wait: it may take until the metadata catches up.
                let producer = self.producers[producer].clone();
                self.runtime.spawn(async move { producer.flush().await });
            }
            Step::Fault(fault) => self.cluster.fail_next([fault]),
            Step::MoveLeader { partition, node } => {
                self.cluster.state().move_leader(TOPIC, partition, node);
            }
            Step::Lag => {
                let leaders = self.cluster.state().leaders();
                self.cluster.state().metadata_lags_behind(leaders);
            }
            Step::CatchUp => self.cluster.state().metadata_catches_up(),
            Step::Away(requests) => self.cluster.state().away += requests,
            Step::Wait(time) => std::thread::sleep(time),
        }
    }

    /// Ends all faults and waits for every response. Returns the acknowledged values.
    fn settle(&mut self) -> BTreeSet<String> {
        self.cluster.state().metadata_catches_up();
        self.cluster.state().away = 0;
        for producer in &self.producers {
            self.runtime.block_on(producer.flush()).unwrap();
        }
        // A record that has expired may still be written by its last request.
        while self.cluster.state().in_flight > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let acknowledged = self.sent.iter().filter(|(.., handle)| {
            let result = handle.try_result();
            result.expect("a flush waits for all answers").is_ok()
        });
        acknowledged.map(|(_, _, value, _)| value.clone()).collect()
    }

    /// The values that are stored in a partition, in order.
    fn stored(&self, partition: i32) -> Vec<String> {
        let values = self.cluster.values(TOPIC, partition);
        let values = values.into_iter();
        values
            .map(|(_, value)| String::from_utf8(value).unwrap())
            .collect()
    }

    /// The values that a consumer reads from a partition, in order.
    fn consumed(&self, partition: i32) -> Vec<String> {
        let pairs = [
            ("auto.offset.reset", "earliest"),
            ("retry.backoff.ms", "1"),
            ("fetch.max.wait.ms", "10"),
        ];
        let mut consumer = self.client.consumer(ConsumerConfig::parse(pairs).unwrap());
        let decode = DecodeOptions {
            value: Format::String,
            views: false,
            ..DecodeOptions::default()
        };
        consumer.decode_as(decode).unwrap();
        let assigned = consumer.assign(vec![TopicPartition::new(TOPIC, partition)]);
        self.runtime.block_on(assigned).unwrap();
        let stream = BatchStream::new(BatchOptions {
            until: Until::End,
            max_records: 3,
            max_wait: Duration::from_millis(1),
            ..BatchOptions::default()
        });
        let stream = stream.unwrap();
        let mut values = Vec::new();
        while let Some(batch) = self.runtime.block_on(consumer.next_batch(&stream)).unwrap() {
            let column = batch.records.column_by_name("value").unwrap();
            let column = arrow_array::cast::AsArray::as_string::<i32>(column);
            values.extend(column.iter().map(|value| value.unwrap().to_owned()));
        }
        values
    }
}

fn check(
    pairs: &[(&str, &str)],
    delivery: Delivery,
    steps: Vec<Step>,
) -> Result<(), TestCaseError> {
    let mut history = History::new(pairs);
    for step in steps {
        history.apply(step);
    }
    let acknowledged = history.settle();
    for partition in 0..PARTITIONS {
        let all = history.stored(partition);
        let stored = without_repetitions(&all);
        if delivery == Delivery::ExactlyOnce {
            prop_assert_eq!(&stored, &all, "doubled");
        }
        let distinct: BTreeSet<_> = stored.iter().cloned().collect();
        let mut sent: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
        for (producer, to, value, _) in &history.sent {
            if *to == partition {
                if acknowledged.contains(value) {
                    prop_assert!(distinct.contains(value), "lost: {}", value);
                }
                sent.entry(*producer).or_default().push(value);
            }
        }
        for (producer, sent) in sent {
            let expected = sent.into_iter().filter(|value| distinct.contains(*value));
            let prefix = format!("{producer}-");
            let in_order = stored.iter().filter(|value| value.starts_with(&prefix));
            prop_assert!(in_order.eq(expected), "out of order: {:?}", stored);
        }
        prop_assert_eq!(history.consumed(partition), all);
    }
    let state = history.cluster.state();
    prop_assert!(state.in_flight_max <= 5);
    for call in &state.produce_calls {
        let partitions: BTreeSet<_> = call.batches.iter().collect();
        prop_assert_eq!(partitions.len(), call.batches.len(), "two of one partition");
    }
    Ok(())
}

/// The values, each at its first position.
fn without_repetitions(values: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let first = values.iter().filter(|value| seen.insert(*value));
    first.cloned().collect()
}

fn run(cases: u32, hangs: u32, pairs: &[(&str, &str)], delivery: Delivery) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let test = |steps| check(pairs, delivery, steps);
    TestRunner::new(config).run(&steps(hangs), test).unwrap();
}

#[test]
fn no_acknowledged_record_is_lost_or_duplicated_or_out_of_order() {
    run(100, 0, &[], Delivery::ExactlyOnce);
}

#[test]
fn no_record_is_lost_or_duplicated_or_out_of_order_with_five_requests_in_flight() {
    run(200, 0, &SMALL_BATCHES, Delivery::ExactlyOnce);
}

#[test]
fn no_record_is_lost_or_duplicated_or_out_of_order_when_records_expire() {
    run(100, 4, &IMPATIENT, Delivery::ExactlyOnce);
}

#[test]
fn no_record_is_lost_or_out_of_order_without_idempotence() {
    run(100, 0, &NOT_IDEMPOTENT, Delivery::AtLeastOnce);
}
