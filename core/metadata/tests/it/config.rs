//! The configuration tables and layers.

use headwater_metadata::config::{
    BROKER, TOPIC, TopicView, canonical_key, check_topic, duration_ms,
};
use headwater_metadata::{BrokerConfig, ConfigError, Layer, Source, Table, TopicConfig, Value};
use headwater_record::{CompressionLevel, TimestampType};
use rstest::rstest;

fn topic(pairs: &[(&str, &str)]) -> Layer {
    Layer::parse(&TOPIC, pairs.iter().copied()).unwrap()
}

fn broker(pairs: &[(&str, &str)]) -> Layer {
    Layer::parse(&BROKER, pairs.iter().copied()).unwrap()
}

#[rstest]
#[case("retention.m", "retention.ms")]
#[case("retention_ms", "retention.ms")]
#[case("retentionMs", "retention.ms")]
#[case("max.mesage.bytes", "max.message.bytes")]
#[case("cleanup.polcy", "cleanup.policy")]
fn an_unknown_key_is_refused_with_the_nearest_name(#[case] wrong: &str, #[case] nearest: &str) {
    let error = Layer::parse(&TOPIC, [(wrong, "1")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("unknown topic configuration \"{wrong}\"; did you mean \"{nearest}\"?")
    );
}

#[rstest]
#[case("retention", "log.retention.ms")]
#[case("cleaner", "log.cleaner.enable")]
fn a_key_with_the_given_name_in_it_is_suggested(#[case] given: &str, #[case] suggested: &str) {
    assert_eq!(BROKER.nearest(given), Some(suggested));
}

#[test]
fn a_dissimilar_key_is_refused_without_a_suggestion() {
    let error = Layer::parse(&TOPIC, [("zzz", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "unknown topic configuration \"zzz\"");
}

#[rstest]
#[case("retention.ms", "-2", "an integer of at least -1")]
#[case("retention.ms", "9223372036854775808", "an integer of at least -1")]
#[case("retention.ms", "7d", "an integer of at least -1")]
#[case("segment.bytes", "1048575", "an integer of at least 1048576")]
#[case("segment.bytes", "2147483648", "an integer of at least 1048576")]
#[case("preallocate", "yes", "true or false")]
#[case(
    "cleanup.policy",
    "",
    "one or more of delete, compact, separated by commas"
)]
#[case(
    "cleanup.policy",
    "delete,shred",
    "one or more of delete, compact, separated by commas"
)]
#[case("message.timestamp.type", "Now", "CreateTime or LogAppendTime")]
#[case("min.cleanable.dirty.ratio", "NaN", "a number from 0 to 1")]
#[case("min.cleanable.dirty.ratio", "1.01", "a number from 0 to 1")]
fn an_invalid_value_is_refused_with_the_allowed_values(
    #[case] key: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    let mut layer = topic(&[("flush.ms", "5")]);
    let before = layer.clone();
    let error = layer.set(key, value).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("\"{value}\" is not a value of {key}: it takes {expected}")
    );
    assert_eq!(layer, before, "a refused value changes nothing");
}

#[rstest]
#[case("cleanup.policy", " compact , delete,compact", "compact,delete")]
#[case("cleanup.policy", "DELETE", "delete")]
#[case("message.timestamp.type", "logappendtime", "LogAppendTime")]
#[case("preallocate", "FALSE", "false")]
#[case("retention.ms", " 12 ", "12")]
#[case("min.cleanable.dirty.ratio", "1", "1.0")]
fn values_are_stored_in_the_tables_spelling(
    #[case] key: &str,
    #[case] written: &str,
    #[case] stored: &str,
) {
    assert_eq!(
        topic(&[(key, written)]).value(key).unwrap().to_string(),
        stored
    );
}

#[rstest]
#[case(&TOPIC, "preallocate", "true", "preallocate can only be false: a segment's file grows as it is written")]
#[case(&TOPIC, "compression.lz4.level", "3", "compression.lz4.level can only be 9: lz4 has one level here; choose zstd for smaller batches")]
#[case(&TOPIC, "leader.replication.throttled.replicas", "*", "leader.replication.throttled.replicas can only be empty: a partition has one replica here")]
#[case(&BROKER, "log.dirs", "/tmp", "log.dirs cannot be set: the data directory is the path that is opened")]
fn a_key_without_effect_only_accepts_kafkas_default(
    #[case] table: &'static Table,
    #[case] key: &str,
    #[case] value: &str,
    #[case] sentence: &str,
) {
    let error = Layer::parse(table, [(key, value)]).unwrap_err();
    assert_eq!(error.to_string(), sentence);
    if let Some(default) = table.find(key).unwrap().default {
        let layer = Layer::parse(table, [(key, default)]).unwrap();
        assert_eq!(layer.value(key).unwrap().to_string(), default);
    }
}

#[test]
fn gzip_has_no_level_zero() {
    let error = Layer::parse(&TOPIC, [("compression.gzip.level", "0")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"0\" is not a value of compression.gzip.level: it takes an integer from -1 to 9 that is not 0"
    );
}

#[rstest]
#[case(&[], CompressionLevel::Default)]
#[case(&[("compression.type", "gzip")], CompressionLevel::Default)]
#[case(&[("compression.type", "gzip"), ("compression.gzip.level", "1")], CompressionLevel::Exactly(1))]
#[case(&[("compression.type", "zstd"), ("compression.gzip.level", "1")], CompressionLevel::Exactly(3))]
#[case(&[("compression.type", "zstd"), ("compression.zstd.level", "-7")], CompressionLevel::Exactly(-7))]
fn the_level_belongs_to_the_codec(
    #[case] pairs: &[(&str, &str)],
    #[case] expected: CompressionLevel,
) {
    let nothing = (topic(&[]), broker(&[]));
    let of_topic = TopicConfig::resolve(&topic(pairs), &nothing.1);
    let of_broker = TopicConfig::resolve(&nothing.0, &broker(pairs));
    assert_eq!(of_topic.compression_level, expected);
    assert_eq!(of_broker.compression_level, expected);
}

#[test]
fn the_topic_overrides_the_broker_and_the_broker_the_default() {
    let config = |own: &[_], below: &[_]| TopicConfig::resolve(&topic(own), &broker(below));
    assert_eq!(config(&[], &[]).retention_ms, Some(604_800_000));
    assert_eq!(
        config(&[], &[("log.retention.hours", "2")]).retention_ms,
        Some(7_200_000)
    );
    let both = [("log.retention.hours", "2"), ("log.retention.minutes", "3")];
    assert_eq!(config(&[], &both).retention_ms, Some(180_000));
    let all = [
        ("log.retention.hours", "2"),
        ("log.retention.minutes", "3"),
        ("log.retention.ms", "4"),
    ];
    assert_eq!(config(&[], &all).retention_ms, Some(4));
    assert_eq!(config(&[("retention.ms", "5")], &all).retention_ms, Some(5));
    assert_eq!(config(&[("retention.ms", "-1")], &all).retention_ms, None);
    assert_eq!(
        config(&[], &[("log.retention.hours", "-1")]).retention_ms,
        None
    );
}

#[test]
fn a_lookup_returns_the_source_of_the_value() {
    let source = |own: &[_], below: &[_]| {
        let (topic, broker) = (topic(own), broker(below));
        let view = TopicView {
            topic: &topic,
            broker: &broker,
        };
        view.lookup(TOPIC.find("segment.ms").unwrap()).unwrap()
    };
    assert_eq!(
        source(&[], &[]),
        (Value::Integer(604_800_000), Source::Default)
    );
    assert_eq!(
        source(&[], &[("log.roll.hours", "1")]),
        (Value::Integer(3_600_000), Source::StaticBroker)
    );
    assert_eq!(
        source(&[("segment.ms", "9")], &[("log.roll.hours", "1")]),
        (Value::Integer(9), Source::Topic)
    );
}

#[test]
fn the_defaults_equal_kafkas() {
    let config = TopicConfig::resolve(&topic(&[]), &broker(&[]));
    assert!(config.cleanup_policy.delete && !config.cleanup_policy.compact);
    assert_eq!(config.max_message_bytes, 1_048_588);
    assert_eq!(config.segment_bytes, 1 << 30);
    assert_eq!(config.retention_bytes, None);
    assert_eq!(config.flush_ms, None);
    assert_eq!(config.flush_messages, i64::MAX as u64);
    assert_eq!(config.timestamp_type, TimestampType::CreateTime);
    assert_eq!(config.timestamp_after_max_ms, 3_600_000);
    let broker = BrokerConfig::default();
    assert_eq!(
        (broker.default_partitions, broker.default_replication_factor),
        (1, 1)
    );
    assert_eq!(
        (broker.storage_bytes_max, broker.storage_free_bytes_min),
        (None, 0)
    );
    assert!(broker.auto_create_topics && broker.delete_topics);
}

#[test]
fn the_internal_segment_size_overrides_the_bounded_one() {
    let config = |pairs| TopicConfig::resolve(&topic(pairs), &broker(&[])).segment_bytes;
    assert_eq!(config(&[("segment.bytes", "2000000")]), 2_000_000);
    assert_eq!(
        config(&[
            ("segment.bytes", "2000000"),
            ("internal.segment.bytes", "100")
        ]),
        100
    );
}

#[test]
fn values_that_contradict_each_other_are_refused_together() {
    let wrong = topic(&[
        ("min.compaction.lag.ms", "10"),
        ("max.compaction.lag.ms", "9"),
    ]);
    let error = check_topic(&wrong, &broker(&[])).unwrap_err();
    assert!(
        matches!(&error, ConfigError::Conflict { reason } if reason.contains("min.compaction.lag.ms (10)")),
        "{error}"
    );
}

#[rstest]
#[case("auto_offset_reset", "auto.offset.reset")]
#[case("autoOffsetReset", "auto.offset.reset")]
#[case("auto.offset.reset", "auto.offset.reset")]
#[case("headwater_storage_max_bytes", "headwater.storage.max.bytes")]
fn keys_may_be_written_in_snake_or_camel_case(#[case] written: &str, #[case] key: &str) {
    assert_eq!(canonical_key(written), key);
}

#[rstest]
#[case(&TOPIC)]
#[case(&BROKER)]
fn every_row_of_a_table_is_valid(#[case] table: &'static Table) {
    let names: Vec<_> = table
        .definitions()
        .iter()
        .map(|definition| definition.name)
        .collect();
    assert!(names.is_sorted(), "rows are sorted by key");
    for definition in table.definitions() {
        assert_eq!(
            names
                .iter()
                .filter(|name| **name == definition.name)
                .count(),
            1,
            "{}",
            definition.name
        );
        assert!(
            definition.doc.ends_with('.'),
            "{} has a sentence",
            definition.name
        );
        if let Some(default) = definition.default {
            assert_eq!(
                definition.parse(default).unwrap().to_string(),
                default,
                "{}",
                definition.name
            );
        }
        for (synonym, _) in definition.synonyms {
            let below = BROKER
                .find(synonym)
                .expect("a synonym is a key of the broker");
            if below.default.is_some() && definition.synonyms.len() == 1 {
                assert_eq!(
                    below.default, definition.default,
                    "{} and {synonym}",
                    definition.name
                );
            }
        }
    }
}

#[test]
fn the_documentation_lists_every_key_with_default_and_bounds() {
    let text = TOPIC.markdown();
    assert_eq!(text.lines().count(), TOPIC.definitions().len() + 2);
    assert!(
        text.contains("| `retention.bytes` | an integer of at least -1 (bytes) | `-1` |"),
        "{text}"
    );
}

#[test]
fn group_values_stay_within_the_operators_bounds() {
    let refused = |pairs: &[(&str, &str)]| {
        BrokerConfig::parse(pairs.iter().copied())
            .unwrap_err()
            .to_string()
    };
    let heartbeat = "group.consumer.heartbeat.interval.ms";
    let session = "group.consumer.session.timeout.ms";
    assert_eq!(
        refused(&[(heartbeat, "1000")]),
        "group.consumer.min.heartbeat.interval.ms (5000) must not be more than group.consumer.heartbeat.interval.ms (1000): \
         lower the first or raise the second"
    );
    assert!(
        refused(&[(heartbeat, "15001")])
            .contains("group.consumer.max.heartbeat.interval.ms (15000)")
    );
    assert!(
        refused(&[(session, "44999")]).contains("group.consumer.min.session.timeout.ms (45000)")
    );
    assert!(
        refused(&[(session, "60001")]).contains("group.consumer.max.session.timeout.ms (60000)")
    );
    let both = [
        ("group.consumer.min.session.timeout.ms", "5000"),
        (session, "5000"),
    ];
    assert!(refused(&both).contains("must be less than group.consumer.session.timeout.ms (5000)"));
    let allowed = [
        ("group.consumer.min.heartbeat.interval.ms", "1000"),
        (heartbeat, "1000"),
    ];
    let config = BrokerConfig::parse(allowed).unwrap();
    assert_eq!(config.group_consumer_heartbeat_interval_ms, 1000);
}

#[rstest]
#[case("retention.ms", "7d", 604_800_000)]
#[case("retention.ms", "1h30m", 5_400_000)]
#[case("retention.ms", " 250ms ", 250)]
#[case("retention.ms", "604800000", 604_800_000)]
#[case("retention.ms", "-1", -1)]
fn users_may_write_durations_for_keys_in_milliseconds(
    #[case] key: &str,
    #[case] given: &str,
    #[case] expected: i64,
) {
    assert_eq!(topic(&[(key, given)]).integer(key), expected);
}

#[rstest]
#[case(&TOPIC, "segment.bytes", "7d", "it takes an integer of at least 1048576")]
#[case(&BROKER, "log.retention.hours", "7d", "it takes an integer of at least")]
#[case(&BROKER, "offsets.retention.minutes", "60000ms", "it takes an integer of at least")]
#[case(&TOPIC, "retention.ms", "-7d", "or a duration such as \"7d\"")]
#[case(&TOPIC, "retention.ms", "7x", "or a duration such as \"7d\"")]
#[case(&TOPIC, "retention.ms", "", "or a duration such as \"7d\"")]
fn durations_are_only_taken_for_milliseconds(
    #[case] table: &'static Table,
    #[case] key: &str,
    #[case] given: &str,
    #[case] expected: &str,
) {
    let error = Layer::parse(table, [(key, given)]).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn durations_add_up_their_parts_and_need_units() {
    assert_eq!(duration_ms("1d12h"), Some(36 * 3_600_000));
    assert_eq!(duration_ms("2w"), Some(14 * 86_400_000));
    assert_eq!(duration_ms("15min"), Some(900_000));
    for text in [
        "",
        "15",
        "m",
        "-1s",
        "1x",
        "1h30",
        "99999999999999999999s",
        "18446744073709551615w",
    ] {
        assert_eq!(duration_ms(text), None, "{text}");
    }
}
