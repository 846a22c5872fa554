//! What a producer can be told.

use std::time::Duration;

use headwater_metadata::config::{
    Definition, GZIP_LEVEL, LZ4_LEVEL, Layer, Table, Unit, ZSTD_LEVEL, compression_level,
};
use headwater_record::{Compression, CompressionLevel};

use super::client::own_keys;
use super::{layer, millis, size};
use crate::error::{Error, ErrorKind, Result};

/// Why keys of transactions take their defaults only.
const NO_TRANSACTIONS: &str = "transactions are not supported yet";

/// The keys of a producer.
pub static PRODUCER: Table = Table::new(
    "producer",
    &[
        Definition::choice(
            "acks",
            "all",
            &["all", "-1", "0", "1"],
            "Who must have a record before it counts as sent.",
        ),
        Definition::int(
            "batch.size",
            "16384",
            0,
            i32::MAX,
            "Bytes of records that are sent together; 0 sends each record alone.",
        )
        .unit(Unit::Bytes),
        Definition::long(
            "buffer.memory",
            "33554432",
            0,
            "Bytes of records that wait to be sent; a send waits while it is full.",
        )
        .unit(Unit::Bytes),
        Definition::text(
            "client.id",
            "",
            "A name that the broker's logs and metrics show.",
        ),
        GZIP_LEVEL,
        LZ4_LEVEL,
        Definition::choice(
            "compression.type",
            "none",
            &["none", "gzip", "snappy", "lz4", "zstd"],
            "The codec that batches are compressed with.",
        ),
        ZSTD_LEVEL,
        Definition::int(
            "delivery.timeout.ms",
            "120000",
            0,
            i32::MAX,
            "How long after its send a record may still be delivered.",
        )
        .unit(Unit::Milliseconds),
        Definition::boolean(
            "enable.idempotence",
            "true",
            "Each record is written exactly once and in order, whatever is retried.",
        ),
        Definition::long(
            "linger.ms",
            "5",
            0,
            "How long a batch waits for more records when nobody waits for it.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "max.block.ms",
            "60000",
            0,
            "How long a send waits for metadata or for space in the buffer.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "max.in.flight.requests.per.connection",
            "5",
            1,
            i32::MAX,
            "Unanswered requests to one broker at most; with idempotence not more than 5.",
        )
        .unit(Unit::Count),
        Definition::int(
            "max.request.size",
            "1048576",
            0,
            i32::MAX,
            "The largest record, and the largest batch of a table, in bytes.",
        )
        .unit(Unit::Bytes),
        Definition::long(
            "metadata.max.age.ms",
            "300000",
            0,
            "After how long topics and leaders are asked for again.",
        )
        .unit(Unit::Milliseconds),
        Definition::boolean(
            "partitioner.ignore.keys",
            "false",
            "Spreads records with keys as if they had none.",
        ),
        Definition::int(
            "request.timeout.ms",
            "30000",
            0,
            i32::MAX,
            "How long one request may take before it is tried again.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "retries",
            "2147483647",
            0,
            i32::MAX,
            "How often a batch is tried again within delivery.timeout.ms.",
        )
        .unit(Unit::Count),
        Definition::long(
            "retry.backoff.ms",
            "100",
            0,
            "The pause before the first retry; it doubles each time.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "retry.backoff.max.ms",
            "1000",
            0,
            "The longest pause between retries.",
        )
        .unit(Unit::Milliseconds),
        Definition::int(
            "transaction.timeout.ms",
            "60000",
            0,
            i32::MAX,
            "How long a transaction may stay open.",
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

/// Who must have a record before it counts as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Nobody: results carry no offset and errors of the broker are not seen.
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

/// What a producer can be told.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// `acks`
    pub acks: Acks,
    /// `batch.size`
    pub batch_bytes: usize,
    /// `buffer.memory`
    pub buffer_bytes: usize,
    /// `client.id`, `request.timeout.ms` and the other keys of a client that the producer sets for itself.
    pub(crate) own: Layer,
    /// `compression.type`
    pub compression: Compression,
    /// `compression.gzip.level` or `compression.zstd.level`, whichever `compression.type` names.
    pub compression_level: CompressionLevel,
    /// `delivery.timeout.ms`
    pub delivery_timeout: Duration,
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
    /// Checks `pairs` and fills in the defaults.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        let layer = layer(&PRODUCER, pairs)?;
        let compression: Compression = match layer.text("compression.type").parse() {
            Ok(compression) => compression,
            Err(_) => {
                return Err(conflict(
                    "compression.type names no codec: take none, gzip, snappy, lz4 or zstd.",
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
            idempotent: layer.boolean("enable.idempotence"),
            linger: millis(&layer, "linger.ms"),
            max_block: millis(&layer, "max.block.ms"),
            max_in_flight: size(&layer, "max.in.flight.requests.per.connection"),
            max_request_bytes: size(&layer, "max.request.size"),
            ignore_keys: layer.boolean("partitioner.ignore.keys"),
            retries: u32::try_from(layer.integer("retries")).unwrap_or(u32::MAX),
        };
        let explicit = layer.get("enable.idempotence").is_some();
        config.agree(explicit, millis(&layer, "request.timeout.ms"))
    }

    /// Kafka's rules between keys: idempotence needs `acks=all`, retries and at most five requests in flight. Where it was not asked
    /// for, it gives way; where it was, the conflict is an error.
    fn agree(mut self, idempotence_asked_for: bool, request_timeout: Duration) -> Result<Self> {
        if self.idempotent
            && (self.acks != Acks::All || self.retries == 0 || self.max_in_flight > 5)
        {
            if idempotence_asked_for {
                return Err(conflict(
                    "enable.idempotence=true needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5: change \
                     those, or set enable.idempotence=false.",
                ));
            }
            self.idempotent = false;
        }
        if self.delivery_timeout < self.linger.saturating_add(request_timeout) {
            return Err(conflict(
                "delivery.timeout.ms must be at least linger.ms + request.timeout.ms: raise it, or lower those.",
            ));
        }
        Ok(self)
    }
}

fn conflict(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl Default for ProducerConfig {
    fn default() -> Self {
        match Self::parse(std::iter::empty::<(&str, &str)>()) {
            Ok(config) => config,
            Err(error) => unreachable!("the defaults of the table are right: {error}"),
        }
    }
}
