//! The interface between the client and the brokers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use headwater_protocol::{Request, Response};

use crate::config::ClientConfig;
use crate::metrics::BrokerMetrics;

/// The pending response of a [`Lane::call`].
pub type CallFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Resolves when a transport is closed for good.
pub type ClosedFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The destination of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// Any broker: metadata, coordinator lookup.
    Any,
    /// The broker with this id: the leader of a partition, a coordinator, the controller.
    Id(i32),
}

/// The purpose of a lane.
///
/// A Kafka broker answers the requests of a connection in order, so a long-polling Fetch or a `JoinGroup` delays every
/// request behind it. Requests of different purposes therefore use different lanes.
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

/// The address of a broker, from a response.
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
    /// A lane for requests of this purpose by a client with this configuration. The lane uses its `client.id` (may be
    /// empty) and its `request.timeout.ms`, after which it closes a connection whose broker does not answer.
    fn lane(self: Arc<Self>, purpose: Purpose, config: &ClientConfig) -> Arc<dyn Lane>;

    /// Replaces the addresses of the cluster's brokers. The in-process transport ignores them.
    fn learn(&self, brokers: &[BrokerAddress]);

    /// Whether a broker may not have a change of topics yet that the controller has acknowledged. An embedded engine
    /// always has it.
    fn applies_changes_late(&self) -> bool {
        true
    }

    /// The addresses that the client was given, with commas between them, for errors. `None` by default: an embedded
    /// engine has none.
    fn bootstrap_servers(&self) -> Option<String> {
        None
    }

    /// The metrics of each broker. Empty by default: an embedded engine has no connections.
    fn broker_metrics(&self) -> Vec<BrokerMetrics> {
        Vec::new()
    }

    /// Resolves when the transport is closed for good, for callers that wait without a request. By default never
    /// resolves.
    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(std::future::pending())
    }
}

/// Sends typed Kafka requests and returns their typed responses.
///
/// In process, polling the future executes the request in the polling thread, and a produce completes in the first
/// poll. Dropping the future drops the response; the request may have been executed.
///
/// Any number of calls may be in flight. A broker gets the requests of a lane in the order in which their futures are
/// first polled, as long as the connection to it lasts, so the batches of a producer keep their order. Implementations
/// are polled inside the client's tokio runtime.
///
/// Requests and responses have the shape of the newest version. A lane that encodes them negotiates the versions of
/// each connection with `ApiVersions`, and shapes each request for them with [`ShapedRequest`](crate::ShapedRequest).
pub trait Lane: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` to `node` and waits for its response.
    fn call(&self, node: Node, request: Request) -> CallFuture<'_>;
}

/// A request without a response. It may have been executed, unless `sent` is false.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    /// A sentence with the problem.
    pub reason: String,
    /// Whether the broker may have received the request.
    pub sent: bool,
    /// The kind of the failure.
    pub kind: TransportErrorKind,
}

/// The kind of failure of a request without a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// The broker is unreachable, or the connection was lost: another attempt may help.
    Unreachable,
    /// The broker supports no version that can carry the request, so the same call fails again.
    Unsupported,
    /// The peer is not a Kafka broker, or not a compatible one.
    Protocol,
    /// The broker refused the client's credentials, or could not prove its own identity.
    Authentication,
    /// The transport is closed for good, so that no later call can succeed.
    Closed,
}

impl TransportError {
    /// The broker does not support the request, which was not sent. `reason` has the required broker version.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            sent: false,
            kind: TransportErrorKind::Unsupported,
        }
    }
}
