//! The configuration of a consumer.

use std::time::Duration;

use headwater_metadata::config::{Definition, Layer, Table, Unit};

use super::client::own_keys;
use super::group::GroupConfig;
use super::{layer, millis, size};
use crate::error::{Error, ErrorKind, Result};
use crate::isolation::IsolationLevel;

/// The keys of a consumer.
pub static CONSUMER: Table = Table::new(
    "consumer",
    &[
        Definition::int(
            "auto.commit.interval.ms",
            "5000",
            0,
            i32::MAX,
            "The interval between commits of finished records with enable.auto.commit.",
        )
        .unit(Unit::Milliseconds),
        Definition::text(
            "auto.offset.reset",
            "latest",
            "The start position if there is none, or if it is out of range: earliest, latest, none (an error), or by_duration:PT1H.",
        ),
        Definition::boolean(
            "check.crcs",
            "true",
            "Whether to check the CRC of every batch.",
        ),
        Definition::text(
            "client.id",
            "",
            "The name of the consumer in the broker's logs and metrics.",
        ),
        Definition::text(
            "client.rack",
            "",
            "The rack of the consumer: brokers with a replica selector let it read from a replica in this rack (KIP-392). None if empty.",
        ),
        Definition::int(
            "default.api.timeout.ms",
            "60000",
            0,
            i32::MAX,
            "The time limit for a call of the consumer, with its retries.",
        )
        .unit(Unit::Milliseconds),
        Definition::boolean(
            "enable.auto.commit",
            "true",
            "Whether a member of a group commits finished records periodically.",
        ),
        Definition::boolean(
            "exclude.internal.topics",
            "true",
            "Whether a subscribed pattern skips internal topics. With group.protocol=consumer the broker finds the topics of a pattern, internal \
             ones too.",
        ),
        Definition::int(
            "fetch.max.bytes",
            "52428800",
            0,
            i32::MAX,
            "The maximum bytes of one fetch; a single record batch may exceed it.",
        )
        .unit(Unit::Bytes),
        Definition::int(
            "fetch.max.wait.ms",
            "500",
            0,
            i32::MAX,
            "The maximum time that the broker waits for fetch.min.bytes.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "fetch.min.bytes",
            "1",
            0,
            i32::MAX,
            "The bytes that a fetch waits for.",
        )
        .unit(Unit::Bytes),
        Definition::text(
            "group.id",
            "",
            "The group of the consumer: its members share the partitions and commit their offsets. None if empty.",
        ),
        Definition::text(
            "group.instance.id",
            "",
            "The name of a static member, which can restart without a rebalance. None if empty.",
        ),
        Definition::choice(
            "group.protocol",
            "classic",
            &["classic", "consumer"],
            "The group protocol: classic (the members assign) or consumer (the broker assigns, KIP-848).",
        ),
        Definition::text(
            "group.remote.assignor",
            "",
            "The broker's assignor for the group, such as uniform or range, with group.protocol=consumer. The broker chooses if empty.",
        ),
        Definition::int(
            "heartbeat.interval.ms",
            "3000",
            1,
            i32::MAX,
            "The interval between heartbeats of a member. Only with group.protocol=classic.",
        )
        .unit(Unit::Milliseconds),
        Definition::choice(
            "isolation.level",
            "read_uncommitted",
            &["read_committed", "read_uncommitted"],
            "Whether records of open and aborted transactions are returned.",
        ),
        Definition::int(
            "max.partition.fetch.bytes",
            "1048576",
            0,
            i32::MAX,
            "The maximum bytes of one partition in a fetch; a single batch may exceed it.",
        )
        .unit(Unit::Bytes),
        Definition::int(
            "max.poll.interval.ms",
            "300000",
            1,
            i32::MAX,
            "The maximum time between two polls of a member before its partitions are assigned to others.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "max.poll.records",
            "500",
            1,
            i32::MAX,
            "The maximum records of one poll.",
        )
        .unit(Unit::Count),
        Definition::long(
            "metadata.max.age.ms",
            "300000",
            0,
            "The maximum age of metadata before it is refreshed.",
        )
        .unit(Unit::Milliseconds),
        Definition::text(
            "partition.assignment.strategy",
            "range,cooperative-sticky",
            "The supported assignors in order of preference: range, roundrobin, sticky, cooperative-sticky. Only with \
             group.protocol=classic.",
        ),
        Definition::int(
            "request.timeout.ms",
            "30000",
            0,
            i32::MAX,
            "The time to wait for the response to a request before it is retried.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "retry.backoff.ms",
            "100",
            0,
            "The pause before the first retry; it doubles with each retry.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "retry.backoff.max.ms",
            "1000",
            0,
            "The maximum pause between retries.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "session.timeout.ms",
            "45000",
            1,
            i32::MAX,
            "The maximum time between two heartbeats of a member before its partitions are assigned to others. Only with group.protocol=classic.",
        )
        .unit(Unit::Milliseconds),
    ],
);

/// The start position if there is none, or if it is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    /// At the first record.
    Earliest,
    /// After the last record.
    Latest,
    /// At the first record that is at most this old.
    ByDuration(Duration),
    /// Return an error.
    None,
}

/// The configuration of a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerConfig {
    /// `auto.offset.reset`
    pub auto_offset_reset: OffsetReset,
    /// `check.crcs`
    pub check_crcs: bool,
    /// `client.rack`; empty without one.
    pub client_rack: String,
    /// The client's keys that the consumer overrides, such as `client.id`.
    pub(crate) own: Layer,
    /// `exclude.internal.topics`
    pub exclude_internal_topics: bool,
    /// `fetch.max.bytes`
    pub fetch_max_bytes: usize,
    /// `fetch.max.wait.ms`
    pub fetch_max_wait: Duration,
    /// `fetch.min.bytes`
    pub fetch_min_bytes: usize,
    /// `group.id` and its related keys; `None` without a group.
    pub group: Option<GroupConfig>,
    /// `isolation.level`
    pub isolation_level: IsolationLevel,
    /// `max.partition.fetch.bytes`
    pub max_partition_fetch_bytes: usize,
    /// `max.poll.records`
    pub max_poll_records: usize,
}

impl ConsumerConfig {
    /// Checks `pairs` and adds the defaults.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        let layer = layer(&CONSUMER, pairs)?;
        Ok(Self {
            auto_offset_reset: offset_reset(&layer.text("auto.offset.reset"))?,
            check_crcs: layer.boolean("check.crcs"),
            client_rack: layer.text("client.rack"),
            own: own_keys(&layer),
            exclude_internal_topics: layer.boolean("exclude.internal.topics"),
            fetch_max_bytes: size(&layer, "fetch.max.bytes"),
            fetch_max_wait: millis(&layer, "fetch.max.wait.ms"),
            fetch_min_bytes: size(&layer, "fetch.min.bytes"),
            group: GroupConfig::of(&layer)?,
            isolation_level: match layer.text("isolation.level").as_str() {
                "read_committed" => IsolationLevel::ReadCommitted,
                _ => IsolationLevel::ReadUncommitted,
            },
            max_partition_fetch_bytes: size(&layer, "max.partition.fetch.bytes"),
            max_poll_records: size(&layer, "max.poll.records"),
        })
    }
}

fn offset_reset(text: &str) -> Result<OffsetReset> {
    match text.to_ascii_lowercase().as_str() {
        "earliest" => return Ok(OffsetReset::Earliest),
        "latest" => return Ok(OffsetReset::Latest),
        "none" => return Ok(OffsetReset::None),
        _ => {}
    }
    let age = text
        .strip_prefix("by_duration:")
        .and_then(|age| age.parse::<jiff::SignedDuration>().ok());
    match age.and_then(|age| Duration::try_from(age).ok()) {
        Some(age) => Ok(OffsetReset::ByDuration(age)),
        None => Err(Error::new(
            ErrorKind::Config,
            format!(
                "\"{text}\" is not a value of auto.offset.reset: it takes earliest, latest, none, or by_duration: and an ISO 8601 duration \
                 such as by_duration:PT1H."
            ),
        )),
    }
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        match Self::parse(std::iter::empty::<(&str, &str)>()) {
            Ok(config) => config,
            Err(error) => unreachable!("the defaults of the table are valid: {error}"),
        }
    }
}
