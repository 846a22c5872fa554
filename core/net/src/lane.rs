//! A lane: connections of its own to the brokers that it calls.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use headwater_client::{CallFuture, Lane, Node, Purpose, TransportError};
use headwater_protocol::Request;
use headwater_protocol::codec::Str;
use parking_lot::Mutex;

use crate::address::Address;
use crate::brokers::Candidates;
use crate::connection::{Connection, ConnectionOptions};
use crate::error::{ConnectionError, ConnectionErrorKind};
use crate::slot::{self, Slot};
use crate::transport::TcpTransport;

/// The connections for one purpose of one client.
pub(crate) struct TcpLane {
    transport: Arc<TcpTransport>,
    purpose: Purpose,
    client_id: Option<Str>,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_address: HashMap<Address, Arc<Slot>>,
    is_closed: bool,
}

impl TcpLane {
    pub(crate) fn new(transport: Arc<TcpTransport>, purpose: Purpose, client_id: &str) -> Self {
        Self {
            transport,
            purpose,
            client_id: (!client_id.is_empty()).then(|| client_id.into()),
            slots: Mutex::default(),
        }
    }

    /// An open connection to `node`.
    async fn connection(&self, node: Node) -> Result<Arc<Connection>, ConnectionError> {
        match node {
            Node::Any => self.any_connection().await,
            Node::Id(id) => {
                let address = self.transport.brokers().address(id)?;
                let opened = self.slot(&address)?.connection().await;
                opened.map_err(|error| self.name_advertised(id, &address, &error))
            }
        }
    }

    /// A connection to any broker: an open one, else the first that can be opened.
    async fn any_connection(&self) -> Result<Arc<Connection>, ConnectionError> {
        let candidates = self.transport.brokers().candidates();
        let mut failures = Failures::default();
        for address in self.in_order_of_readiness(candidates)? {
            match self.slot(&address)?.connection().await {
                Ok(connection) => return Ok(connection),
                Err(error) if error.kind == ConnectionErrorKind::Closed => return Err(error),
                Err(error) => failures.add(&address, error),
            }
        }
        Err(failures.into_error())
    }

    /// Open ones first, those that failed a moment ago last.
    fn in_order_of_readiness(
        &self,
        candidates: Candidates,
    ) -> Result<Vec<Address>, ConnectionError> {
        let mut ranked = Vec::with_capacity(candidates.len());
        for address in candidates {
            let slot = self.slot(&address)?;
            let rank = match (slot.is_open(), slot.is_backing_off()) {
                (true, _) => 0,
                (false, false) => 1,
                (false, true) => 2,
            };
            ranked.push((rank, address));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        Ok(ranked.into_iter().map(|(_, address)| address).collect())
    }

    fn slot(&self, address: &Address) -> Result<Arc<Slot>, ConnectionError> {
        self.transport.check()?;
        let mut slots = self.slots.lock();
        if slots.is_closed {
            return Err(slot::closed());
        }
        if let Some(slot) = slots.by_address.get(address) {
            return Ok(Arc::clone(slot));
        }
        let options = ConnectionOptions {
            address: address.clone(),
            is_authenticated: self.transport.config().credentials.is_some(),
            client_id: self.client_id.clone(),
            request_timeout: self.transport.request_timeout(),
            max_idle: self.transport.config().max_idle,
        };
        let slot = Slot::new(Arc::clone(self.transport.config()), options);
        slots.by_address.insert(address.clone(), Arc::clone(&slot));
        Ok(slot)
    }

    /// Says where an address comes from that nobody typed: the most common trouble with Kafka is an advertised listener that clients cannot
    /// reach.
    fn name_advertised(
        &self,
        id: i32,
        address: &Address,
        error: &ConnectionError,
    ) -> ConnectionError {
        let brokers = self.transport.brokers();
        if error.kind == ConnectionErrorKind::Closed || brokers.is_bootstrap(address) {
            return error.with_message(format!("{address}: {error}"));
        }
        error.with_message(format!(
            "Broker {id} advertises {address}, which this client cannot use, although it reached the cluster through {}: {error}. If the \
             address is wrong, correct advertised.listeners of the broker",
            brokers.bootstrap_list()
        ))
    }

    /// Closes all connections for good. Does nothing in a child of the process that opened them: they are the parent's.
    pub(crate) fn close(&self) {
        if self.transport.is_inherited() {
            return;
        }
        let mut slots = self.slots.lock();
        slots.is_closed = true;
        let open = std::mem::take(&mut slots.by_address);
        drop(slots);
        for slot in open.values() {
            slot.close();
        }
    }
}

impl Lane for TcpLane {
    fn call(&self, node: Node, request: Request) -> CallFuture<'_> {
        Box::pin(async move {
            let connection = self.connection(node).await;
            let connection = connection.map_err(|error| error.of_request(false))?;
            let called = connection.call(request).await;
            called.map_err(|error| TransportError {
                reason: format!("{}: {}", connection.address(), error.reason),
                ..error
            })
        })
    }
}

impl Drop for TcpLane {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for TcpLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpLane")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

/// Why no broker could be reached.
#[derive(Default)]
struct Failures(Vec<(Address, ConnectionError)>);

impl Failures {
    fn add(&mut self, address: &Address, error: ConnectionError) {
        self.0.push((address.clone(), error));
    }

    fn into_error(self) -> ConnectionError {
        let of_kind = |kind| self.0.iter().find(|(_, error)| error.kind == kind);
        // What trying again does not mend counts more than a broker that is down.
        let first = of_kind(ConnectionErrorKind::Authentication)
            .or_else(|| of_kind(ConnectionErrorKind::Protocol))
            .or(self.0.first());
        let Some((_, first)) = first else {
            return ConnectionError::unreachable("No broker is known");
        };
        let each = self
            .0
            .iter()
            .map(|(address, error)| format!("{address}: {error}"));
        let all: Vec<String> = each.collect();
        first.with_message(all.join(". "))
    }
}
