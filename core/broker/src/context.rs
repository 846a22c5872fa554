//! The client and the listener of a request.

use std::fmt;
use std::sync::Arc;

use headwater_record::ByteSource;

/// The parts of the caller's context that handlers need.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The client id of the request header.
    pub client_id: Option<Arc<str>>,
    /// The client's address, shown in consumer groups; `None` in process.
    pub client_host: Option<Arc<str>>,
    /// The version of the request, where the response depends on more than its fields; `None`, in process, is the
    /// newest.
    pub api_version: Option<i16>,
    /// The source of the batches' bytes. In process they come from our own builder, and only their headers are checked.
    pub bytes: ByteSource,
    /// The authenticated client.
    pub principal: Principal,
    /// The listener that the client used, so that responses contain its advertised address.
    pub listener: Listener,
}

impl RequestContext {
    /// Whether the request has at least this version.
    pub(crate) fn is_at_least(&self, version: i16) -> bool {
        self.api_version.is_none_or(|known| known >= version)
    }
}

/// The authenticated identity of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user name.
    pub user: Arc<str>,
}

impl Default for Principal {
    /// Kafka's name for clients without authentication.
    fn default() -> Self {
        Self {
            user: Arc::from("ANONYMOUS"),
        }
    }
}

impl fmt::Display for Principal {
    /// Kafka's format: `User:alice`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "User:{}", self.user)
    }
}

/// A listener: its name and its advertised address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The name, which is the security protocol.
    pub name: Arc<str>,
    /// The advertised host.
    pub host: Arc<str>,
    /// The advertised port; 0 in process, where clients do not connect.
    pub port: u16,
}

impl Default for Listener {
    /// The in-process listener.
    fn default() -> Self {
        Self {
            name: Arc::from("PLAINTEXT"),
            host: Arc::from("localhost"),
            port: 0,
        }
    }
}

impl fmt::Display for Listener {
    /// The format of Kafka's `listeners`: `SASL_SSL://example.org:9092`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, host, port } = self;
        if host.contains(':') {
            write!(out, "{name}://[{host}]:{port}")
        } else {
            write!(out, "{name}://{host}:{port}")
        }
    }
}
