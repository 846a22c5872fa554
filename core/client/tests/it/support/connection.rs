//! Connections: a broker executes the produce requests of a connection in the order of their arrival, and answers in
//! that order.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use headwater_client::{CallFuture, Lane, Node, TransportError};
use headwater_protocol::{Request, Response};

use super::{FIRST, FakeCluster, lost};

/// The connections for one purpose of one client.
#[derive(Debug)]
pub(super) struct FakeLane {
    cluster: Arc<FakeCluster>,
    connections: Mutex<HashMap<i32, Arc<Connection>>>,
}

/// A connection to one node.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// The number of unanswered produce requests.
    pub(super) in_flight: AtomicUsize,
    /// Held while a request is executed.
    pub(super) requests: tokio::sync::Mutex<()>,
    /// Held while an answer is in transit. Locked before `requests` is released.
    pub(super) answers: tokio::sync::Mutex<()>,
}

impl FakeLane {
    pub(super) fn new(cluster: Arc<FakeCluster>) -> Self {
        Self {
            cluster,
            connections: Mutex::default(),
        }
    }

    fn connection(&self, node: i32) -> Arc<Connection> {
        let mut connections = self.connections.lock().unwrap();
        Arc::clone(connections.entry(node).or_default())
    }

    async fn answer(&self, node: i32, request: Request) -> Result<Response, TransportError> {
        let cluster = &self.cluster;
        if cluster.is_away() || cluster.state().dead_nodes.contains(&node) {
            return Err(lost(false));
        }
        let connection = self.connection(node);
        cluster.call_as_bytes(node, request, &connection).await
    }
}

impl Lane for FakeLane {
    fn call(&self, node: Node, request: Request) -> CallFuture<'_> {
        let node = match node {
            Node::Any => FIRST,
            Node::Id(id) if self.cluster.has_address(id) => id,
            Node::Id(_) => return Box::pin(std::future::ready(Err(lost(false)))),
        };
        Box::pin(self.answer(node, request))
    }
}
