//! The configuration keys of topics, and the typed configuration of a topic.

use headwater_record::{Compression, CompressionLevel, TimestampType};

use super::compression::{GZIP_LEVEL, LZ4_LEVEL, ZSTD_LEVEL, compression_level};
use super::layer::default_value;
use super::{ConfigError, Definition, Layer, Source, Table, Unit, Value};
use Unit::{Bytes, Count, Milliseconds};

/// The values of `compression.type`.
pub(super) const COMPRESSION_TYPES: &[&str] =
    &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
/// Why keys of tiered storage only accept their defaults.
pub(super) const NOT_TIERED: &str = "this broker has no remote storage";
/// Why keys about replicas only accept their defaults.
pub(super) const ONE_REPLICA: &str = "a partition has one replica here";
/// Why files are not preallocated.
pub(super) const GROWS: &str = "a segment's file grows as it is written";
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// The keys of a topic.
pub static TOPIC: Table = Table::new("topic", DEFINITIONS);

static DEFINITIONS: &[Definition] = &[
    Definition::list("cleanup.policy", "delete", &["delete", "compact"],
        "How old records are removed. `delete` deletes sealed segments by age and size. `compact` keeps the last record of each key; records need keys, and a tombstone (a null value) deletes its key. Both can be combined.")
        .synonyms(&[("log.cleanup.policy", 1)]).dynamic(),
    GZIP_LEVEL.synonyms(&[("compression.gzip.level", 1)]).dynamic(),
    LZ4_LEVEL.synonyms(&[("compression.lz4.level", 1)]).dynamic(),
    Definition::choice("compression.type", "producer", COMPRESSION_TYPES,
        "The compression codec of stored batches. `producer` keeps the producer's codec; with any other value the broker recompresses batches.")
        .synonyms(&[("compression.type", 1)]).dynamic(),
    ZSTD_LEVEL.synonyms(&[("compression.zstd.level", 1)]).dynamic(),
    Definition::long("delete.retention.ms", "86400000", 0,
        "How long a tombstone is kept after the first cleaning that reaches it, so that readers can read it.").unit(Milliseconds)
        .synonyms(&[("log.cleaner.delete.retention.ms", 1)]).dynamic(),
    Definition::long("file.delete.delay.ms", "60000", 0,
        "How long the files of a deleted segment are kept for readers that still use them.").unit(Milliseconds)
        .synonyms(&[("log.segment.delete.delay.ms", 1)]).dynamic(),
    Definition::long("flush.messages", "9223372036854775807", 1,
        "The number of records after which the log is flushed to disk. With 1 a produce is acknowledged after its fsync; concurrent produces share the fsync.").unit(Count)
        .synonyms(&[("log.flush.interval.messages", 1)]).dynamic(),
    Definition::long("flush.ms", "9223372036854775807", 0,
        "The maximum time before a record is flushed to disk.").unit(Milliseconds)
        .synonyms(&[("log.flush.interval.ms", 1)]).dynamic(),
    Definition::list("follower.replication.throttled.replicas", "", &[], "The followers whose replication is throttled.").fixed(ONE_REPLICA).dynamic(),
    Definition::int("index.interval.bytes", "4096", 0, i32::MAX,
        "The number of log bytes between two entries of the offset index.").unit(Bytes)
        .synonyms(&[("log.index.interval.bytes", 1)]).dynamic(),
    Definition::int("internal.segment.bytes", "1073741824", 61, i32::MAX,
        "Overrides `segment.bytes` without its lower bound. For tests: small segments need many files and much time.").unit(Bytes)
        .without_default().dynamic(),
    Definition::list("leader.replication.throttled.replicas", "", &[], "The leaders whose replication is throttled.").fixed(ONE_REPLICA).dynamic(),
    Definition::long("local.retention.bytes", "-2", -2, "The maximum size of the local part of a tiered partition.").unit(Bytes)
        .synonyms(&[("log.local.retention.bytes", 1)]).fixed(NOT_TIERED).dynamic(),
    Definition::long("local.retention.ms", "-2", -2, "How long records of a tiered partition are kept locally.").unit(Milliseconds)
        .synonyms(&[("log.local.retention.ms", 1)]).fixed(NOT_TIERED).dynamic(),
    Definition::long("max.compaction.lag.ms", "9223372036854775807", 1,
        "The maximum time before a record is eligible for compaction, even if the log is not dirty enough. The active segment is closed after this time too.").unit(Milliseconds)
        .synonyms(&[("log.cleaner.max.compaction.lag.ms", 1)]).dynamic(),
    Definition::int("max.message.bytes", "1048588", 0, i32::MAX,
        "The maximum size of a record batch as it is stored (compressed, with its header).").unit(Bytes)
        .synonyms(&[("message.max.bytes", 1)]).dynamic(),
    Definition::long("message.timestamp.after.max.ms", "3600000", 0,
        "The maximum time by which a record's timestamp may be ahead of the broker's clock. Only with `message.timestamp.type=CreateTime`.").unit(Milliseconds)
        .synonyms(&[("log.message.timestamp.after.max.ms", 1)]).dynamic(),
    Definition::long("message.timestamp.before.max.ms", "9223372036854775807", 0,
        "The maximum time by which a record's timestamp may be behind the broker's clock. Only with `message.timestamp.type=CreateTime`.").unit(Milliseconds)
        .synonyms(&[("log.message.timestamp.before.max.ms", 1)]).dynamic(),
    Definition::choice("message.timestamp.type", "CreateTime", &["CreateTime", "LogAppendTime"],
        "Whether a record's timestamp is set by its producer (CreateTime) or by the broker when it is appended (LogAppendTime).")
        .synonyms(&[("log.message.timestamp.type", 1)]).dynamic(),
    Definition::double("min.cleanable.dirty.ratio", "0.5", 0.0, 1.0,
        "The minimum ratio of uncleaned bytes in the sealed segments of a log before the log is cleaned.")
        .synonyms(&[("log.cleaner.min.cleanable.ratio", 1)]).dynamic(),
    Definition::long("min.compaction.lag.ms", "0", 0,
        "The minimum time before a record can be compacted.").unit(Milliseconds)
        .synonyms(&[("log.cleaner.min.compaction.lag.ms", 1)]).dynamic(),
    Definition::int("min.insync.replicas", "1", 1, i32::MAX,
        "The number of replicas that must store a batch before a produce with acks=all succeeds. One broker has one replica: with 2 or more such produces fail.").unit(Count)
        .synonyms(&[("min.insync.replicas", 1)]).dynamic(),
    Definition::boolean("preallocate", "false", "Whether the file of a new segment is preallocated.")
        .synonyms(&[("log.preallocate", 1)]).fixed(GROWS).dynamic(),
    Definition::boolean("remote.log.copy.disable", "false", "Whether a tiered topic stops copying segments.").fixed(NOT_TIERED).dynamic(),
    Definition::boolean("remote.log.delete.on.disable", "false", "Whether remote segments are deleted when a topic stops being tiered.").fixed(NOT_TIERED).dynamic(),
    Definition::boolean("remote.storage.enable", "false", "Whether segments are copied to remote storage.").fixed(NOT_TIERED).dynamic(),
    Definition::long("retention.bytes", "-1", -1,
        "The maximum size of a partition before its oldest sealed segments are deleted; -1 sets no limit. Needs `cleanup.policy=delete`.").unit(Bytes)
        .synonyms(&[("log.retention.bytes", 1)]).dynamic(),
    Definition::long("retention.ms", "604800000", -1,
        "The maximum age of the newest record of a sealed segment before the segment is deleted; -1 sets no limit. Needs `cleanup.policy=delete`.").unit(Milliseconds)
        .synonyms(&[("log.retention.ms", 1), ("log.retention.minutes", MINUTE_MS), ("log.retention.hours", HOUR_MS)]).dynamic(),
    Definition::int("segment.bytes", "1073741824", 1_048_576, i32::MAX,
        "The maximum size of a segment file. Retention deletes whole segments.").unit(Bytes)
        .synonyms(&[("log.segment.bytes", 1)]).dynamic(),
    Definition::int("segment.index.bytes", "10485760", 4, i32::MAX,
        "The maximum size of the index files of a segment.").unit(Bytes)
        .synonyms(&[("log.index.size.max.bytes", 1)]).dynamic(),
    Definition::long("segment.jitter.ms", "0", 0,
        "The maximum random time that is subtracted from `segment.ms`, so that segments do not all roll at once.").unit(Milliseconds)
        .synonyms(&[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", HOUR_MS)]).dynamic(),
    Definition::long("segment.ms", "604800000", 1,
        "The time after which the log rolls a new segment, even if the active one is not full.").unit(Milliseconds)
        .synonyms(&[("log.roll.ms", 1), ("log.roll.hours", HOUR_MS)]).dynamic(),
    Definition::boolean("unclean.leader.election.enable", "false", "Whether a replica outside the in-sync set may become the leader.")
        .synonyms(&[("unclean.leader.election.enable", 1)]).fixed(ONE_REPLICA).dynamic(),
];

/// The `compact` and `delete` of `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old sealed segments may be deleted.
    pub delete: bool,
    /// Only the last record of each key is kept; records need keys.
    pub compact: bool,
}

/// The resolved and typed configuration of a topic. `None` means no limit.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`
    pub cleanup_policy: CleanupPolicy,
    /// `compression.type`; `None` keeps the producer's
    pub compression: Option<Compression>,
    /// `compression.gzip.level` or `compression.zstd.level`, as `compression.type` has it
    pub compression_level: CompressionLevel,
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
    /// `file.delete.delay.ms`
    pub file_delete_delay_ms: u64,
    /// `flush.messages`
    pub flush_messages: u64,
    /// `flush.ms`; `None` leaves it to the operating system
    pub flush_ms: Option<u64>,
    /// `index.interval.bytes`
    pub index_interval_bytes: u32,
    /// `max.compaction.lag.ms`
    pub max_compaction_lag_ms: i64,
    /// `max.message.bytes`
    pub max_message_bytes: u32,
    /// `message.timestamp.after.max.ms`
    pub timestamp_after_max_ms: i64,
    /// `message.timestamp.before.max.ms`
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.type`
    pub timestamp_type: TimestampType,
    /// `min.cleanable.dirty.ratio`
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: i64,
    /// `min.insync.replicas`
    pub min_insync_replicas: u32,
    /// `retention.bytes`
    pub retention_bytes: Option<u64>,
    /// `retention.ms`
    pub retention_ms: Option<u64>,
    /// `internal.segment.bytes` if set, else `segment.bytes`
    pub segment_bytes: u32,
    /// `segment.index.bytes`
    pub segment_index_bytes: u32,
    /// `segment.jitter.ms`
    pub segment_jitter_ms: u64,
    /// `segment.ms`
    pub segment_ms: u64,
}

impl TopicConfig {
    /// Resolves the configuration of a topic with the values `topic` on a broker with the values `broker`.
    pub fn resolve(topic: &Layer, broker: &Layer) -> Self {
        let view = TopicView { topic, broker };
        let policy = view.words("cleanup.policy");
        let compression = compression(&view.value("compression.type").0);
        let segment_bytes = if topic.get("internal.segment.bytes").is_some() {
            "internal.segment.bytes"
        } else {
            "segment.bytes"
        };
        Self {
            cleanup_policy: CleanupPolicy {
                delete: policy.iter().any(|word| word == "delete"),
                compact: policy.iter().any(|word| word == "compact"),
            },
            compression,
            compression_level: compression_level(compression.unwrap_or_default(), |key| {
                view.integer(key)
            }),
            delete_retention_ms: view.integer("delete.retention.ms"),
            file_delete_delay_ms: view.integer("file.delete.delay.ms") as u64,
            flush_messages: view.integer("flush.messages") as u64,
            flush_ms: Some(view.integer("flush.ms"))
                .filter(|ms| *ms != i64::MAX)
                .map(|ms| ms as u64),
            index_interval_bytes: view.integer("index.interval.bytes") as u32,
            max_compaction_lag_ms: view.integer("max.compaction.lag.ms"),
            max_message_bytes: view.integer("max.message.bytes") as u32,
            timestamp_after_max_ms: view.integer("message.timestamp.after.max.ms"),
            timestamp_before_max_ms: view.integer("message.timestamp.before.max.ms"),
            timestamp_type: match view.value("message.timestamp.type").0 {
                Value::Text(word) if word == "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            min_cleanable_dirty_ratio: view.double("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: view.integer("min.compaction.lag.ms"),
            min_insync_replicas: view.integer("min.insync.replicas") as u32,
            retention_bytes: u64::try_from(view.integer("retention.bytes")).ok(),
            retention_ms: u64::try_from(view.integer("retention.ms")).ok(),
            segment_bytes: view.integer(segment_bytes) as u32,
            segment_index_bytes: view.integer("segment.index.bytes") as u32,
            segment_jitter_ms: view.integer("segment.jitter.ms") as u64,
            segment_ms: view.integer("segment.ms") as u64,
        }
    }
}

/// The keys of a topic, looked up in its layers: the topic's own, then the broker's, then the default.
#[derive(Debug, Clone, Copy)]
pub struct TopicView<'a> {
    /// The values of the topic.
    pub topic: &'a Layer,
    /// The values of the broker.
    pub broker: &'a Layer,
}

impl TopicView<'_> {
    /// The value of a key and its source; `None` if the key has no value.
    pub fn lookup(&self, definition: &'static Definition) -> Option<(Value, Source)> {
        if let Some(value) = self.topic.get(definition.name) {
            return Some((value.clone(), Source::Topic));
        }
        for (name, factor) in definition.synonyms {
            if let Some(value) = self.broker.get(name) {
                return Some((scaled(value, *factor), Source::StaticBroker));
            }
        }
        default_value(definition).map(|value| (value, Source::Default))
    }

    fn value(&self, name: &'static str) -> (Value, Source) {
        let found = TOPIC
            .find(name)
            .and_then(|definition| self.lookup(definition));
        found.unwrap_or_else(|| unreachable!("{name} is a key of the topic table with a default"))
    }

    fn integer(&self, name: &'static str) -> i64 {
        match self.value(name).0 {
            Value::Integer(value) => value,
            other => unreachable!("{name} is read as an integer and holds {other:?}"),
        }
    }

    fn double(&self, name: &'static str) -> f64 {
        match self.value(name).0 {
            Value::Double(value) => value,
            other => unreachable!("{name} is read as a number and holds {other:?}"),
        }
    }

    fn words(&self, name: &'static str) -> Vec<String> {
        match self.value(name).0 {
            Value::List(words) => words,
            other => unreachable!("{name} is read as a list and holds {other:?}"),
        }
    }
}

fn compression(value: &Value) -> Option<Compression> {
    match value {
        Value::Text(name) if name == "uncompressed" => Some(Compression::None),
        Value::Text(name) => name.parse().ok(),
        _ => None,
    }
}

/// Converts a broker's value to the topic's unit. -1 (off) stays -1.
fn scaled(value: &Value, factor: i64) -> Value {
    match value {
        Value::Integer(number) if *number >= 0 => Value::Integer(number.saturating_mul(factor)),
        other => other.clone(),
    }
}

/// Checks values of `topic` that depend on each other.
pub fn check_topic(topic: &Layer, broker: &Layer) -> Result<(), ConfigError> {
    let view = TopicView { topic, broker };
    let (least, most) = (
        view.integer("min.compaction.lag.ms"),
        view.integer("max.compaction.lag.ms"),
    );
    if least > most {
        return Err(ConfigError::Conflict {
            reason: format!(
                "min.compaction.lag.ms ({least}) is larger than max.compaction.lag.ms ({most}): lower the first or raise the second"
            ),
        });
    }
    Ok(())
}
