//! The group configuration of a consumer.

use std::time::Duration;

use headwater_metadata::config::Layer;

use super::assignor::Assignor;
use super::millis;
use crate::error::{Error, ErrorKind, Result};

/// The group configuration of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.id`
    pub group_id: String,
    /// `group.instance.id`; set for a static member.
    pub instance_id: Option<String>,
    /// `client.rack`
    pub rack_id: Option<String>,
    /// `auto.commit.interval.ms`; `None` without `enable.auto.commit`.
    pub auto_commit_interval: Option<Duration>,
    /// `max.poll.interval.ms`, also the rebalance timeout.
    pub max_poll_interval: Duration,
    /// `group.protocol`
    pub protocol: GroupProtocol,
}

/// The group protocol, with its own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The members assign.
    Classic(ClassicConfig),
    /// The broker assigns (KIP-848).
    Consumer(ConsumerProtocolConfig),
}

/// The keys of the classic protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassicConfig {
    /// `partition.assignment.strategy`, in order of preference; at least one.
    pub assignors: Vec<Assignor>,
    /// `heartbeat.interval.ms`, less than the session timeout.
    pub heartbeat_interval: Duration,
    /// `session.timeout.ms`
    pub session_timeout: Duration,
}

/// The keys of the consumer protocol. The broker sets the session timeout and the heartbeat interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerProtocolConfig {
    /// `group.remote.assignor`; `None`: the broker chooses.
    pub remote_assignor: Option<String>,
}

/// Keys that only the classic protocol has.
const CLASSIC_ONLY: [&str; 3] = [
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "session.timeout.ms",
];
/// Keys that only the consumer protocol has.
const CONSUMER_ONLY: [&str; 1] = ["group.remote.assignor"];

impl GroupConfig {
    /// The group's part of a consumer's configuration; `None` without `group.id`.
    pub(super) fn of(layer: &Layer) -> Result<Option<Self>> {
        let config = Self {
            group_id: layer.text("group.id"),
            instance_id: optional(layer, "group.instance.id"),
            rack_id: optional(layer, "client.rack"),
            auto_commit_interval: layer
                .boolean("enable.auto.commit")
                .then(|| millis(layer, "auto.commit.interval.ms")),
            max_poll_interval: millis(layer, "max.poll.interval.ms"),
            protocol: GroupProtocol::of(layer)?,
        };
        Ok(Some(config).filter(|config| !config.group_id.is_empty()))
    }
}

impl GroupProtocol {
    fn of(layer: &Layer) -> Result<Self> {
        if layer.text("group.protocol") == "consumer" {
            refuse(
                layer,
                &CLASSIC_ONLY,
                "cannot be set with group.protocol=consumer, because the broker sets it: leave it out",
            )?;
            return Ok(Self::Consumer(ConsumerProtocolConfig {
                remote_assignor: optional(layer, "group.remote.assignor"),
            }));
        }
        refuse(
            layer,
            &CONSUMER_ONLY,
            "cannot be set with group.protocol=classic: set group.protocol=consumer, or leave it out",
        )?;
        ClassicConfig::of(layer).map(Self::Classic)
    }
}

impl ClassicConfig {
    fn of(layer: &Layer) -> Result<Self> {
        let config = Self {
            assignors: assignors(&layer.text("partition.assignment.strategy"))?,
            heartbeat_interval: millis(layer, "heartbeat.interval.ms"),
            session_timeout: millis(layer, "session.timeout.ms"),
        };
        let has_group = !layer.text("group.id").is_empty();
        if has_group && config.heartbeat_interval >= config.session_timeout {
            return Err(config_error(
                "heartbeat.interval.ms must be less than session.timeout.ms, usually a third of it.",
            ));
        }
        Ok(config)
    }
}

/// A text; `None` if empty.
fn optional(layer: &Layer, key: &str) -> Option<String> {
    Some(layer.text(key)).filter(|text| !text.is_empty())
}

/// Fails if one of `keys` is set.
fn refuse(layer: &Layer, keys: &[&str], why: &str) -> Result<()> {
    match keys.iter().find(|key| layer.get(key).is_some()) {
        Some(key) => Err(config_error(&format!("{key} {why}."))),
        None => Ok(()),
    }
}

fn assignors(names: &str) -> Result<Vec<Assignor>> {
    let mut assignors = Vec::new();
    for name in names.split(',').map(str::trim) {
        let assignor = Assignor::named(name).ok_or_else(|| {
            config_error(&format!(
                "\"{name}\" is not an assignor of partition.assignment.strategy: it takes range, roundrobin, sticky and \
                 cooperative-sticky, separated by commas."
            ))
        })?;
        if !assignors.contains(&assignor) {
            assignors.push(assignor);
        }
    }
    Ok(assignors)
}

fn config_error(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}
