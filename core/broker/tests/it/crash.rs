//! After a crash at any moment all acknowledged changes are there, and the directory opens and works.

use std::sync::LazyLock;

use crate::support::*;
use headwater_broker::Broker;
use headwater_env::SimEnv;
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::{
    CreatePartitionsRequest, ErrorCode, InitProducerIdRequest, MetadataRequest,
};

/// The longest valid topic name: every path made from it must fit too.
static TOPIC: LazyLock<String> = LazyLock::new(|| "n".repeat(249));

/// The responses before the crash.
#[expect(clippy::struct_excessive_bools, reason = "one flag for each response")]
#[derive(Debug, Default, Clone, PartialEq)]
struct AcknowledgedChanges {
    first_made: bool,
    first_records: usize,
    grown: bool,
    altered: bool,
    deleted: bool,
    made_again: bool,
    second_records: usize,
    producer_id: Option<i64>,
}

/// Runs a broker until a call fails because of the power cut.
fn live(env: &SimEnv) -> AcknowledgedChanges {
    let mut acknowledged = AcknowledgedChanges::default();
    let Ok((broker, _)) = try_open(env, &[]) else {
        return acknowledged;
    };
    let made = try_create(&broker, creatable(&TOPIC, 2, &[("flush.messages", "1")]));
    acknowledged.first_made = made.error_code == 0;
    for value in ["a", "b"] {
        acknowledged.first_records +=
            usize::from(produce(&broker, &TOPIC, 0, batch(&[value])).error_code == 0);
    }
    let response = ask(
        &broker,
        InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        },
    );
    acknowledged.producer_id = (response.error_code == 0).then_some(response.producer_id);
    acknowledged.altered = alter(
        &broker,
        (2, &TOPIC),
        &[("max.message.bytes", 0, Some("5000"))],
    )
    .0 == ErrorCode::None;
    let more = CreatePartitionsTopic {
        name: TOPIC.as_str().into(),
        count: 3,
        assignments: None,
        ..Default::default()
    };
    let grown = ask(
        &broker,
        CreatePartitionsRequest {
            topics: vec![more],
            ..Default::default()
        },
    );
    acknowledged.grown = grown.results[0].error_code == 0;
    acknowledged.deleted = delete(&broker, &TOPIC) == ErrorCode::None;
    acknowledged.made_again = acknowledged.deleted
        && try_create(&broker, creatable(&TOPIC, 1, &[("flush.messages", "1")])).error_code == 0;
    if acknowledged.made_again {
        acknowledged.second_records +=
            usize::from(produce(&broker, &TOPIC, 0, batch(&["new"])).error_code == 0);
    }
    let closed = broker.close();
    assert!(closed.is_ok() || env.has_crashed(), "{closed:?}");
    acknowledged
}

/// Compares the state after the crash with the responses before it.
fn judge(env: &SimEnv, acknowledged: &AcknowledgedChanges, moment: &str) {
    let (broker, report) = try_open(env, &[]).unwrap_or_else(|error| panic!("{moment}: {error}"));
    assert!(
        report.strays.is_empty() && report.missing.is_empty(),
        "{moment}: {report:?}"
    );
    let topics = ask(
        &broker,
        MetadataRequest {
            topics: None,
            ..Default::default()
        },
    )
    .topics;
    let partitions = topics.first().map_or(0, |topic| topic.partitions.len());
    if acknowledged.made_again {
        assert_eq!(partitions, 1, "{moment}");
        let found = values(&broker, &TOPIC, 0);
        assert!(
            found.len() >= acknowledged.second_records && found.iter().all(|value| value == "new"),
            "{moment}: {found:?}"
        );
    } else if acknowledged.deleted {
        // The second creation may have happened without a response.
        assert!(partitions <= 1, "{moment}");
    } else if acknowledged.first_made && partitions > 0 {
        assert!(
            partitions >= if acknowledged.grown { 3 } else { 2 } || partitions == 1,
            "{moment}: {partitions}"
        );
        if partitions >= 2 {
            let found = values(&broker, &TOPIC, 0);
            assert!(
                found.len() >= acknowledged.first_records,
                "{moment}: {found:?}"
            );
            assert!(
                ["a", "b"].starts_with(&found.iter().map(String::as_str).collect::<Vec<_>>()),
                "{moment}: {found:?}"
            );
        }
    }
    every_partition_works(&broker, partitions, moment);
    if let Some(id) = acknowledged.producer_id {
        let next = ask(
            &broker,
            InitProducerIdRequest {
                transactional_id: None,
                ..Default::default()
            },
        );
        assert!(
            next.producer_id > id,
            "{moment}: producer id {id} was given again as {}",
            next.producer_id
        );
    }
    broker
        .close()
        .unwrap_or_else(|error| panic!("{moment}: {error}"));
    drop(broker);
    let (_, report) = try_open(env, &[]).unwrap();
    assert!(
        report.clean_shutdown && report.recovered.is_empty(),
        "{moment}: {report:?}"
    );
}

fn every_partition_works(broker: &Broker<SimEnv>, partitions: usize, moment: &str) {
    for partition in 0..partitions as i32 {
        let before = values(broker, &TOPIC, partition).len();
        let answer = produce(broker, &TOPIC, partition, batch(&["after"]));
        assert_eq!(answer.error_code, 0, "{moment}: {:?}", answer.error_message);
        let after = values(broker, &TOPIC, partition);
        assert_eq!(
            (after.len(), after.last().map(String::as_str)),
            (before + 1, Some("after")),
            "{moment}"
        );
    }
    if partitions == 0 {
        create(broker, &TOPIC, 1, &[]);
        append(broker, &TOPIC, 0, batch(&["after"]));
    }
}

fn boundaries() -> u64 {
    let env = SimEnv::new(1);
    let acknowledged = live(&env);
    assert!(
        acknowledged.made_again
            && acknowledged.second_records == 1
            && acknowledged.grown
            && acknowledged.altered,
        "{acknowledged:?}"
    );
    env.history().len() as u64
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    for boundary in 0..boundaries() {
        let env = SimEnv::new(1);
        env.crash_at(boundary);
        let acknowledged = live(&env);
        for seed in 0..4 {
            let after = env.after_power_cut(seed);
            let moment = format!(
                "power cut at {boundary} ({:?}), seed {seed}, {acknowledged:?}",
                env.history().last()
            );
            judge(&after, &acknowledged, &moment);
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    for boundary in 0..boundaries() {
        let env = SimEnv::new(1);
        env.crash_at(boundary);
        let acknowledged = live(&env);
        let moment = format!(
            "kill at {boundary} ({:?}), {acknowledged:?}",
            env.history().last()
        );
        judge(&env.after_kill(7), &acknowledged, &moment);
    }
}
