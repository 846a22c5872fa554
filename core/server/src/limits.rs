//! The limits of a server.

use std::time::Duration;

use headwater_metadata::BrokerConfig;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The limits without a Kafka key. Every queue is bounded by one of them or of [`BrokerLimits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a connection's first requests until one is valid, 2 MiB. Some clients start with a full
    /// Produce request; text of other protocols would decode as a length of a gigabyte.
    pub first_request_bytes_max: usize,
    /// The maximum size of a request before authentication, if it is required, 64 KiB.
    pub unauthenticated_bytes_max: usize,
    /// The maximum number of pending requests of one connection, 32. Beyond it the connection is not read.
    pub requests_in_flight_max: usize,
    /// The response bytes that stop a connection from starting and resuming requests, 1 MiB. A connection holds at most
    /// this, one more response, and small ones.
    pub answer_bytes_max: usize,
    /// The maximum time for receiving one request or sending one response while memory is short, 10 seconds.
    pub stall_max: Duration,
    /// The maximum time for the TLS handshake and the authentication, 30 seconds.
    pub handshake_max: Duration,
    /// The maximum time that a shutdown waits for pending requests, 5 seconds.
    pub drain_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_request_bytes_max: 2 * MIB,
            unauthenticated_bytes_max: 64 * KIB,
            requests_in_flight_max: 32,
            answer_bytes_max: MIB,
            stall_max: Duration::from_secs(10),
            handshake_max: Duration::from_secs(30),
            drain_max: Duration::from_secs(5),
        }
    }
}

/// The limits that are keys of the broker. Another one, `queued.max.request.bytes`, is the size of the broker's
/// [`RequestMemory`](headwater_broker::RequestMemory): beyond it long requests are not read, waiting fetches keep
/// waiting, and new fetches return little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// `max.connections`. Further connections wait until another one is closed (KIP-402).
    pub connections_max: usize,
    /// `max.connections.per.ip`. Further connections are closed at once.
    pub connections_per_ip_max: usize,
    /// `connections.max.idle.ms`: the idle time after which a connection without pending requests is closed.
    pub idle_max: Duration,
    /// `socket.request.max.bytes`: the maximum size of a request.
    pub request_bytes_max: usize,
}

/// Longer than any process runs, and short enough to be added to another time.
const EVER: Duration = Duration::from_hours(24 * 365 * 10);

impl From<&BrokerConfig> for BrokerLimits {
    fn from(config: &BrokerConfig) -> Self {
        let idle_max = config.connections_idle_max_ms.map(Duration::from_millis);
        Self {
            connections_max: config.connections_max,
            connections_per_ip_max: config.connections_per_ip_max,
            idle_max: idle_max.unwrap_or(EVER).min(EVER),
            request_bytes_max: config.request_bytes_max,
        }
    }
}

/// The limits of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    pub(crate) broker: BrokerLimits,
}
