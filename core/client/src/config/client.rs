//! The configuration of a client.

use std::time::Duration;

use headwater_metadata::config::{Definition, Layer, Table, Unit};

use super::{RetryConfig, layer, millis};
use crate::error::Result;

/// The keys of a client.
pub static CLIENT: Table = Table::new(
    "client",
    &[
        Definition::text(
            "client.id",
            "",
            "The name of the client in the broker's logs and metrics.",
        ),
        Definition::int(
            "default.api.timeout.ms",
            "60000",
            0,
            i32::MAX,
            "The time limit for a call of the client, with its retries.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "metadata.max.age.ms",
            "300000",
            0,
            "The maximum age of metadata before it is refreshed.",
        )
        .unit(Unit::Milliseconds),
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
        Definition::long(
            "statistics.interval.ms",
            "60000",
            1,
            "The interval between metrics reports, if the client has a function for them (`stats` in Python).",
        )
        .unit(Unit::Milliseconds),
    ],
);

/// The configuration of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// `client.id`
    pub client_id: String,
    /// `default.api.timeout.ms`
    pub api_timeout: Duration,
    /// `metadata.max.age.ms`
    pub metadata_max_age: Duration,
    /// `request.timeout.ms`
    pub request_timeout: Duration,
    /// `retry.backoff.ms`, `retry.backoff.max.ms`
    pub retry: RetryConfig,
    /// `statistics.interval.ms`
    pub statistics_interval: Duration,
    layer: Layer,
}

impl ClientConfig {
    /// Checks `pairs` and adds the defaults.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        Ok(Self::of(layer(&CLIENT, pairs)?))
    }

    /// This configuration with the keys of `over` on top.
    pub(crate) fn overlaid(&self, over: &Layer) -> Self {
        let mut layer = self.layer.clone();
        layer.overlay(over);
        Self::of(layer)
    }

    fn of(layer: Layer) -> Self {
        Self {
            client_id: layer.text("client.id"),
            api_timeout: millis(&layer, "default.api.timeout.ms"),
            metadata_max_age: millis(&layer, "metadata.max.age.ms"),
            request_timeout: millis(&layer, "request.timeout.ms"),
            retry: RetryConfig::of(&layer),
            statistics_interval: millis(&layer, "statistics.interval.ms"),
            layer,
        }
    }
}

/// The client's keys that a producer or consumer overrides.
pub(crate) fn own_keys(of: &Layer) -> Layer {
    let mut own = Layer::new(&CLIENT);
    for definition in CLIENT.definitions() {
        if let Some(value) = of.get(definition.name) {
            own.state(definition.name, value.clone());
        }
    }
    own
}

impl Default for ClientConfig {
    fn default() -> Self {
        match Self::parse(std::iter::empty::<(&str, &str)>()) {
            Ok(config) => config,
            Err(error) => unreachable!("the defaults of the table are valid: {error}"),
        }
    }
}
