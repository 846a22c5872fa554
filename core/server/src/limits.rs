//! What a server grants its clients.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The limits of one server. Every queue in it has one of them as its bound. The names in brackets are Kafka's keys; the others are ours. How many
/// connections there may be, the broker's configuration says ([`crate::ConnectionLimits`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest request (`socket.request.max.bytes`), 100 MiB.
    pub request_bytes_max: usize,
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
    /// How many bytes of requests and answers all connections may hold, 512 MiB. Beyond, reading of long requests stops, fetches that wait
    /// go on waiting, and new ones get little.
    pub memory_bytes_max: usize,
    /// How long nothing may happen on a connection that waits for no answer (`connections.max.idle.ms`), 10 minutes.
    pub idle_max: Duration,
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
            request_bytes_max: 100 * MIB,
            first_request_bytes_max: 2 * MIB,
            unauthenticated_bytes_max: 64 * KIB,
            requests_in_flight_max: 32,
            answer_bytes_max: MIB,
            memory_bytes_max: 512 * MIB,
            idle_max: Duration::from_mins(10),
            stall_max: Duration::from_secs(10),
            handshake_max: Duration::from_secs(30),
            drain_max: Duration::from_secs(5),
        }
    }
}
