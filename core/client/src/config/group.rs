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
    /// `partition.assignment.strategy`, in order of preference; at least one.
    pub assignors: Vec<Assignor>,
    /// `auto.commit.interval.ms`; `None` without `enable.auto.commit`.
    pub auto_commit_interval: Option<Duration>,
    /// `heartbeat.interval.ms`, less than the session timeout.
    pub heartbeat_interval: Duration,
    /// `max.poll.interval.ms`, also the rebalance timeout.
    pub max_poll_interval: Duration,
    /// `session.timeout.ms`
    pub session_timeout: Duration,
}

impl GroupConfig {
    /// The group's part of a consumer's configuration; `None` without `group.id`.
    pub(super) fn of(layer: &Layer) -> Result<Option<Self>> {
        let config = Self {
            group_id: layer.text("group.id"),
            instance_id: Some(layer.text("group.instance.id")).filter(|id| !id.is_empty()),
            assignors: assignors(&layer.text("partition.assignment.strategy"))?,
            auto_commit_interval: layer
                .boolean("enable.auto.commit")
                .then(|| millis(layer, "auto.commit.interval.ms")),
            heartbeat_interval: millis(layer, "heartbeat.interval.ms"),
            max_poll_interval: millis(layer, "max.poll.interval.ms"),
            session_timeout: millis(layer, "session.timeout.ms"),
        };
        if config.group_id.is_empty() {
            return Ok(None);
        }
        if config.heartbeat_interval >= config.session_timeout {
            return Err(config_error(
                "heartbeat.interval.ms must be less than session.timeout.ms, usually a third of it.",
            ));
        }
        Ok(Some(config))
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
