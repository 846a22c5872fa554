//! The configuration of a producer.

use std::time::Duration;

use headwater_metadata::config::{
    Definition, GZIP_LEVEL, LZ4_LEVEL, Layer, Table, Unit, ZSTD_LEVEL, compression_level,
};
use headwater_record::{Compression, CompressionLevel};

use super::client::own_keys;
use super::{layer, millis, size};
use crate::error::{Error, ErrorKind, Result};

/// The reason why the keys of transactions cannot be changed.
const NO_TRANSACTIONS: &str = "transactions are not supported yet";

/// The keys of a producer.
pub static PRODUCER: Table = Table::new(
    "producer",
    &[
        Definition::choice(
            "acks",
            "all",
            &["all", "-1", "0", "1"],
            "The replicas that must have a record before it is acknowledged.",
        ),
        Definition::int(
            "batch.size",
            "16384",
            0,
            i32::MAX,
            "The maximum bytes of a batch; 0 sends each record alone.",
        )
        .unit(Unit::Bytes),
        Definition::long(
            "buffer.memory",
            "33554432",
            0,
            "The maximum bytes of unsent records; a send waits while the buffer is full.",
        )
        .unit(Unit::Bytes),
        Definition::text(
            "client.id",
            "",
            "The name of the producer in the broker's logs and metrics.",
        ),
        GZIP_LEVEL,
        LZ4_LEVEL,
        Definition::choice(
            "compression.type",
            "none",
            &["none", "gzip", "snappy", "lz4", "zstd"],
            "The codec for batches.",
        ),
        ZSTD_LEVEL,
        Definition::int(
            "delivery.timeout.ms",
            "120000",
            0,
            i32::MAX,
            "The time limit for the delivery of a record, with retries; at least linger.ms + request.timeout.ms, to which the default is raised.",
        )
        .unit(Unit::Milliseconds),
        Definition::boolean(
            "enable.idempotence",
            "true",
            "Whether records are written exactly once and in order despite retries.",
        ),
        Definition::long(
            "linger.ms",
            "5",
            0,
            "The time that a batch waits for more records, unless a caller waits for its result.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "max.block.ms",
            "60000",
            0,
            "The maximum time that a send waits for metadata or for space in the buffer.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "max.in.flight.requests.per.connection",
            "5",
            1,
            i32::MAX,
            "The maximum requests in flight to one broker; at most 5 with idempotence.",
        )
        .unit(Unit::Count),
        Definition::int(
            "max.request.size",
            "1048576",
            0,
            i32::MAX,
            "The maximum bytes of a record, of a batch of a table, and of the batches in a request.",
        )
        .unit(Unit::Bytes),
        Definition::long(
            "metadata.max.age.ms",
            "300000",
            0,
            "The maximum age of metadata before it is refreshed.",
        )
        .unit(Unit::Milliseconds),
        Definition::boolean(
            "partitioner.ignore.keys",
            "false",
            "Whether to ignore keys when choosing a partition.",
        ),
        Definition::int(
            "request.timeout.ms",
            "30000",
            0,
            i32::MAX,
            "The time to wait for the response to a request before it is retried.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "retries",
            "2147483647",
            0,
            i32::MAX,
            "The maximum retries of a batch within delivery.timeout.ms.",
        )
        .unit(Unit::Count),
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
            "transaction.timeout.ms",
            "60000",
            0,
            i32::MAX,
            "The maximum time that a transaction may stay open.",
        )
        .unit(Unit::Milliseconds)
        .fixed(NO_TRANSACTIONS),
        Definition::text(
            "transactional.id",
            "",
            "The identity of a transactional producer.",
        )
        .fixed(NO_TRANSACTIONS),
    ],
);

/// The replicas that must have a record before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// None: results have no offset, and errors of the broker are lost.
    None,
    /// The leader.
    Leader,
    /// All in-sync replicas.
    All,
}

impl Acks {
    /// The number on the wire.
    pub const fn wire(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// The configuration of a producer.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// `acks`
    pub acks: Acks,
    /// `batch.size`
    pub batch_bytes: usize,
    /// `buffer.memory`
    pub buffer_bytes: usize,
    /// The client's keys that the producer overrides, such as `client.id`.
    pub(crate) own: Layer,
    /// `compression.type`
    pub compression: Compression,
    /// `compression.gzip.level` or `compression.zstd.level`, according to `compression.type`.
    pub compression_level: CompressionLevel,
    /// `delivery.timeout.ms`
    pub delivery_timeout: Duration,
    /// Whether `delivery.timeout.ms` was set, so that it is not raised.
    has_own_delivery_timeout: bool,
    /// `enable.idempotence`
    pub idempotent: bool,
    /// `linger.ms`
    pub linger: Duration,
    /// `max.block.ms`
    pub max_block: Duration,
    /// `max.in.flight.requests.per.connection`
    pub max_in_flight: usize,
    /// `max.request.size`
    pub max_request_bytes: usize,
    /// `partitioner.ignore.keys`
    pub ignore_keys: bool,
    /// `retries`
    pub retries: u32,
}

impl ProducerConfig {
    /// Checks `pairs` and adds the defaults.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        let layer = layer(&PRODUCER, pairs)?;
        let compression: Compression = match layer.text("compression.type").parse() {
            Ok(compression) => compression,
            Err(_) => {
                return Err(conflict(
                    "compression.type must be none, gzip, snappy, lz4 or zstd.",
                ));
            }
        };
        let config = Self {
            acks: match layer.text("acks").as_str() {
                "0" => Acks::None,
                "1" => Acks::Leader,
                _ => Acks::All,
            },
            batch_bytes: size(&layer, "batch.size"),
            buffer_bytes: size(&layer, "buffer.memory"),
            own: own_keys(&layer),
            compression,
            compression_level: compression_level(compression, |key| layer.integer(key)),
            delivery_timeout: millis(&layer, "delivery.timeout.ms"),
            has_own_delivery_timeout: layer.get("delivery.timeout.ms").is_some(),
            idempotent: layer.boolean("enable.idempotence"),
            linger: millis(&layer, "linger.ms"),
            max_block: millis(&layer, "max.block.ms"),
            max_in_flight: size(&layer, "max.in.flight.requests.per.connection"),
            max_request_bytes: size(&layer, "max.request.size"),
            ignore_keys: layer.boolean("partitioner.ignore.keys"),
            retries: u32::try_from(layer.integer("retries")).unwrap_or(u32::MAX),
        };
        let explicit = layer.get("enable.idempotence").is_some();
        config.check_combination(explicit, millis(&layer, "request.timeout.ms"))
    }

    /// Checks Kafka's rules between keys. Idempotence needs `acks=all`, retries, and at most five requests in flight.
    /// Without these, idempotence is disabled, or an error if it was set explicitly.
    fn check_combination(
        mut self,
        idempotence_is_explicit: bool,
        request_timeout: Duration,
    ) -> Result<Self> {
        if self.idempotent
            && (self.acks != Acks::All || self.retries == 0 || self.max_in_flight > 5)
        {
            if idempotence_is_explicit {
                return Err(conflict(
                    "enable.idempotence=true needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5: change \
                     those, or set enable.idempotence=false.",
                ));
            }
            self.idempotent = false;
        }
        self.raise_delivery_timeout(request_timeout);
        if self.delivery_timeout < self.least_delivery_timeout(request_timeout) {
            return Err(conflict(
                "delivery.timeout.ms must be at least linger.ms + request.timeout.ms.",
            ));
        }
        Ok(self)
    }

    /// Raises the default of `delivery.timeout.ms` to the time that a record may linger and wait for one response, as
    /// in the Java client.
    pub(crate) fn raise_delivery_timeout(&mut self, request_timeout: Duration) {
        let least = self.least_delivery_timeout(request_timeout);
        if self.has_own_delivery_timeout || self.delivery_timeout >= least {
            return;
        }
        tracing::warn!(
            "delivery.timeout.ms is raised from {} to {}, which is linger.ms + request.timeout.ms; set it to choose another",
            self.delivery_timeout.as_millis(),
            least.as_millis()
        );
        self.delivery_timeout = least;
    }

    /// `linger.ms` + `request.timeout.ms`, or the maximum of `delivery.timeout.ms` if that is less.
    fn least_delivery_timeout(&self, request_timeout: Duration) -> Duration {
        let max = Duration::from_millis(i32::MAX.unsigned_abs().into());
        self.linger.saturating_add(request_timeout).min(max)
    }
}

fn conflict(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl Default for ProducerConfig {
    fn default() -> Self {
        match Self::parse(std::iter::empty::<(&str, &str)>()) {
            Ok(config) => config,
            Err(error) => unreachable!("the defaults of the table are valid: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery_timeout_ms(pairs: &[(&str, &str)]) -> u128 {
        let config = ProducerConfig::parse(pairs.iter().copied()).unwrap();
        config.delivery_timeout.as_millis()
    }

    #[test]
    fn the_default_of_the_delivery_timeout_is_raised() {
        assert_eq!(delivery_timeout_ms(&[]), 120_000);
        assert_eq!(delivery_timeout_ms(&[("linger.ms", "100000")]), 130_000);
        assert_eq!(
            delivery_timeout_ms(&[("request.timeout.ms", "120000")]),
            120_005
        );
        let longest = [("linger.ms", "9223372036854775807")];
        assert_eq!(delivery_timeout_ms(&longest), 2_147_483_647);
    }

    #[test]
    fn a_delivery_timeout_that_was_set_is_not_raised() {
        let pairs = [("delivery.timeout.ms", "120000"), ("linger.ms", "100000")];
        let error = ProducerConfig::parse(pairs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("linger.ms"), "{error}");
    }
}
