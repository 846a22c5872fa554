//! The configuration of clients, producers and consumers: one table each, with Kafka's keys and defaults.
//!
//! Keys may be in Kafka's spelling (`auto.offset.reset`), or in `auto_offset_reset` or `autoOffsetReset` style.

mod assignor;
pub mod client;
pub mod consumer;
pub mod group;
pub mod producer;

use std::time::Duration;

use headwater_metadata::config::{ConfigError, Layer, Table, canonical_key};

use crate::chance;
use crate::error::{Error, ErrorKind, Result};

pub use assignor::Assignor;
pub use client::ClientConfig;
pub use group::{ClassicConfig, ConsumerProtocolConfig, GroupConfig, GroupProtocol};

/// Checks `pairs` against `table`.
pub(crate) fn layer<K: AsRef<str>, V: AsRef<str>>(
    table: &'static Table,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<Layer> {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (canonical_key(key.as_ref()), value));
    Layer::parse(table, pairs).map_err(Error::from)
}

/// The value of a key in milliseconds.
pub(crate) fn millis(layer: &Layer, key: &str) -> Duration {
    Duration::from_millis(layer.integer(key).unsigned_abs())
}

/// The value of a key in bytes or items.
pub(crate) fn size(layer: &Layer, key: &str) -> usize {
    usize::try_from(layer.integer(key)).unwrap_or(usize::MAX)
}

/// The backoff between retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    /// The first pause; it doubles with each retry.
    pub backoff: Duration,
    /// The maximum pause.
    pub backoff_max: Duration,
}

impl RetryConfig {
    pub(crate) fn of(layer: &Layer) -> Self {
        let backoff = millis(layer, "retry.backoff.ms");
        Self {
            backoff,
            backoff_max: millis(layer, "retry.backoff.max.ms").max(backoff),
        }
    }

    /// The pause before attempt `attempt` (the first retry is 1).
    pub fn pause(&self, attempt: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.backoff.saturating_mul(doubled).min(self.backoff_max)
    }

    /// [`RetryConfig::pause`] with a jitter of 20 %, so that clients do not retry in lockstep (KIP-580).
    pub fn jittered_pause(&self, attempt: u32) -> Duration {
        self.pause(attempt).mul_f64(0.8 + 0.4 * chance::fraction())
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        let sentence = error.to_string();
        let stop = if sentence.ends_with('?') { "" } else { "." };
        Self::new(ErrorKind::Config, format!("{sentence}{stop}")).caused_by(error)
    }
}
