//! The bounds of consumer groups that an operator sets.

use super::{ConfigError, Layer};

/// A key of the broker with the keys of its minimum and its maximum.
struct BoundedKey {
    key: &'static str,
    least: &'static str,
    most: &'static str,
}

const HEARTBEAT: BoundedKey = BoundedKey {
    key: "group.consumer.heartbeat.interval.ms",
    least: "group.consumer.min.heartbeat.interval.ms",
    most: "group.consumer.max.heartbeat.interval.ms",
};

const SESSION: BoundedKey = BoundedKey {
    key: "group.consumer.session.timeout.ms",
    least: "group.consumer.min.session.timeout.ms",
    most: "group.consumer.max.session.timeout.ms",
};

/// Checks values that depend on each other: heartbeat intervals and session time-outs of groups are within their
/// bounds, and sessions are longer than heartbeat intervals.
pub(crate) fn check_groups(broker: &Layer) -> Result<(), ConfigError> {
    for BoundedKey { key, least, most } in [HEARTBEAT, SESSION] {
        in_order(broker, least, most)?;
        in_order(broker, least, key)?;
        in_order(broker, key, most)?;
    }
    let (heartbeat, session) = (broker.integer(HEARTBEAT.key), broker.integer(SESSION.key));
    if heartbeat >= session {
        return Err(conflict(
            HEARTBEAT.key,
            heartbeat,
            "must be less than",
            SESSION.key,
            session,
        ));
    }
    Ok(())
}

fn in_order(broker: &Layer, lower: &'static str, upper: &'static str) -> Result<(), ConfigError> {
    let (low, high) = (broker.integer(lower), broker.integer(upper));
    if low <= high {
        return Ok(());
    }
    Err(conflict(lower, low, "must not be more than", upper, high))
}

fn conflict(lower: &str, low: i64, must: &str, upper: &str, high: i64) -> ConfigError {
    ConfigError::Conflict {
        reason: format!(
            "{lower} ({low}) {must} {upper} ({high}): lower the first or raise the second"
        ),
    }
}
