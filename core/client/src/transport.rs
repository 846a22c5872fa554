//! The one seam between the client and whatever answers it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use headwater_protocol::{Request, Response};
use headwater_record::PartitionId;

/// The answer to one [`Transport::call`], when it comes.
pub type CallFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Done when a transport is closed for good.
pub type ClosedFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Which broker a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// Whichever answers first: metadata, topic creation.
    Any,
    /// The broker with this id: the leader of a partition, a coordinator.
    Id(i32),
}

/// Carries typed Kafka requests to a broker and brings its typed responses back.
///
/// In process the future does the whole work when it is polled, in the thread that polls it, and a produce completes in its first
/// poll. Over a network it is polled by the runtime. Dropping the future gives the answer up; the request may have been carried out.
///
/// Implementations are polled inside the tokio runtime that the client was given.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` to `node` and waits for its response.
    fn call(&self, node: Node, request: Request) -> CallFuture<'_>;

    /// Done when the transport is closed for good, for callers that wait without a request. One that is never closed need not say so.
    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(std::future::pending())
    }

    /// The same transport for requests of a client of that name (`client.id`); empty for one without a name.
    fn named(self: Arc<Self>, client_id: &str) -> Arc<dyn Transport>;

    /// Where in a file the next batch of a partition will be written, in bytes, where that is known: in process. A batch whose bytes
    /// are built for that place is written faster. Nothing else may depend on it.
    fn write_position(&self, _topic: &str, _partition: PartitionId) -> Option<u64> {
        None
    }
}

/// The request got no answer. It may or may not have been carried out, unless `sent` says that it never left.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    /// A sentence that says what happened.
    pub reason: String,
    /// The peer may have seen the request.
    pub sent: bool,
    /// The transport is closed for good: no later call can succeed.
    pub closed: bool,
}
