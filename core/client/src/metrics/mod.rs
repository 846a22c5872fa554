//! What a client has done, in numbers: [`Client::metrics`](crate::Client::metrics).
//!
//! Totals count from the making of the client and only grow. Nothing here sends a request.

mod latency;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::batch::TopicPartition;

pub use latency::{LatencySummary, LatencyWindow};

/// What a client has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientMetrics {
    /// The requests of the client, over all brokers.
    pub requests: RequestMetrics,
    /// The brokers that the client has connected to, or tried to, by address. Empty for an embedded engine.
    pub brokers: Vec<BrokerMetrics>,
    /// The producers of the client that are in use.
    pub producers: Vec<ProducerMetrics>,
    /// The consumers of the client that are in use.
    pub consumers: Vec<ConsumerMetrics>,
}

/// The requests of a client, over all brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestMetrics {
    /// Requests that were made, those without a response too.
    pub requests: u64,
    /// Requests that got no response: the broker could not be reached, did not answer in time, or refused the client.
    pub errors: u64,
    /// How often something was tried again after an error, of a request or in a response.
    pub retries: u64,
    /// For how long brokers have asked the client to wait, because a quota was exceeded.
    pub throttle_time: Duration,
}

/// What went to and came from one broker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BrokerMetrics {
    /// Its id; `None` if the metadata names no broker at this address: a bootstrap address, or a broker that has left.
    pub id: Option<i32>,
    /// `HOST:PORT`
    pub address: String,
    /// Connections that are open now.
    pub connections: u64,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Attempts to open one that failed.
    pub connections_failed: u64,
    /// Requests that were written, or are about to be.
    pub requests: u64,
    /// Of these, those that ended with their connection, without a response.
    pub errors: u64,
    /// Of these, those that wait for their response now.
    pub in_flight: u64,
    /// The bytes of requests that were written, as Kafka encodes them: without TLS, and without the messages that open a connection.
    pub bytes_sent: u64,
    /// The bytes of responses, counted likewise.
    pub bytes_received: u64,
    /// The time from request to response, of the last minute or two. A fetch and a join of a group wait in the broker, which counts too.
    pub latency: LatencySummary,
    /// For how long the broker has asked the client to wait, because a quota was exceeded.
    pub throttle_time: Duration,
}

/// What a producer holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerMetrics {
    /// `client.id`
    pub client_id: String,
    /// Records that were accepted and have no result yet.
    pub queued_records: u64,
    /// The bytes of `buffer.memory` that they take.
    pub queued_bytes: u64,
}

/// How far a consumer is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerMetrics {
    /// `client.id`
    pub client_id: String,
    /// `group.id`
    pub group_id: Option<String>,
    /// For each assigned partition, the number of offsets between its position and the end that the last response named. Partitions that
    /// were not fetched yet are missing. [`Consumer::lag`](crate::Consumer::lag) asks the brokers.
    pub lag: BTreeMap<TopicPartition, u64>,
}
