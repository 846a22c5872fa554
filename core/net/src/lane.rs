//! A lane: one client's connections for one purpose.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use headwater_client::{CallFuture, ClientConfig, Lane, Node, Purpose, TransportError};
use headwater_protocol::codec::Str;
use headwater_protocol::{Request, Response};
use parking_lot::Mutex;

use crate::address::Address;
use crate::connection::{Connection, ConnectionOptions, Exchange};
use crate::error::{ConnectionError, ConnectionErrorKind};
use crate::race::race;
use crate::slot::{self, BeginError, Slot};
use crate::transport::TcpTransport;

/// The time between the starts of two attempts to reach any broker.
const STAGGER: Duration = Duration::from_secs(1);

/// The connections for one purpose of one client.
pub(crate) struct TcpLane {
    transport: Arc<TcpTransport>,
    purpose: Purpose,
    client_id: Option<Str>,
    request_timeout: Duration,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_address: HashMap<Address, Arc<Slot>>,
    is_closed: bool,
}

impl TcpLane {
    pub(crate) fn new(
        transport: Arc<TcpTransport>,
        purpose: Purpose,
        config: &ClientConfig,
    ) -> Self {
        let client_id = &*config.client_id;
        Self {
            transport,
            purpose,
            client_id: (!client_id.is_empty()).then(|| client_id.into()),
            request_timeout: config.request_timeout,
            slots: Mutex::default(),
        }
    }

    /// Sends a request and waits for its response.
    async fn exchange(&self, node: Node, request: Request) -> Result<Response, TransportError> {
        let exchange = match node {
            Node::Any => self.begin_anywhere(request).await?,
            Node::Id(id) => self.begin_at(id, request).await?,
        };
        let address = exchange.address().clone();
        let response = exchange.response().await;
        response.map_err(|error| at_address(&address, error))
    }

    /// Writes a request to the broker with this id.
    async fn begin_at(&self, id: i32, request: Request) -> Result<Exchange, TransportError> {
        let slot = self.transport.check().and_then(|()| {
            let address = self.transport.brokers().address(id)?;
            Ok((self.slot(&address)?, address))
        });
        let (slot, address) = slot.map_err(|error| error.of_request(false))?;
        slot.begin(request).await.map_err(|error| match error {
            BeginError::Connect(error) => {
                self.name_advertised(id, &address, &error).of_request(false)
            }
            BeginError::Call(error) => at_address(&address, error),
        })
    }

    /// Writes a request to any broker.
    async fn begin_anywhere(&self, request: Request) -> Result<Exchange, TransportError> {
        let connection = self
            .any_connection()
            .await
            .map_err(|error| error.of_request(false))?;
        connection
            .begin(request)
            .map_err(|error| at_address(connection.address(), error))
    }

    /// A connection to any broker: an open one, or the first that can be opened. A broker that does not answer delays
    /// the attempt at the next one only for a moment.
    async fn any_connection(&self) -> Result<Arc<Connection>, ConnectionError> {
        self.transport.check()?;
        let candidates = self.in_order_of_readiness(self.transport.brokers().candidates());
        let attempts = candidates.into_iter().map(|address| async move {
            let opened = match self.slot(&address) {
                Ok(slot) => slot.connection().await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(connection) => Ok(Ok(connection)),
                // Other brokers would refuse the same credentials.
                Err(error) if error.is_final() => {
                    Ok(Err(error.with_message(format!("{address}: {error}"))))
                }
                Err(error) => Err((address, error)),
            }
        });
        match race(attempts, STAGGER).await {
            Ok(ended) => ended,
            Err(failures) => Err(all_failed(&failures)),
        }
    }

    /// Sorts addresses: open connections first, failed ones last.
    fn in_order_of_readiness(&self, mut candidates: Vec<Address>) -> Vec<Address> {
        let slots = self.slots.lock();
        candidates.sort_by_key(|address| match slots.by_address.get(address) {
            Some(slot) if slot.is_open() => 0,
            Some(slot) if slot.has_failed() => 2,
            _ => 1,
        });
        candidates
    }

    /// Drops the slots of addresses that are neither in `known` nor in use.
    pub(crate) fn retain(&self, known: &[Address]) {
        let mut slots = self.slots.lock();
        slots
            .by_address
            .retain(|address, slot| known.contains(address) || !slot.is_unused());
    }

    /// Ends all connections; later calls open others.
    pub(crate) fn disconnect(&self) {
        let slots = self.slots.lock();
        for slot in slots.by_address.values() {
            slot.disconnect();
        }
    }

    fn slot(&self, address: &Address) -> Result<Arc<Slot>, ConnectionError> {
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
            request_timeout: self.request_timeout,
            max_idle: self.transport.config().max_idle,
            meter: self.transport.meter(address),
        };
        let runtime = self.transport.runtime().clone();
        let slot = Slot::new(Arc::clone(self.transport.config()), options, runtime);
        slots.by_address.insert(address.clone(), Arc::clone(&slot));
        Ok(slot)
    }

    /// Explains the origin of an address that is not a bootstrap address: the most common problem with Kafka is an
    /// advertised listener that clients cannot reach.
    fn name_advertised(
        &self,
        id: i32,
        address: &Address,
        error: &ConnectionError,
    ) -> ConnectionError {
        let brokers = self.transport.brokers();
        let is_about_the_client = matches!(
            error.kind,
            ConnectionErrorKind::Closed
                | ConnectionErrorKind::NoToken
                | ConnectionErrorKind::StaleToken
        );
        if is_about_the_client || brokers.is_bootstrap(address) {
            return error.with_message(format!("{address}: {error}"));
        }
        error.with_message(format!(
            "Broker {id} advertises {address}, which this client cannot use, although it reached the cluster through {}: {error}. If the \
             address is wrong, correct advertised.listeners of the broker",
            brokers.bootstrap_list()
        ))
    }

    /// Closes all connections for good. Does nothing in a child of the process that opened them: they belong to the
    /// parent.
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
            if !matches!(request, Request::Metadata(_)) {
                return self.exchange(node, request).await;
            }
            let attempt = self.transport.begin_metadata_request(self.request_timeout);
            let response = self.exchange(node, request).await;
            self.transport.end_metadata_request(attempt, &response);
            response
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

/// Adds the address to an error.
fn at_address(address: &Address, mut error: TransportError) -> TransportError {
    error.reason = format!("{address}: {}", error.reason);
    error
}

/// The error of a call to any broker if none could be reached.
fn all_failed(failures: &[(Address, ConnectionError)]) -> ConnectionError {
    // A protocol error is more informative than a broker that is down.
    let of_kind = |kind| failures.iter().find(|(_, error)| error.kind == kind);
    let Some((_, first)) = of_kind(ConnectionErrorKind::Protocol).or(failures.first()) else {
        return ConnectionError::unreachable("The client has no broker addresses: connect again");
    };
    let each = failures
        .iter()
        .map(|(address, error)| format!("{address}: {error}"));
    first.with_message(each.collect::<Vec<_>>().join(". "))
}
