//! Who asks.

use std::sync::Arc;

/// What a handler may know about the caller besides the request itself.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The client's own name for itself, as Kafka's request header carries it.
    pub client_id: Option<Arc<str>>,
}
