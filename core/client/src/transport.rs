//! The one seam between the client and the brokers that answer it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use headwater_protocol::{Request, Response};
use headwater_record::PartitionId;

/// The answer to one [`Lane::call`], when it comes.
pub type CallFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Resolves when a transport is closed for good.
pub type ClosedFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Which broker a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// Any broker: metadata, coordinator lookup.
    Any,
    /// The broker with this id: the leader of a partition, a coordinator, the controller.
    Id(i32),
}

/// What a lane is for.
///
/// A Kafka broker answers the requests of a connection in order, so a request that it holds back (a long-polling Fetch, a `JoinGroup`) delays
/// every request behind it. Requests of different purposes therefore travel on different lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Metadata, topics, groups, users: short requests.
    Admin,
    /// A producer's requests.
    Produce,
    /// A consumer's or a scan's fetches.
    Fetch,
    /// The requests of one group member.
    Group,
}

/// Where a broker can be reached, as Metadata responses say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// The broker's id.
    pub id: i32,
    /// Its advertised host name or address.
    pub host: String,
    /// Its advertised port.
    pub port: u16,
    /// Its rack (`broker.rack`).
    pub rack: Option<String>,
}

/// Reaches the brokers of one cluster.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// A lane for requests of this purpose by a client named `client_id` (`client.id`; empty: no name).
    fn lane(self: Arc<Self>, purpose: Purpose, client_id: &str) -> Arc<dyn Lane>;

    /// Replaces the known addresses of the cluster's brokers. A transport that needs no addresses (in process) does nothing.
    fn learn(&self, brokers: &[BrokerAddress]);

    /// Resolves when the transport is closed for good, for callers that wait without a request. Never resolves for one that is never
    /// closed.
    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(std::future::pending())
    }
}

/// Sends typed Kafka requests and returns their typed responses.
///
/// In process the future does the whole work when it is polled, in the thread that polls it, and a produce completes in its first
/// poll. Over a network it is polled by the runtime. Dropping the future gives the answer up; the request may have been carried out.
///
/// Any number of calls may be in flight. Implementations are polled inside the tokio runtime that the client was given.
pub trait Lane: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` to `node` and waits for its response.
    fn call(&self, node: Node, request: Request) -> CallFuture<'_>;

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
