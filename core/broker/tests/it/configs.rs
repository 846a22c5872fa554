//! Configuration that is read and changed while the broker runs.

use crate::support::*;
use headwater_broker::Broker;
use headwater_env::MemoryEnv;
use headwater_protocol::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use headwater_protocol::{AlterConfigsRequest, DescribeConfigsRequest, ErrorCode};
use rstest::rstest;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn describe(
    broker: &Broker<MemoryEnv>,
    resource: (i8, &str),
    keys: Option<&[&str]>,
) -> DescribeConfigsResult {
    let resource = DescribeConfigsResource {
        resource_type: resource.0,
        resource_name: resource.1.into(),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).into()).collect()),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: true,
        ..Default::default()
    };
    ask(broker, request).results.remove(0)
}

fn one(
    broker: &Broker<MemoryEnv>,
    resource: (i8, &str),
    key: &str,
) -> DescribeConfigsResourceResult {
    let mut described = describe(broker, resource, Some(&[key]));
    assert_eq!(described.configs.len(), 1);
    described.configs.remove(0)
}

#[test]
fn every_key_is_described_with_value_source_kind_and_doc() {
    let broker = open(&MemoryEnv::new(), &[("log.retention.hours", "2")]);
    create(&broker, "t", 1, &[("segment.ms", "9")]);
    let all = describe(&broker, (TOPIC, "t"), None).configs;
    assert_eq!(
        all.len(),
        headwater_metadata::config::TOPIC.definitions().len()
    );
    assert!(all.iter().all(|config| {
        config
            .documentation
            .as_ref()
            .is_some_and(|doc| doc.len() > 20)
    }));
    let segment = one(&broker, (TOPIC, "t"), "segment.ms");
    assert_eq!(
        (
            segment.value.as_deref(),
            segment.config_source,
            segment.config_type
        ),
        (Some("9"), 1, 5)
    );
    let retention = one(&broker, (TOPIC, "t"), "retention.ms");
    assert_eq!(
        (retention.value.as_deref(), retention.config_source),
        (Some("7200000"), 4)
    );
    let synonyms: Vec<_> = retention
        .synonyms
        .iter()
        .map(|synonym| (&*synonym.name, synonym.source))
        .collect();
    assert_eq!(synonyms, [("log.retention.hours", 4), ("retention.ms", 5)]);
    let policy = one(&broker, (TOPIC, "t"), "cleanup.policy");
    assert_eq!(
        (
            policy.value.as_deref(),
            policy.config_source,
            policy.config_type
        ),
        (Some("delete"), 5, 7)
    );
    let given = one(&broker, (BROKER, "1"), "log.retention.hours");
    assert_eq!(
        (given.value.as_deref(), given.config_source, given.read_only),
        (Some("2"), 4, true)
    );
}

#[test]
fn the_default_node_id_and_directory_are_described() {
    let broker = in_memory();
    for (key, value) in [("node.id", "1"), ("log.dirs", "/data")] {
        let shown = one(&broker, (BROKER, "1"), key);
        assert_eq!(
            (shown.value.as_deref(), shown.config_source, shown.read_only),
            (Some(value), 4, true)
        );
    }
    // No server is running, so there is no listener.
    assert_eq!(one(&broker, (BROKER, "1"), "listeners").value, None);
}

#[rstest]
#[case("compression.gzip.level", "-1", "1")]
#[case("unclean.leader.election.enable", "false", "true")]
#[case("leader.replication.throttled.replicas", "", "*")]
#[case("follower.replication.throttled.replicas", "", "0:1")]
#[case("remote.storage.enable", "false", "true")]
#[case("remote.log.copy.disable", "false", "true")]
#[case("remote.log.delete.on.disable", "false", "true")]
#[case("local.retention.ms", "-2", "1000")]
#[case("local.retention.bytes", "-2", "1000")]
#[case("preallocate", "false", "true")]
fn a_topic_takes_kafkas_default_of_every_key(
    #[case] key: &str,
    #[case] default: &str,
    #[case] other: &str,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[(key, default)]);
    let shown = one(&broker, (TOPIC, "t"), key);
    assert_eq!(shown.value.as_deref(), Some(default));
    let (refused, message) = alter(&broker, (TOPIC, "t"), &[(key, SET, Some(other))]);
    if key.starts_with("compression") {
        assert_eq!(refused, ErrorCode::None);
    } else {
        assert_eq!(refused, ErrorCode::InvalidConfig);
        assert!(
            message.starts_with(&format!("{key} can only be ")),
            "{message}"
        );
    }
}

#[test]
fn a_topics_level_of_compression_makes_its_batches_smaller_or_larger() {
    let stored = |level: &str| {
        let broker = in_memory();
        let keys = [
            ("compression.type", "zstd"),
            ("compression.zstd.level", level),
        ];
        create(&broker, "t", 1, &keys);
        let words: Vec<String> = (0..500_u32)
            .map(|n| format!("word {}", n * n % 977))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        append(&broker, "t", 0, batch(&words));
        let stored = fetch(&broker, "t", 0, 0).records;
        stored.unwrap_or_default().len()
    };
    assert!(stored("19") < stored("-50"));
}

#[rstest]
#[case::topic((TOPIC, "u"), ErrorCode::UnknownTopicOrPartition)]
#[case::broker((BROKER, "7"), ErrorCode::InvalidRequest)]
#[case::word((BROKER, "x"), ErrorCode::InvalidRequest)]
#[case::group((32, "g"), ErrorCode::InvalidRequest)]
fn unknown_resources_are_neither_described_nor_changed(
    #[case] resource: (i8, &str),
    #[case] expected: ErrorCode,
) {
    let broker = in_memory();
    assert_eq!(code(describe(&broker, resource, None).error_code), expected);
    assert_eq!(
        alter(&broker, resource, &[("retention.ms", SET, Some("1"))]).0,
        expected
    );
}

#[test]
fn a_change_applies_at_once_and_can_be_reset() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let large = batch(&["x".repeat(200).as_str()]);
    append(&broker, "t", 0, large.clone());
    assert_eq!(
        alter(
            &broker,
            (TOPIC, "t"),
            &[("max.message.bytes", SET, Some("100"))]
        )
        .0,
        ErrorCode::None
    );
    assert_eq!(
        code(produce(&broker, "t", 0, large.clone()).error_code),
        ErrorCode::MessageTooLarge
    );
    assert_eq!(
        alter(
            &broker,
            (TOPIC, "t"),
            &[("max.message.bytes", DELETE, None)]
        )
        .0,
        ErrorCode::None
    );
    append(&broker, "t", 0, large);
}

#[test]
fn a_topic_changed_to_compact_requires_keys() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    assert_eq!(
        alter(
            &broker,
            (TOPIC, "t"),
            &[("cleanup.policy", APPEND, Some("compact"))]
        )
        .0,
        ErrorCode::None
    );
    assert_eq!(
        one(&broker, (TOPIC, "t"), "cleanup.policy")
            .value
            .as_deref(),
        Some("delete,compact")
    );
    assert_eq!(
        code(produce(&broker, "t", 0, batch(&["a"])).error_code),
        ErrorCode::InvalidRecord
    );
    assert_eq!(
        alter(
            &broker,
            (TOPIC, "t"),
            &[("cleanup.policy", SUBTRACT, Some("compact"))]
        )
        .0,
        ErrorCode::None
    );
    append(&broker, "t", 0, batch(&["b"]));
}

#[rstest]
#[case::unknown(&[("retention.md", SET, Some("1"))], ErrorCode::InvalidConfig, "did you mean \"retention.ms\"?")]
#[case::wrong_value(&[("segment.bytes", SET, Some("7"))], ErrorCode::InvalidConfig, "at least 1048576")]
#[case::no_value(&[("segment.ms", SET, None)], ErrorCode::InvalidRequest, "needs a value")]
#[case::no_list(&[("segment.ms", APPEND, Some("1"))], ErrorCode::InvalidConfig, "is not a list")]
#[case::empty_list(&[("cleanup.policy", SUBTRACT, Some("delete"))], ErrorCode::InvalidConfig, "one or more of")]
#[case::no_operation(&[("segment.ms", 9, Some("1"))], ErrorCode::InvalidRequest, "not a valid operation")]
#[case::twice(&[("segment.ms", SET, Some("1")), ("segment.ms", DELETE, None)], ErrorCode::InvalidRequest, "twice")]
#[case::together(&[("min.compaction.lag.ms", SET, Some("5")), ("max.compaction.lag.ms", SET, Some("4"))], ErrorCode::InvalidConfig, "larger than")]
fn a_wrong_change_is_refused_and_changes_nothing(
    #[case] changes: &[(&str, i8, Option<&str>)],
    #[case] expected: ErrorCode,
    #[case] sentence: &str,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let before = describe(&broker, (TOPIC, "t"), None);
    let mut all = vec![("flush.ms", SET, Some("77"))];
    all.extend_from_slice(changes);
    let (found, message) = alter(&broker, (TOPIC, "t"), &all);
    assert_eq!(found, expected, "{message}");
    assert!(message.contains(sentence), "{message}");
    assert_eq!(
        describe(&broker, (TOPIC, "t"), None),
        before,
        "all of it or nothing"
    );
}

#[test]
fn of_a_broker_only_dynamic_keys_change() {
    let broker = in_memory();
    let (refused, message) = alter(
        &broker,
        (BROKER, "1"),
        &[("num.partitions", SET, Some("2"))],
    );
    assert_eq!(refused, ErrorCode::InvalidConfig);
    assert!(
        message.contains("headwater.storage.max.bytes, "),
        "{message}"
    );
    assert_eq!(
        alter(
            &broker,
            (BROKER, ""),
            &[("headwater.storage.max.bytes", SET, Some("9"))]
        )
        .0,
        ErrorCode::None
    );
    let value = one(&broker, (BROKER, "1"), "headwater.storage.max.bytes");
    assert_eq!(
        (value.value.as_deref(), value.config_source),
        (Some("9"), 3)
    );
    assert_eq!(
        alter(
            &broker,
            (BROKER, "1"),
            &[("headwater.storage.max.bytes", SET, Some("8"))]
        )
        .0,
        ErrorCode::None
    );
    assert_eq!(
        one(&broker, (BROKER, "1"), "headwater.storage.max.bytes")
            .value
            .as_deref(),
        Some("8")
    );
}

#[test]
fn alter_configs_replaces_the_whole_configuration() {
    let broker = in_memory();
    create(&broker, "t", 1, &[("segment.ms", "5"), ("flush.ms", "6")]);
    let config = AlterableConfig {
        name: "segment.ms".into(),
        value: Some("7".into()),
        ..Default::default()
    };
    let resource = AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: vec![config],
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    let checked = ask(
        &broker,
        AlterConfigsRequest {
            validate_only: true,
            ..request.clone()
        },
    );
    assert_eq!(code(checked.responses[0].error_code), ErrorCode::None);
    assert_eq!(
        one(&broker, (TOPIC, "t"), "flush.ms").value.as_deref(),
        Some("6")
    );
    assert_eq!(
        code(ask(&broker, request).responses[0].error_code),
        ErrorCode::None
    );
    assert_eq!(
        one(&broker, (TOPIC, "t"), "segment.ms").value.as_deref(),
        Some("7")
    );
    assert_eq!(one(&broker, (TOPIC, "t"), "flush.ms").config_source, 5);
}

#[test]
fn values_set_for_all_brokers_are_defaults_of_topics_at_once() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let set = |resource: &str, value: &str| {
        let changes = [("message.max.bytes", SET, Some(value))];
        assert_eq!(
            alter(&broker, (BROKER, resource), &changes).0,
            ErrorCode::None
        );
    };
    let actual = || {
        let entry = one(&broker, (TOPIC, "t"), "max.message.bytes");
        let synonyms: Vec<_> = entry
            .synonyms
            .iter()
            .map(|synonym| synonym.source)
            .collect();
        (
            entry.value.unwrap().to_string(),
            entry.config_source,
            synonyms,
        )
    };
    assert_eq!(actual(), ("1048588".into(), 5, vec![5]));
    set("", "100");
    assert_eq!(actual(), ("100".into(), 3, vec![3, 5]));
    let refused = produce(&broker, "t", 0, batch(&[&"x".repeat(100)]));
    assert_eq!(code(refused.error_code), ErrorCode::MessageTooLarge);
    set("1", "1000");
    assert_eq!(actual(), ("1000".into(), 2, vec![2, 3, 5]));
    append(&broker, "t", 0, batch(&[&"x".repeat(100)]));
    let entry = one(&broker, (BROKER, "1"), "message.max.bytes");
    assert_eq!((entry.config_source, entry.read_only), (2, false));
    assert!(one(&broker, (BROKER, "1"), "num.partitions").read_only);
}

#[test]
fn a_brokers_keys_must_fit_together_too() {
    let broker = in_memory();
    let changes = [
        ("log.cleaner.min.compaction.lag.ms", SET, Some("5")),
        ("log.cleaner.max.compaction.lag.ms", SET, Some("4")),
    ];
    let (refused, message) = alter(&broker, (BROKER, ""), &changes);
    assert_eq!(refused, ErrorCode::InvalidConfig);
    assert!(message.contains("larger than"), "{message}");
}

#[test]
fn a_repeated_resource_is_described_twice() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let named = |name: &str| DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: name.into(),
        configuration_keys: None,
        ..Default::default()
    };
    let codes = |resources: Vec<DescribeConfigsResource>| -> Vec<ErrorCode> {
        let request = DescribeConfigsRequest {
            resources,
            ..Default::default()
        };
        let results = ask(&broker, request).results.into_iter();
        results.map(|result| code(result.error_code)).collect()
    };
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(
        codes(vec![named("t"), named("u"), named("t")]),
        [ErrorCode::None, unknown, ErrorCode::None]
    );
    // A short request must not cause a huge response.
    let many = codes(vec![named("t"); 101]);
    assert_eq!(many[99..], [ErrorCode::None, ErrorCode::InvalidRequest]);
}

#[test]
fn a_resource_that_is_changed_twice_is_refused() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let twice = ErrorCode::InvalidRequest;
    let altered = |value: &str| AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: vec![AlterableConfig {
            name: "segment.ms".into(),
            value: Some(value.into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![altered("1"), altered("2")],
        ..Default::default()
    };
    let response = ask(&broker, request);
    let codes: Vec<_> = response
        .responses
        .iter()
        .map(|result| code(result.error_code))
        .collect();
    assert_eq!(codes, [twice, twice]);
    assert_eq!(one(&broker, (TOPIC, "t"), "segment.ms").config_source, 5);
}
