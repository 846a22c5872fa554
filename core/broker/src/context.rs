//! Who asks, and where.

use std::fmt;
use std::sync::Arc;

use headwater_record::ByteSource;

/// What a handler may know about the caller besides the request itself.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The client's own name for itself, as Kafka's request header carries it.
    pub client_id: Option<Arc<str>>,
    /// The address that the request came from, as a consumer group shows it; `None` in process.
    pub client_host: Option<Arc<str>>,
    /// The version that the request was encoded in, where the answer depends on more than its fields; `None`, in process, is the newest.
    pub api_version: Option<i16>,
    /// Where the bytes of its batches come from. In process they come from our own builder, and only their headers are checked.
    pub bytes: ByteSource,
    /// Who the client is.
    pub principal: Principal,
    /// Where the client reached this broker, so that answers name the same address.
    pub listener: Listener,
}

impl RequestContext {
    /// Whether the request has at least that version.
    pub(crate) fn is_at_least(&self, version: i16) -> bool {
        self.api_version.is_none_or(|known| known >= version)
    }
}

/// Who a client has proved to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user's name.
    pub user: Arc<str>,
}

impl Default for Principal {
    /// Kafka's name for somebody who was not asked.
    fn default() -> Self {
        Self {
            user: Arc::from("ANONYMOUS"),
        }
    }
}

impl fmt::Display for Principal {
    /// As Kafka writes it: `User:alice`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "User:{}", self.user)
    }
}

/// A listener, by its name and the address that its clients are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name, which is its security protocol.
    pub name: Arc<str>,
    /// The host that clients are told.
    pub host: Arc<str>,
    /// The port that clients are told; 0 in process, where no client connects.
    pub port: u16,
}

impl Default for Listener {
    /// In process.
    fn default() -> Self {
        Self {
            name: Arc::from("PLAINTEXT"),
            host: Arc::from("localhost"),
            port: 0,
        }
    }
}

impl fmt::Display for Listener {
    /// As Kafka's `listeners` has it: `SASL_SSL://example.org:9092`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, host, port } = self;
        if host.contains(':') {
            write!(out, "{name}://[{host}]:{port}")
        } else {
            write!(out, "{name}://{host}:{port}")
        }
    }
}
