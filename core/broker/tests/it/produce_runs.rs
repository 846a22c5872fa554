//! Produce requests that are handled together have the same results as one after the other.

use crate::support::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::{MemoryEnv, Operation, SimEnv};
use headwater_protocol::{ErrorCode, ProduceRequest, ProduceResponse};
use headwater_record::Compression;
use proptest::prelude::*;

/// Partitions that accept records.
const PLACES: [(&str, i32); 3] = [("a", 0), ("a", 1), ("small", 0)];

fn broker() -> Broker<MemoryEnv> {
    let broker = in_memory();
    create(&broker, "a", 2, &[("flush.messages", "3")]);
    create(&broker, "small", 1, &[("max.message.bytes", "90")]);
    broker
}

fn request() -> impl Strategy<Value = ProduceRequest> {
    let place = prop_oneof![
        8 => prop::sample::select(PLACES.to_vec()),
        1 => Just(("a", 7)),
        1 => Just(("missing", 0)),
    ];
    let part = (place, 0..3_i32, 1..4_usize);
    let parts = prop::collection::vec(part, 1..4);
    let acks = prop_oneof![4 => Just(1_i16), 4 => Just(-1), 1 => Just(0), 1 => Just(3)];
    (parts, acks).prop_map(|(parts, acks)| {
        let one = |((topic, partition), sequence, records): ((&str, i32), i32, usize)| {
            let values = vec!["value"; records];
            let bytes = match sequence {
                0 => batch(&values),
                _ => batch_of((i64::from(sequence), 0, 0), &values),
            };
            produce_request(topic, partition, acks, bytes)
        };
        let mut requests = parts.into_iter().map(one);
        let mut whole = requests.next().expect("there is one");
        whole
            .topic_data
            .extend(requests.flat_map(|one| one.topic_data));
        whole
    })
}

fn offsets(answers: &[ProduceResponse]) -> Vec<i64> {
    let offset = |answer: &ProduceResponse| answer.responses[0].partition_responses[0].base_offset;
    answers.iter().map(offset).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_has_the_same_results_as_single_requests(
        runs in prop::collection::vec(prop::collection::vec(request(), 1..6), 1..12),
    ) {
        let (together, apart) = (broker(), broker());
        for run in runs {
            let answers = together.produce(&RequestContext::default(), run.clone());
            let expected: Vec<ProduceResponse> =
                run.into_iter().map(|request| ask(&apart, request)).collect();
            prop_assert_eq!(answers, expected);
        }
        for (topic, partition) in PLACES {
            prop_assert_eq!(values(&together, topic, partition), values(&apart, topic, partition));
        }
    }
}

#[test]
fn a_run_to_one_partition_is_one_write() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["first"]));
    let run: Vec<_> = (0..5)
        .map(|at| produce_request("t", 0, 1, batch_of((9, 0, at), &["next"])))
        .collect();
    let before = env.calls(Operation::Write);
    let answers = broker.produce(&RequestContext::default(), run);
    assert_eq!(env.calls(Operation::Write), before + 1);
    assert_eq!(offsets(&answers), [1, 2, 3, 4, 5]);
}

#[test]
fn a_run_that_grows_by_recompression_is_appended_in_parts() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[("compression.type", "uncompressed")]);
    append(&broker, "t", 0, batch(&["first"]));
    let value = "x".repeat(600_000);
    let one = compressed(Compression::Zstd, &[&value]);
    assert!(one.len() < 1_000);
    let run = vec![produce_request("t", 0, 1, one); 5];
    let before = env.calls(Operation::Write);
    let answers = broker.produce(&RequestContext::default(), run);
    assert_eq!(env.calls(Operation::Write), before + 3);
    assert_eq!(offsets(&answers), [1, 2, 3, 4, 5]);
}

#[test]
fn a_full_disk_accepts_the_part_of_a_run_that_fits() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["first"]));
    let one = batch(&["0123456789"]);
    let size = one.len() as u64;
    let run = vec![produce_request("t", 0, 1, one); 4];
    env.set_capacity(Some(env.used_bytes() + 2 * size + size / 2));
    let answers = broker.produce(&RequestContext::default(), run);
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| code(answer.responses[0].partition_responses[0].error_code))
        .collect();
    let full = ErrorCode::KafkaStorageError;
    assert_eq!(codes, [ErrorCode::None, ErrorCode::None, full, full]);
    env.set_capacity(None);
    assert_eq!(
        values(&broker, "t", 0),
        ["first", "0123456789", "0123456789"]
    );
}

/// With space for half of a run, the order of the writes is visible.
#[test]
fn partitions_of_a_run_are_written_in_the_order_of_their_names() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut made = names;
    for _ in 0..names.len() {
        made.rotate_left(1);
        for order in [made.to_vec(), made.iter().rev().copied().collect()] {
            let env = SimEnv::new(1);
            let broker = open(&env, &[]);
            for name in &order {
                create(&broker, name, 1, &[]);
                append(&broker, name, 0, batch(&["first"]));
            }
            let one = batch(&["0123456789"]);
            let size = one.len() as u64;
            let run = order
                .iter()
                .map(|name| produce_request(name, 0, 1, one.clone()));
            env.set_capacity(Some(env.used_bytes() + 3 * size + size / 2));
            broker.produce(&RequestContext::default(), run.collect());
            env.set_capacity(None);
            let written = names.map(|name| values(&broker, name, 0).len());
            assert_eq!(written, [2, 2, 2, 1, 1, 1], "{order:?}");
        }
    }
}
