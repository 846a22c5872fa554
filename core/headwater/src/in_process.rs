//! The transport to a broker in the same process: a function call.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use headwater_broker::{Broker, OpenReport, RequestContext};
use headwater_client::{
    CallFuture, ClosedFuture, Error, ErrorKind, Node, Result, Transport, TransportError,
};
use headwater_env::Env;
use headwater_protocol::Request;
use headwater_record::{ByteSource, PartitionId};
use headwater_server::{ServeOptions, Server};
use parking_lot::Mutex;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Notify;

use crate::engine::Host;
use crate::registry::{self, Place};
use crate::serve;

/// A broker, and the runtime that its waiting requests and its housekeeping need. Everything made from an engine holds one.
pub(crate) struct InProcess<E: Env> {
    broker: Broker<E>,
    context: RequestContext,
    report: OpenReport,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    place: Option<Place>,
    closed: AtomicBool,
    /// Wakes callers that wait for it to close.
    ended: Notify,
    /// Those that listen for it; held while one starts and while all stop.
    servers: Mutex<Vec<Weak<Server>>>,
}

impl<E: Env> InProcess<E> {
    pub(crate) fn new(
        broker: Broker<E>,
        report: OpenReport,
        runtime: Runtime,
        client_id: &str,
        place: Option<Place>,
    ) -> Self {
        let client_id = (!client_id.is_empty()).then(|| Arc::from(client_id));
        Self {
            broker,
            context: RequestContext {
                client_id,
                // Its batches come from our own builder.
                bytes: ByteSource::Builder,
                ..RequestContext::default()
            },
            report,
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
            place,
            closed: AtomicBool::new(false),
            ended: Notify::new(),
            servers: Mutex::default(),
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.handle
    }
}

impl<E: Env> Transport for InProcess<E> {
    fn call(&self, _: Node, request: Request) -> CallFuture<'_> {
        Box::pin(async move {
            if self.is_closed() {
                return Err(TransportError {
                    reason: "The engine is closed: open it again".to_owned(),
                    sent: false,
                    closed: true,
                });
            }
            Ok(self.broker.handle(&self.context, request).await)
        })
    }

    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(async move {
            let mut ended = pin!(self.ended.notified());
            // Before looking: a close in between is not missed.
            ended.as_mut().enable();
            if !self.is_closed() {
                ended.await;
            }
        })
    }

    fn write_position(&self, topic: &str, partition: PartitionId) -> Option<u64> {
        self.broker.write_position(topic, partition)
    }
}

impl<E: Env> Host for InProcess<E> {
    fn report(&self) -> &OpenReport {
        &self.report
    }

    fn serve(&self, options: ServeOptions) -> Result<Arc<Server>> {
        let mut servers = self.servers.lock();
        if self.is_closed() {
            let message = "The engine is closed: open it again, then serve it.";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let server = Server::start(self.broker.clone(), options).map_err(serve::refused)?;
        let server = Arc::new(server);
        servers.retain(|server| server.strong_count() > 0);
        servers.push(Arc::downgrade(&server));
        Ok(server)
    }

    fn close(&self) {
        // Whoever comes second returns when it is closed, not before.
        let mut servers = self.servers.lock();
        if !self.closed.swap(true, Ordering::AcqRel) {
            self.ended.notify_waiters();
            for server in servers.drain(..).filter_map(|server| server.upgrade()) {
                server.shutdown();
            }
            if let Err(error) = self.broker.close() {
                tracing::warn!(%error, "the next open checks the logs");
            }
            if let Some(place) = &self.place {
                registry::closed(place);
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl<E: Env> Drop for InProcess<E> {
    fn drop(&mut self) {
        self.close();
        if let Some(runtime) = self.runtime.take() {
            // The last handle may go in a thread of this very runtime, which must not wait for itself.
            runtime.shutdown_background();
        }
    }
}

impl<E: Env> fmt::Debug for InProcess<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("place", &self.place)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
