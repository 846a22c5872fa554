//! The transport of a client to a cluster.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashMap;
use headwater_client::{
    BrokerAddress, BrokerMetrics, ClientConfig, ClosedFuture, Error, ErrorKind, Lane, Purpose,
    Result, Transport, TransportError,
};
use headwater_env::forks;
use headwater_protocol::{ErrorCode, Response};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::address::Address;
use crate::brokers::Brokers;
use crate::config::ConnectionConfig;
use crate::error::ConnectionError;
use crate::lane::TcpLane;
use crate::meter::BrokerMeter;
use crate::recovery::{Attempt, Recovery};
use crate::slot;

/// Reaches the brokers of a cluster over TCP.
///
/// Opens no connection before the first call. Calls must be polled inside a tokio runtime with time.
pub struct TcpTransport {
    brokers: Brokers,
    recovery: Recovery,
    config: Arc<ConnectionConfig>,
    runtime: Handle,
    /// The meters by address. They stay when an address is no longer used.
    meters: Mutex<HashMap<Address, Arc<BrokerMeter>>>,
    lanes: Mutex<Vec<Weak<TcpLane>>>,
    closed: AtomicBool,
    /// Wakes callers that wait for the close.
    closing: Notify,
    /// The number of forks when this transport was created, to detect a child process.
    forks: u32,
}

impl TcpTransport {
    /// A transport that calls one of `bootstrap` first, and then the brokers from metadata.
    ///
    /// Connections run in tasks of `runtime`, which must have I/O and time. Fails with [`ErrorKind::Config`] if
    /// `bootstrap` is empty.
    pub fn new(
        bootstrap: Vec<Address>,
        config: ConnectionConfig,
        runtime: Handle,
    ) -> Result<Arc<Self>> {
        if bootstrap.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "bootstrap.servers is empty: set at least one HOST:PORT of a broker.",
            ));
        }
        Ok(Arc::new(Self {
            brokers: Brokers::new(bootstrap, config.metadata_recovery),
            recovery: Recovery::new(config.metadata_recovery),
            config: Arc::new(config),
            runtime,
            meters: Mutex::default(),
            lanes: Mutex::default(),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            forks: forks(),
        }))
    }

    pub(crate) fn brokers(&self) -> &Brokers {
        &self.brokers
    }

    pub(crate) fn config(&self) -> &Arc<ConnectionConfig> {
        &self.config
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn meter(&self, address: &Address) -> Arc<BrokerMeter> {
        let mut meters = self.meters.lock();
        let meter = meters.entry(address.clone());
        Arc::clone(meter.or_insert_with(|| Arc::new(BrokerMeter::new())))
    }

    /// Begins a metadata request, which has `timeout`. First returns to the bootstrap addresses if earlier ones have
    /// failed for too long.
    pub(crate) fn begin_metadata_request(&self, timeout: Duration) -> Attempt<'_> {
        if self.recovery.is_due(Instant::now()) {
            tracing::info!(
                "metadata requests have failed for metadata.recovery.rebootstrap.trigger.ms"
            );
            self.rebootstrap();
        }
        self.recovery.attempt(timeout)
    }

    /// Ends a metadata request. Returns to the bootstrap addresses if the broker requires it.
    pub(crate) fn end_metadata_request(
        &self,
        attempt: Attempt<'_>,
        response: &Result<Response, TransportError>,
    ) {
        let Ok(Response::Metadata(metadata)) = response else {
            return attempt.failed();
        };
        let code = ErrorCode::from_code(metadata.error_code);
        if metadata.brokers.is_empty() {
            attempt.failed();
        } else {
            attempt.answered();
        }
        if code == ErrorCode::RebootstrapRequired && self.recovery.uses_bootstrap_again() {
            self.rebootstrap();
        }
    }

    /// Starts again from the bootstrap addresses: drops the others, and all connections.
    fn rebootstrap(&self) {
        tracing::info!(bootstrap = %self.brokers.bootstrap_list(), "the client starts again from its bootstrap addresses");
        self.brokers.forget();
        let bootstrap = self.brokers.candidates();
        for lane in self.lanes.lock().iter().filter_map(Weak::upgrade) {
            lane.disconnect();
            lane.retain(&bootstrap);
        }
    }

    /// The bootstrap addresses, separated by commas.
    pub fn bootstrap_list(&self) -> String {
        self.brokers.bootstrap_list()
    }

    /// Closes all connections; later calls fail with [`ErrorKind::Closed`]. Idempotent.
    pub fn close(&self) {
        if self.is_inherited() || self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        for lane in self
            .lanes
            .lock()
            .drain(..)
            .filter_map(|lane| lane.upgrade())
        {
            lane.close();
        }
        self.closing.notify_waiters();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether this process is a child of the one that created the transport. Its connections belong to the parent.
    pub fn is_inherited(&self) -> bool {
        self.forks != forks()
    }

    /// Fails if it is closed, or was created by a parent of this process.
    pub fn check_open(&self) -> Result<()> {
        self.check().map_err(|error| {
            let kind = if self.is_inherited() {
                ErrorKind::Fork
            } else {
                ErrorKind::Closed
            };
            Error::new(kind, format!("{error}."))
        })
    }

    pub(crate) fn check(&self) -> Result<(), ConnectionError> {
        if self.is_inherited() {
            return Err(ConnectionError::closed(
                "The client was connected before a fork and cannot be used in the child: connect in the child",
            ));
        }
        if self.is_closed() {
            return Err(slot::closed());
        }
        Ok(())
    }
}

impl Transport for TcpTransport {
    fn lane(self: Arc<Self>, purpose: Purpose, config: &ClientConfig) -> Arc<dyn Lane> {
        let lane = Arc::new(TcpLane::new(Arc::clone(&self), purpose, config));
        let mut lanes = self.lanes.lock();
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(&lane));
        lane
    }

    fn learn(&self, brokers: &[BrokerAddress]) {
        self.brokers.learn(brokers);
        let known = self.brokers.candidates();
        for lane in self.lanes.lock().iter().filter_map(Weak::upgrade) {
            lane.retain(&known);
        }
    }

    fn bootstrap_servers(&self) -> Option<String> {
        Some(self.bootstrap_list())
    }

    fn broker_metrics(&self) -> Vec<BrokerMetrics> {
        let meters = self.meters.lock();
        let brokers = meters.iter().map(|(address, meter)| {
            meter.snapshot(address.to_string(), self.brokers.id_of(address))
        });
        let mut brokers: Vec<_> = brokers.collect();
        brokers.sort_by(|one, other| (one.id, &one.address).cmp(&(other.id, &other.address)));
        brokers
    }

    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(async move {
            let mut closing = pin!(self.closing.notified());
            // Register before the check, so that a close in between is not missed.
            closing.as_mut().enable();
            if !self.is_closed() {
                closing.await;
            }
        })
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport")
            .field("bootstrap", &self.brokers.bootstrap_list())
            .field("security_protocol", &self.config.security_protocol)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
