//! What a server grants its clients.

use std::time::Duration;

use headwater_metadata::BrokerConfig;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The limits of one server that Kafka has no keys for. Every queue in it has one of them, or of [`BrokerLimits`], as its bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest request before one of the connection was valid, 2 MiB: some clients begin a connection with a full produce request, and
    /// what is no Kafka client begins with letters, which are a length of a gigabyte.
    pub first_request_bytes_max: usize,
    /// The longest request before the client has authenticated, where it has to, 64 KiB.
    pub unauthenticated_bytes_max: usize,
    /// How many requests of one connection may be begun and not answered, 32. Reading stops beyond.
    pub requests_in_flight_max: usize,
    /// How many bytes of answers a connection may hold, 1 MiB. Beyond, no request is begun and none that waits goes on; so it holds
    /// this, one more answer, and small ones.
    pub answer_bytes_max: usize,
    /// How long one request may take to arrive, or one answer to be taken, while memory is short, 10 seconds.
    pub stall_max: Duration,
    /// How long a client may take to shake hands and to authenticate, 30 seconds.
    pub handshake_max: Duration,
    /// How long a shutdown waits for the requests that were begun, 5 seconds.
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

/// The limits of a server that are keys of its broker. Another one, `queued.max.request.bytes`, is the size of the broker's
/// [`Memory`](headwater_broker::Memory): beyond it reading of long requests stops, fetches that wait go on waiting, and new ones get little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// `max.connections`. The next one is accepted when another one has gone (KIP-402).
    pub connections_max: usize,
    /// `max.connections.per.ip`. The next one is closed at once.
    pub connections_per_ip_max: usize,
    /// `connections.max.idle.ms`: how long nothing may happen on a connection that waits for no answer.
    pub idle_max: Duration,
    /// `socket.request.max.bytes`: the longest request.
    pub request_bytes_max: usize,
}

/// As long as for ever, and still a time that can be added to another.
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

/// What bounds one connection.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    pub(crate) broker: BrokerLimits,
}
