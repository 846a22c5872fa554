//! The connections to a cluster, with the runtime that drives them.

use std::fmt;
use std::sync::Arc;

use headwater_broker::{DeletionCounts, OpenReport};
use headwater_client::{
    BrokerAddress, BrokerMetrics, ClientConfig, ClosedFuture, Error, ErrorKind, Lane, Purpose,
    Result, Transport,
};
use headwater_net::TcpTransport;
use headwater_server::ServeOptions;
use tokio::runtime::{Handle, Runtime};

use crate::engine::Host;

/// The transport of everything created from one `connect()`. It closes explicitly, or when it is dropped with all its
/// users.
pub(crate) struct ClusterHandle {
    transport: Arc<TcpTransport>,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl ClusterHandle {
    pub(crate) fn new(runtime: Runtime, transport: Arc<TcpTransport>) -> Arc<Self> {
        Arc::new(Self {
            transport,
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Transport for ClusterHandle {
    fn lane(self: Arc<Self>, purpose: Purpose, config: &ClientConfig) -> Arc<dyn Lane> {
        Arc::clone(&self.transport).lane(purpose, config)
    }

    fn learn(&self, brokers: &[BrokerAddress]) {
        self.transport.learn(brokers);
    }

    fn bootstrap_servers(&self) -> Option<String> {
        self.transport.bootstrap_servers()
    }

    fn broker_metrics(&self) -> Vec<BrokerMetrics> {
        self.transport.broker_metrics()
    }

    fn closed(&self) -> ClosedFuture<'_> {
        self.transport.closed()
    }
}

impl Host for ClusterHandle {
    fn runtime(&self) -> &Handle {
        &self.handle
    }

    fn report(&self) -> Option<&OpenReport> {
        None
    }

    fn deletions(&self) -> Option<DeletionCounts> {
        None
    }

    fn serve(&self, _: ServeOptions) -> Result<Arc<headwater_server::Server>> {
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "A connected client has no engine to serve: its clients connect to {} themselves. Open a directory to serve it.",
                self.transport.bootstrap_list()
            ),
        ))
    }

    fn close(&self) {
        self.transport.close();
    }

    fn check(&self) -> Result<()> {
        self.transport.check_open()
    }
}

impl Drop for ClusterHandle {
    fn drop(&mut self) {
        let runtime = self.runtime.take();
        if self.transport.is_inherited() {
            // Its threads belong to the parent.
            std::mem::forget(runtime);
            return;
        }
        self.transport.close();
        if let Some(runtime) = runtime {
            // The last handle may be dropped in a thread of this runtime, which must not wait for itself.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for ClusterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transport.fmt(f)
    }
}
