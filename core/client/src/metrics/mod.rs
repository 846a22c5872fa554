//! The metrics of a client: [`Client::metrics`](crate::Client::metrics).
//!
//! Totals count from the creation of the client and only grow. Reading metrics sends no request.

mod latency;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::batch::TopicPartition;

pub use latency::{LatencySummary, LatencyWindow};

/// The metrics of a client.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientMetrics {
    /// The requests of the client, over all brokers.
    pub requests: RequestMetrics,
    /// The brokers to which the client has opened or tried to open a connection, by address. Empty for an embedded
    /// engine.
    pub brokers: Vec<BrokerMetrics>,
    /// The producers of the client that are in use.
    pub producers: Vec<ProducerMetrics>,
    /// The consumers of the client that are in use.
    pub consumers: Vec<ConsumerMetrics>,
    /// The number of records that `on_error="skip"` has skipped, in consumers, scans and `tail`.
    pub skipped_records: u64,
}

/// The requests of a client, over all brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestMetrics {
    /// Requests that were sent, including those without a response.
    pub requests: u64,
    /// Requests that got no response: the broker was unreachable, did not answer in time, or refused the client.
    pub errors: u64,
    /// The number of new attempts after an error, of a request or in a response.
    pub retries: u64,
    /// The total time for which brokers have throttled the client, because a quota was exceeded.
    pub throttle_time: Duration,
}

/// The metrics of one broker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BrokerMetrics {
    /// Its id; `None` if the metadata has no broker with this address: a bootstrap address, or a broker that has left.
    pub id: Option<i32>,
    /// `HOST:PORT`
    pub address: String,
    /// Open connections.
    pub connections: u64,
    /// Connections that were opened so far.
    pub connections_opened: u64,
    /// Failed attempts to open a connection.
    pub connections_failed: u64,
    /// Requests that were written or queued.
    pub requests: u64,
    /// Of these, those that ended with their connection, without a response.
    pub errors: u64,
    /// Of these, those that are waiting for their response.
    pub in_flight: u64,
    /// The size of the written requests in Kafka's encoding: without TLS, and without the requests that open a
    /// connection.
    pub bytes_sent: u64,
    /// The size of the responses, counted likewise.
    pub bytes_received: u64,
    /// The time from request to response during the last one to two minutes. It includes the time that a fetch or a
    /// join of a group waits in the broker.
    pub latency: LatencySummary,
    /// The total time for which the broker has throttled the client, because a quota was exceeded.
    pub throttle_time: Duration,
}

/// The metrics of a producer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerMetrics {
    /// `client.id`
    pub client_id: String,
    /// Accepted records without a result yet.
    pub queued_records: u64,
    /// Their share of `buffer.memory`, in bytes.
    pub queued_bytes: u64,
}

/// The metrics of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerMetrics {
    /// `client.id`
    pub client_id: String,
    /// `group.id`
    pub group_id: Option<String>,
    /// For each assigned partition, the number of offsets between its position and the end in the last response.
    /// Partitions that were not fetched yet are missing. [`Consumer::lag`](crate::Consumer::lag) requests the ends from
    /// the brokers.
    pub lag: BTreeMap<TopicPartition, u64>,
    /// The number of records that `on_error="skip"` has skipped.
    pub skipped_records: u64,
}
