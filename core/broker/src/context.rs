//! Who asks, and where.

use std::sync::Arc;

use headwater_record::ByteSource;

/// What a handler may know about the caller besides the request itself.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The client's own name for itself, as Kafka's request header carries it.
    pub client_id: Option<Arc<str>>,
    /// The version in which the client asked; `None` in process, where a request has the fields of the newest.
    pub version: Option<i16>,
    /// Where the bytes of its batches come from. In process they come from our own builder, and only their headers are checked.
    pub bytes: ByteSource,
    /// Where the client reached this broker, so that answers name the same address.
    pub listener: Listener,
}

impl RequestContext {
    /// Whether the client asked in a version before `version`, so that it does not know what came with that.
    pub(crate) fn is_before(&self, version: i16) -> bool {
        self.version.is_some_and(|spoken| spoken < version)
    }
}

/// An address at which a broker is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The host that clients are told.
    pub host: Arc<str>,
    /// The port that clients are told; 0 in process, where no client connects.
    pub port: u16,
}

impl Default for Listener {
    /// In process.
    fn default() -> Self {
        Self {
            host: Arc::from("localhost"),
            port: 0,
        }
    }
}
