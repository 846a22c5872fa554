//! Exhausted storage: the oldest records are deleted, and produce fails only if no record may be deleted.

use crate::support::*;
use headwater_broker::Broker;
use headwater_env::{Env, SimEnv};
use headwater_protocol::ErrorCode;

const SMALL_SEGMENTS: (&str, &str) = ("internal.segment.bytes", "20000");
const BUDGET: u64 = 200_000;

fn with_budget(env: &SimEnv) -> Broker<SimEnv> {
    open(env, &[("headwater.storage.max.bytes", &BUDGET.to_string())])
}

fn kilobyte(number: i64) -> bytes::Bytes {
    // The time grows with the number, so it is a measure of the age.
    batch_at(&[(number, &format!("{number:01000}"))])
}

fn number(value: &str) -> i64 {
    value.parse().unwrap()
}

#[test]
fn a_budget_is_enforced_and_the_oldest_records_of_all_topics_are_deleted_first() {
    let env = SimEnv::new(1);
    let broker = with_budget(&env);
    create(&broker, "a", 1, &[SMALL_SEGMENTS]);
    create(&broker, "b", 2, &[SMALL_SEGMENTS]);
    let places = [("a", 0), ("b", 0), ("b", 1)];
    for round in 0..1000 {
        let (topic, partition) = places[round as usize % 3];
        append(&broker, topic, partition, kilobyte(round));
        // Files count: deleted files do not wait for their delay.
        assert!(
            env.used_bytes() < BUDGET + BUDGET / 8,
            "{} in round {round}",
            env.used_bytes()
        );
    }
    let oldest = places.map(|(topic, partition)| number(&values(&broker, topic, partition)[0]));
    let spread = oldest.iter().max().unwrap() - oldest.iter().min().unwrap();
    assert!(oldest.iter().all(|number| *number > 700), "{oldest:?}");
    assert!(
        spread < 100,
        "the remaining records differ in age: {oldest:?}"
    );
    for (topic, partition) in places {
        let left: Vec<_> = values(&broker, topic, partition)
            .iter()
            .map(|value| number(value))
            .collect();
        assert!(left.windows(2).all(|pair| pair[1] == pair[0] + 3), "no gap");
        assert!(*left.last().unwrap() >= 997);
    }
    assert!(
        broker.deletions().exhaustion.segments >= 40,
        "{:?}",
        broker.deletions()
    );
}

#[test]
fn compacted_topics_lose_nothing_and_the_error_of_produce_has_a_remedy() {
    let env = SimEnv::new(1);
    let broker = with_budget(&env);
    create(
        &broker,
        "kept",
        1,
        &[SMALL_SEGMENTS, ("cleanup.policy", "compact")],
    );
    create(&broker, "t", 1, &[SMALL_SEGMENTS]);
    append(&broker, "t", 0, kilobyte(1));
    let mut accepted = 0;
    let refused = loop {
        let answer = produce(&broker, "kept", 0, keyed(accepted));
        if answer.error_code != 0 {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 1000, "the budget was never reached");
    };
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    let message = refused.error_message.unwrap();
    assert!(
        message.contains("headwater.storage.max.bytes is 200000"),
        "{message}"
    );
    assert!(message.contains("Delete topics or records"), "{message}");
    assert_eq!(
        offset(&broker, "kept", 0, LATEST),
        accepted,
        "an acknowledged record was lost"
    );
    assert_eq!(values(&broker, "t", 0).len(), 1, "the active segment stays");
    assert_eq!(
        code(produce(&broker, "t", 0, kilobyte(2)).error_code),
        ErrorCode::KafkaStorageError
    );

    assert_eq!(
        alter(
            &broker,
            (4, "1"),
            &[("headwater.storage.max.bytes", 0, Some("400000"))]
        )
        .0,
        ErrorCode::None
    );
    append(&broker, "kept", 0, keyed(accepted));
    assert_eq!(
        alter(
            &broker,
            (4, "1"),
            &[("headwater.storage.max.bytes", 0, Some("100000"))]
        )
        .0,
        ErrorCode::None
    );
    broker.housekeeping();
    assert_eq!(
        code(produce(&broker, "t", 0, kilobyte(2)).error_code),
        ErrorCode::KafkaStorageError
    );
    assert_eq!(delete(&broker, "kept"), ErrorCode::None);
    append(&broker, "t", 0, kilobyte(2));
}

fn keyed(number: i64) -> bytes::Bytes {
    let mut builder =
        headwater_record::BatchBuilder::new(headwater_record::BatchOptions::default());
    let (key, value) = (number.to_string(), format!("{number:01000}"));
    builder
        .try_append(number, Some(key.as_bytes()), Some(value.as_bytes()), &[])
        .unwrap();
    builder.finish().unwrap()
}

#[test]
fn a_full_disk_deletes_the_oldest_records_and_not_the_newest() {
    let env = SimEnv::new(3);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[SMALL_SEGMENTS]);
    env.set_capacity(Some(env.used_bytes() + 100_000));
    for round in 0..500 {
        append(&broker, "t", 0, kilobyte(round));
    }
    let left: Vec<_> = values(&broker, "t", 0)
        .iter()
        .map(|value| number(value))
        .collect();
    assert!(left[0] > 350 && *left.last().unwrap() == 499, "{left:?}");
    assert!(left.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gap");
}

#[test]
fn a_full_disk_without_deletable_records_refuses_and_resumes_by_itself() {
    let env = SimEnv::new(4);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, kilobyte(0));
    env.set_capacity(Some(env.used_bytes() + 500));
    for _ in 0..3 {
        let answer = produce(&broker, "t", 0, kilobyte(1));
        assert_eq!(
            code(answer.error_code),
            ErrorCode::KafkaStorageError,
            "{:?}",
            answer.error_message
        );
    }
    assert_eq!(
        values(&broker, "t", 0).len(),
        1,
        "acknowledged records must be readable"
    );
    env.set_capacity(None);
    assert_eq!(append(&broker, "t", 0, kilobyte(1)), 1);
}

#[test]
fn the_reserved_space_stays_free() {
    let env = SimEnv::new(5);
    env.set_capacity(Some(20 << 20));
    let broker = open(&env, &[("headwater.storage.min.free.bytes", "1000000")]);
    create(
        &broker,
        "t",
        1,
        &[
            ("internal.segment.bytes", "1000000"),
            ("retention.ms", "-1"),
        ],
    );
    let value = "x".repeat(500_000);
    for round in 0..200 {
        append(&broker, "t", 0, batch_at(&[(round, &value)]));
        broker.housekeeping();
        let free = env
            .disk_space(std::path::Path::new(DIR))
            .unwrap()
            .free_bytes;
        assert!(free >= 1_000_000, "{free} bytes are free in round {round}");
    }
    assert!(broker.deletions().exhaustion.segments > 10);
}

#[test]
fn the_first_write_keeps_what_must_stay_free() {
    let env = SimEnv::new(8);
    env.set_capacity(Some(1 << 20));
    let config = [
        ("headwater.storage.min.free.bytes", "2000000"),
        ("headwater.storage.on.full", "fail"),
    ];
    let broker = open(&env, &config);
    create(&broker, "t", 1, &[]);
    let refused = produce(&broker, "t", 0, kilobyte(1));
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    assert_eq!(offset(&broker, "t", 0, LATEST), 0);
    env.set_capacity(Some(10 << 20));
    assert_eq!(append(&broker, "t", 0, kilobyte(1)), 0);
}

#[test]
fn with_on_full_fail_no_record_is_deleted_and_writing_resumes_by_itself() {
    for limit in ["headwater.storage.max.bytes", "the disk"] {
        let env = SimEnv::new(6);
        let mut config = vec![("headwater.storage.on.full", "fail")];
        if limit != "the disk" {
            config.push((limit, "200000"));
        }
        let broker = open(&env, &config);
        create(&broker, "t", 1, &[SMALL_SEGMENTS, ("retention.ms", "-1")]);
        if limit == "the disk" {
            env.set_capacity(Some(env.used_bytes() + 200_000));
        }
        let mut accepted = 0;
        let refused = loop {
            let answer = produce(&broker, "t", 0, kilobyte(accepted));
            if answer.error_code != 0 {
                break answer;
            }
            accepted += 1;
            assert!(accepted < 1000, "{limit}: it was never full");
        };
        assert!(accepted > 100, "{limit}: only {accepted} fit");
        assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
        broker.housekeeping();
        assert_eq!(offset(&broker, "t", 0, EARLIEST), 0, "{limit}");
        assert_eq!(values(&broker, "t", 0).len() as i64, accepted, "{limit}");
        assert_eq!(broker.deletions().exhaustion.segments, 0, "{limit}");
        // Deletions by the user free space.
        env.set_capacity(None);
        delete_records(&broker, "t", 0, accepted / 2);
        broker.housekeeping();
        assert_eq!(
            append(&broker, "t", 0, kilobyte(accepted)),
            accepted,
            "{limit}"
        );
    }
}

#[test]
fn segments_of_deleted_records_are_removed_before_any_other() {
    for on_full in ["delete", "fail"] {
        let env = SimEnv::new(7);
        let budget = ("headwater.storage.max.bytes", "300000");
        let broker = open(&env, &[budget, ("headwater.storage.on.full", on_full)]);
        create(&broker, "dead", 1, &[SMALL_SEGMENTS]);
        create(&broker, "live", 1, &[SMALL_SEGMENTS]);
        for round in 0..200 {
            append(&broker, "dead", 0, kilobyte(round));
        }
        assert_eq!(delete_records(&broker, "dead", 0, -1).error_code, 0);
        for round in 0..250 {
            append(&broker, "live", 0, kilobyte(1000 + round));
        }
        assert_eq!(offset(&broker, "live", 0, EARLIEST), 0, "{on_full}");
        let deletions = broker.deletions();
        assert_eq!(deletions.exhaustion.segments, 0, "{on_full}: {deletions:?}");
        assert!(
            deletions.delete_records.segments >= 9,
            "{on_full}: {deletions:?}"
        );
        if on_full == "delete" {
            for round in 250..1000 {
                append(&broker, "live", 0, kilobyte(1000 + round));
            }
            assert!(broker.deletions().exhaustion.segments > 10);
        }
    }
}
