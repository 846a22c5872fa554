//! The configuration keys of brokers, and the typed configuration of a broker.

use super::compression::{GZIP_LEVEL, LZ4_LEVEL, ZSTD_LEVEL};
use super::topic::{COMPRESSION_TYPES, GROWS, NOT_TIERED, ONE_REPLICA};
use super::{ConfigError, Definition, Layer, Table, Unit, Value};
use Unit::{Bytes, Count, Hours, Milliseconds, Minutes};

/// The keys of a broker. Keys that begin with `headwater.` are specific to Headwater; all others are Kafka's.
pub static BROKER: Table = Table::new("broker", DEFINITIONS);

/// Why the keys of listeners cannot be set.
const SERVED: &str = "the listeners are set when a server starts: use --listen and --advertised, or the arguments of serve";

static DEFINITIONS: &[Definition] = &[
    Definition::list("advertised.listeners", "", &[], "The addresses that clients connect to while a server runs.").without_default().fixed(SERVED),
    Definition::boolean("auto.create.topics.enable", "true",
        "Whether a metadata request creates an unknown topic, if the client allows it too."),
    GZIP_LEVEL.dynamic(),
    LZ4_LEVEL.dynamic(),
    Definition::choice("compression.type", "producer", COMPRESSION_TYPES, "The default of the topic key of the same name.").dynamic(),
    ZSTD_LEVEL.dynamic(),
    Definition::long("connections.max.idle.ms", "600000", -1, "The idle time after which a connection without pending requests is closed; -1 never closes it.").unit(Milliseconds),
    Definition::int("default.replication.factor", "1", 1, 32767, "The default replication factor of new topics. One broker supports 1.").unit(Count),
    Definition::boolean("delete.topic.enable", "true", "Whether topics can be deleted."),
    Definition::int("fetch.max.bytes", "57671680", 1024, i32::MAX, "The maximum size of a fetch response.").unit(Bytes),
    Definition::long("follower.replication.throttled.rate", "9223372036854775807", 0, "The rate of throttled replication on followers.").unit(Bytes).fixed(ONE_REPLICA).dynamic(),
    Definition::int("group.consumer.heartbeat.interval.ms", "5000", 1, i32::MAX, "The heartbeat interval of members of consumer groups.").unit(Milliseconds),
    Definition::int("group.consumer.max.heartbeat.interval.ms", "15000", 1, i32::MAX, "The maximum of `group.consumer.heartbeat.interval.ms`.").unit(Milliseconds),
    Definition::int("group.consumer.max.session.timeout.ms", "60000", 1, i32::MAX, "The maximum of `group.consumer.session.timeout.ms`.").unit(Milliseconds),
    Definition::int("group.consumer.max.size", "2147483647", 1, i32::MAX, "The maximum number of members of a consumer group.").unit(Count),
    Definition::choice("group.consumer.migration.policy", "bidirectional", &["bidirectional", "upgrade", "downgrade", "disabled"],
        "Whether a classic group with members becomes a consumer group when a member of the consumer protocol joins (upgrade), and a classic group again when the last such member leaves (downgrade)."),
    Definition::int("group.consumer.min.heartbeat.interval.ms", "5000", 1, i32::MAX, "The minimum of `group.consumer.heartbeat.interval.ms`.").unit(Milliseconds),
    Definition::int("group.consumer.min.session.timeout.ms", "45000", 1, i32::MAX, "The minimum of `group.consumer.session.timeout.ms`.").unit(Milliseconds),
    Definition::int("group.consumer.session.timeout.ms", "45000", 1, i32::MAX, "The session time-out of members of consumer groups.").unit(Milliseconds),
    Definition::int("group.initial.rebalance.delay.ms", "3000", 0, i32::MAX, "How long an empty classic group waits for more members before the first rebalance. The default does not apply to a group whose first member is in the broker's process.").unit(Milliseconds),
    Definition::int("group.max.session.timeout.ms", "1800000", 1, i32::MAX, "The maximum session time-out of members of classic groups.").unit(Milliseconds),
    Definition::int("group.max.size", "2147483647", 1, i32::MAX, "The maximum number of members of a classic group.").unit(Count),
    Definition::int("group.min.session.timeout.ms", "6000", 1, i32::MAX, "The minimum session time-out of members of classic groups.").unit(Milliseconds),
    Definition::long("headwater.storage.max.bytes", "-1", -1,
        "The maximum size of the data directory; -1 sets no limit. When it is exceeded, `headwater.storage.on.full` applies. With a limit, segments take at most an eighth of it, and files are deleted without `file.delete.delay.ms`.").unit(Bytes).dynamic(),
    Definition::long("headwater.storage.min.free.bytes", "0", 0,
        "The minimum free space of the disk. Below it, `headwater.storage.on.full` applies, and files are deleted without `file.delete.delay.ms`.").unit(Bytes).dynamic(),
    Definition::choice("headwater.storage.on.full", "delete", &["delete", "fail"],
        "The behaviour when the disk is full or a limit of `headwater.storage.*` is reached. `delete`: the oldest sealed segments of all topics with `cleanup.policy=delete` are deleted before their retention ends, each with a warning in the log; produce fails only when none is left. `fail`: nothing is deleted, and produce fails with KAFKA_STORAGE_ERROR until there is space.").dynamic(),
    Definition::long("leader.replication.throttled.rate", "9223372036854775807", 0, "The rate of throttled replication on leaders.").unit(Bytes).fixed(ONE_REPLICA).dynamic(),
    Definition::list("listeners", "", &[], "The listeners of the broker while a server runs.").without_default().fixed(SERVED),
    Definition::long("log.cleaner.backoff.ms", "15000", 0, "How long the log cleaner sleeps when there is nothing to clean.").unit(Milliseconds).dynamic(),
    Definition::long("log.cleaner.dedupe.buffer.size", "134217728", 1_048_577,
        "The maximum memory of a cleaning for the keys of the dirty part of a log, 24 bytes for each key. Keys that do not fit are cleaned in the next run.").unit(Bytes).dynamic(),
    Definition::long("log.cleaner.delete.retention.ms", "86400000", 0, "The default of the topic key `delete.retention.ms`.").unit(Milliseconds).dynamic(),
    Definition::boolean("log.cleaner.enable", "true", "Whether compacted logs are cleaned. Otherwise they grow without limit, including `__consumer_offsets`."),
    Definition::long("log.cleaner.max.compaction.lag.ms", "9223372036854775807", 1, "The default of the topic key `max.compaction.lag.ms`.").unit(Milliseconds).dynamic(),
    Definition::double("log.cleaner.min.cleanable.ratio", "0.5", 0.0, 1.0, "The default of the topic key `min.cleanable.dirty.ratio`.").dynamic(),
    Definition::long("log.cleaner.min.compaction.lag.ms", "0", 0, "The default of the topic key `min.compaction.lag.ms`.").unit(Milliseconds).dynamic(),
    Definition::list("log.cleanup.policy", "delete", &["delete", "compact"], "The default of the topic key `cleanup.policy`.").dynamic(),
    Definition::list("log.dirs", "", &[], "The data directory.").without_default().fixed("the data directory is the path that is opened"),
    Definition::long("log.flush.interval.messages", "9223372036854775807", 1, "The default of the topic key `flush.messages`.").unit(Count).dynamic(),
    Definition::long("log.flush.interval.ms", "9223372036854775807", 0, "The default of the topic key `flush.ms`.").unit(Milliseconds).dynamic(),
    Definition::long("log.flush.offset.checkpoint.interval.ms", "60000", 0, "How often the recovery points of all partitions are checkpointed.").unit(Milliseconds),
    Definition::long("log.flush.scheduler.interval.ms", "1000", 1, "How often the broker checks for logs to flush according to `flush.ms`.").unit(Milliseconds),
    Definition::long("log.flush.start.offset.checkpoint.interval.ms", "60000", 0, "How often the log start offsets of all partitions are checkpointed.").unit(Milliseconds),
    Definition::int("log.index.interval.bytes", "4096", 0, i32::MAX, "The default of the topic key `index.interval.bytes`.").unit(Bytes).dynamic(),
    Definition::int("log.index.size.max.bytes", "10485760", 4, i32::MAX, "The default of the topic key `segment.index.bytes`.").unit(Bytes).dynamic(),
    Definition::long("log.local.retention.bytes", "-2", -2, "The default of the topic key `local.retention.bytes`.").unit(Bytes).fixed(NOT_TIERED).dynamic(),
    Definition::long("log.local.retention.ms", "-2", -2, "The default of the topic key `local.retention.ms`.").unit(Milliseconds).fixed(NOT_TIERED).dynamic(),
    Definition::long("log.message.timestamp.after.max.ms", "3600000", 0, "The default of the topic key `message.timestamp.after.max.ms`.").unit(Milliseconds).dynamic(),
    Definition::long("log.message.timestamp.before.max.ms", "9223372036854775807", 0, "The default of the topic key `message.timestamp.before.max.ms`.").unit(Milliseconds).dynamic(),
    Definition::choice("log.message.timestamp.type", "CreateTime", &["CreateTime", "LogAppendTime"], "The default of the topic key `message.timestamp.type`.").dynamic(),
    Definition::boolean("log.preallocate", "false", "The default of the topic key `preallocate`.").fixed(GROWS).dynamic(),
    Definition::long("log.retention.bytes", "-1", -1, "The default of the topic key `retention.bytes`.").unit(Bytes).dynamic(),
    Definition::long("log.retention.check.interval.ms", "300000", 1, "How often the broker checks for segments to delete.").unit(Milliseconds),
    Definition::int("log.retention.hours", "168", -1, i32::MAX, "The default of the topic key `retention.ms`, in hours; overridden by the keys in minutes and milliseconds.").unit(Hours),
    Definition::int("log.retention.minutes", "0", -1, i32::MAX, "The default of the topic key `retention.ms`, in minutes; overrides the key in hours.").unit(Minutes).without_default(),
    Definition::long("log.retention.ms", "0", -1, "The default of the topic key `retention.ms`; overrides the keys in minutes and hours.").unit(Milliseconds).without_default().dynamic(),
    Definition::int("log.roll.hours", "168", 1, i32::MAX, "The default of the topic key `segment.ms`, in hours.").unit(Hours),
    Definition::int("log.roll.jitter.hours", "0", 0, i32::MAX, "The default of the topic key `segment.jitter.ms`, in hours.").unit(Hours),
    Definition::long("log.roll.jitter.ms", "0", 0, "The default of the topic key `segment.jitter.ms`; overrides the key in hours.").unit(Milliseconds).without_default().dynamic(),
    Definition::long("log.roll.ms", "0", 1, "The default of the topic key `segment.ms`; overrides the key in hours.").unit(Milliseconds).without_default().dynamic(),
    Definition::int("log.segment.bytes", "1073741824", 1_048_576, i32::MAX, "The default of the topic key `segment.bytes`.").unit(Bytes).dynamic(),
    Definition::long("log.segment.delete.delay.ms", "60000", 0, "The default of the topic key `file.delete.delay.ms`.").unit(Milliseconds).dynamic(),
    Definition::int("max.connections", "10000", 0, i32::MAX, "The maximum number of connections over all listeners. Further connections wait until another one is closed. Kafka has no limit by default; here log files share the descriptors of the process.").unit(Count),
    Definition::int("max.connections.per.ip", "2147483647", 0, i32::MAX, "The maximum number of connections from one address. Further connections are closed.").unit(Count),
    Definition::int("max.incremental.fetch.session.cache.slots", "1000", 0, i32::MAX, "The maximum number of fetch sessions. A client without a session sends all its partitions in every fetch.").unit(Count),
    Definition::int("max.request.partition.size.limit", "2000", 1, i32::MAX, "The maximum number of partitions in a DescribeTopicPartitions response; clients fetch the next page.").unit(Count),
    Definition::int("message.max.bytes", "1048588", 0, i32::MAX, "The default of the topic key `max.message.bytes`.").unit(Bytes).dynamic(),
    Definition::int("min.insync.replicas", "1", 1, i32::MAX, "The default of the topic key of the same name.").unit(Count).dynamic(),
    Definition::int("node.id", "1", 0, i32::MAX, "The id of this broker. A data directory keeps the id that it was created with."),
    Definition::int("num.partitions", "1", 1, i32::MAX, "The default number of partitions of new topics.").unit(Count),
    Definition::int("num.recovery.threads.per.data.dir", "2", 1, 256, "The number of threads that open the partitions of a data directory.").unit(Count),
    Definition::int("offset.metadata.max.bytes", "4096", 0, i32::MAX, "The maximum size of the metadata of a committed offset.").unit(Bytes),
    Definition::long("offsets.retention.check.interval.ms", "600000", 1, "How often the broker checks for expired committed offsets.").unit(Milliseconds),
    Definition::int("offsets.retention.minutes", "10080", 1, i32::MAX,
        "The retention of committed offsets: since their group became empty, or since the commit if there is no group.").unit(Minutes),
    Definition::int("offsets.topic.num.partitions", "50", 1, 10_000, "The number of partitions of `__consumer_offsets` when it is created.").unit(Count),
    Definition::int("offsets.topic.replication.factor", "1", 1, 32767, "The replication factor of `__consumer_offsets` when it is created. One broker supports 1.").unit(Count),
    Definition::int("offsets.topic.segment.bytes", "104857600", 1_048_576, i32::MAX, "`segment.bytes` of `__consumer_offsets`.").unit(Bytes),
    Definition::int("producer.id.expiration.check.interval.ms", "600000", 1, i32::MAX, "How often the broker checks for expired producer ids.").unit(Milliseconds),
    Definition::int("producer.id.expiration.ms", "86400000", 1, i32::MAX, "The time after the last batch of a producer id after which it expires.").unit(Milliseconds),
    Definition::long("queued.max.request.bytes", "536870912", -1,
        "The maximum memory of the requests and responses of all connections; -1 sets no limit, which is Kafka's default. Beyond the limit long requests are not read and fetches wait.").unit(Bytes),
    Definition::boolean("remote.log.storage.system.enable", "false", "Whether topics may have segments in remote storage.").fixed(NOT_TIERED),
    Definition::int("socket.request.max.bytes", "104857600", 1, i32::MAX, "The maximum size of a request. A larger request closes its connection.").unit(Bytes),
    Definition::boolean("unclean.leader.election.enable", "false", "The default of the topic key of the same name.").fixed(ONE_REPLICA).dynamic(),
];

/// Whether groups with members may change their protocol (KIP-848).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationPolicy {
    /// In both directions.
    Bidirectional,
    /// Only from the classic to the consumer protocol.
    Upgrade,
    /// Only from the consumer to the classic protocol.
    Downgrade,
    /// In neither direction.
    Disabled,
}

impl MigrationPolicy {
    /// Whether a classic group may become a consumer group.
    pub const fn allows_upgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Upgrade)
    }

    /// Whether a consumer group may become a classic group.
    pub const fn allows_downgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Downgrade)
    }
}

/// The behaviour when storage is exhausted: `headwater.storage.on.full`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStorageFull {
    /// The oldest records are deleted before their retention ends.
    Delete,
    /// Produce fails.
    Fail,
}

/// The configuration of a broker: the layer of its values, and the typed values.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerConfig {
    layer: Layer,
    /// `auto.create.topics.enable`
    pub auto_create_topics: bool,
    /// `connections.max.idle.ms`; `None` keeps connections for ever
    pub connections_idle_max_ms: Option<u64>,
    /// `max.connections`
    pub connections_max: usize,
    /// `max.connections.per.ip`
    pub connections_per_ip_max: usize,
    /// `default.replication.factor`
    pub default_replication_factor: i16,
    /// `delete.topic.enable`
    pub delete_topics: bool,
    /// `fetch.max.bytes`
    pub fetch_bytes_max: usize,
    /// `max.incremental.fetch.session.cache.slots`
    pub fetch_session_slots: usize,
    /// `max.request.partition.size.limit`
    pub described_partitions_max: i32,
    /// `group.consumer.heartbeat.interval.ms`
    pub group_consumer_heartbeat_interval_ms: i32,
    /// `group.consumer.max.size`
    pub group_consumer_size_max: usize,
    /// `group.consumer.migration.policy`
    pub group_consumer_migration_policy: MigrationPolicy,
    /// `group.consumer.session.timeout.ms`
    pub group_consumer_session_timeout_ms: u64,
    /// `group.initial.rebalance.delay.ms`
    pub group_initial_rebalance_delay_ms: u64,
    /// `group.max.session.timeout.ms`
    pub group_session_timeout_max_ms: i32,
    /// `group.max.size`
    pub group_size_max: usize,
    /// `group.min.session.timeout.ms`
    pub group_session_timeout_min_ms: i32,
    /// `headwater.storage.max.bytes`
    pub storage_bytes_max: Option<u64>,
    /// `headwater.storage.min.free.bytes`
    pub storage_free_bytes_min: u64,
    /// `headwater.storage.on.full`
    pub storage_on_full: OnStorageFull,
    /// `log.cleaner.backoff.ms`
    pub cleaner_backoff_ms: u64,
    /// `log.cleaner.dedupe.buffer.size`
    pub cleaner_dedupe_buffer_bytes: usize,
    /// `log.cleaner.enable`
    pub cleaner_enabled: bool,
    /// `log.flush.offset.checkpoint.interval.ms`
    pub recovery_checkpoint_interval_ms: u64,
    /// `log.flush.scheduler.interval.ms`
    pub flush_check_interval_ms: u64,
    /// `log.flush.start.offset.checkpoint.interval.ms`
    pub start_checkpoint_interval_ms: u64,
    /// `log.retention.check.interval.ms`
    pub retention_check_interval_ms: u64,
    /// `node.id`, if it was set
    pub node_id: Option<i32>,
    /// `num.partitions`
    pub default_partitions: i32,
    /// `num.recovery.threads.per.data.dir`
    pub recovery_threads: usize,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_bytes_max: usize,
    /// `offsets.retention.check.interval.ms`
    pub offsets_retention_check_interval_ms: u64,
    /// `offsets.retention.minutes`, in milliseconds
    pub offsets_retention_ms: i64,
    /// `offsets.topic.num.partitions`
    pub offsets_topic_partitions: i32,
    /// `offsets.topic.replication.factor`
    pub offsets_topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`
    pub offsets_topic_segment_bytes: i32,
    /// `producer.id.expiration.check.interval.ms`
    pub producer_expiration_check_interval_ms: u64,
    /// `producer.id.expiration.ms`
    pub producer_expiration_ms: u64,
    /// `queued.max.request.bytes`; `None` sets no limit
    pub queued_request_bytes_max: Option<usize>,
    /// `socket.request.max.bytes`
    pub request_bytes_max: usize,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self::of(Layer::new(&BROKER))
    }
}

impl BrokerConfig {
    /// Parses the configuration from pairs of Kafka's keys and values.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let layer = Layer::parse(&BROKER, pairs)?;
        super::topic::check_topic(&Layer::new(&super::TOPIC), &layer)?;
        super::group_bounds::check_groups(&layer)?;
        Ok(Self::of(layer))
    }

    /// The values that were set, as a layer below those of topics.
    pub const fn layer(&self) -> &Layer {
        &self.layer
    }

    /// The configuration with the values of `over` on top.
    #[must_use]
    pub fn overlaid(&self, over: &Layer) -> Self {
        let mut layer = self.layer.clone();
        layer.overlay(over);
        Self::of(layer)
    }

    fn of(layer: Layer) -> Self {
        let unsigned = |name| layer.integer(name) as u64;
        Self {
            auto_create_topics: layer.boolean("auto.create.topics.enable"),
            connections_idle_max_ms: u64::try_from(layer.integer("connections.max.idle.ms")).ok(),
            connections_max: layer.integer("max.connections") as usize,
            connections_per_ip_max: layer.integer("max.connections.per.ip") as usize,
            default_replication_factor: layer.integer("default.replication.factor") as i16,
            delete_topics: layer.boolean("delete.topic.enable"),
            fetch_bytes_max: layer.integer("fetch.max.bytes") as usize,
            fetch_session_slots: layer.integer("max.incremental.fetch.session.cache.slots")
                as usize,
            described_partitions_max: layer.integer("max.request.partition.size.limit") as i32,
            group_consumer_heartbeat_interval_ms: layer
                .integer("group.consumer.heartbeat.interval.ms")
                as i32,
            group_consumer_size_max: layer.integer("group.consumer.max.size") as usize,
            group_consumer_migration_policy: match &*layer.text("group.consumer.migration.policy") {
                "disabled" => MigrationPolicy::Disabled,
                "downgrade" => MigrationPolicy::Downgrade,
                "upgrade" => MigrationPolicy::Upgrade,
                _ => MigrationPolicy::Bidirectional,
            },
            group_consumer_session_timeout_ms: unsigned("group.consumer.session.timeout.ms"),
            group_initial_rebalance_delay_ms: unsigned("group.initial.rebalance.delay.ms"),
            group_session_timeout_max_ms: layer.integer("group.max.session.timeout.ms") as i32,
            group_size_max: layer.integer("group.max.size") as usize,
            group_session_timeout_min_ms: layer.integer("group.min.session.timeout.ms") as i32,
            storage_bytes_max: u64::try_from(layer.integer("headwater.storage.max.bytes")).ok(),
            storage_free_bytes_min: unsigned("headwater.storage.min.free.bytes"),
            storage_on_full: match &*layer.text("headwater.storage.on.full") {
                "fail" => OnStorageFull::Fail,
                _ => OnStorageFull::Delete,
            },
            cleaner_backoff_ms: unsigned("log.cleaner.backoff.ms"),
            cleaner_dedupe_buffer_bytes: layer.integer("log.cleaner.dedupe.buffer.size") as usize,
            cleaner_enabled: layer.boolean("log.cleaner.enable"),
            recovery_checkpoint_interval_ms: unsigned("log.flush.offset.checkpoint.interval.ms"),
            flush_check_interval_ms: unsigned("log.flush.scheduler.interval.ms"),
            start_checkpoint_interval_ms: unsigned("log.flush.start.offset.checkpoint.interval.ms"),
            retention_check_interval_ms: unsigned("log.retention.check.interval.ms"),
            node_id: match layer.get("node.id") {
                Some(Value::Integer(id)) => Some(*id as i32),
                _ => None,
            },
            default_partitions: layer.integer("num.partitions") as i32,
            recovery_threads: layer.integer("num.recovery.threads.per.data.dir") as usize,
            offset_metadata_bytes_max: layer.integer("offset.metadata.max.bytes") as usize,
            offsets_retention_check_interval_ms: unsigned("offsets.retention.check.interval.ms"),
            offsets_retention_ms: layer.integer("offsets.retention.minutes") * 60_000,
            offsets_topic_partitions: layer.integer("offsets.topic.num.partitions") as i32,
            offsets_topic_replication_factor: layer.integer("offsets.topic.replication.factor")
                as i16,
            offsets_topic_segment_bytes: layer.integer("offsets.topic.segment.bytes") as i32,
            producer_expiration_check_interval_ms: unsigned(
                "producer.id.expiration.check.interval.ms",
            ),
            producer_expiration_ms: unsigned("producer.id.expiration.ms"),
            queued_request_bytes_max: usize::try_from(layer.integer("queued.max.request.bytes"))
                .ok(),
            request_bytes_max: layer.integer("socket.request.max.bytes") as usize,
            layer,
        }
    }
}
