//! One opening of an engine. The engine closes with the last of its handles.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use headwater_broker::{DeletionCounts, OpenReport, RequestContext};
use headwater_client::{
    BrokerAddress, CallFuture, ClientConfig, ClosedFuture, Error, ErrorKind, Lane, Node, Purpose,
    Result, Transport, TransportError, TransportErrorKind,
};
use headwater_env::Env;
use headwater_protocol::Request;
use headwater_server::{ServeOptions, Server};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::Host;
use crate::in_process::{InProcess, context};
use crate::serve;

/// The transport of everything created from one `open()`. It closes explicitly, or when it is dropped with all its
/// users.
pub(crate) struct Handle<E: Env> {
    engine: Arc<InProcess<E>>,
    closed: AtomicBool,
    /// Wakes callers that wait for it to close.
    closing: Notify,
    /// Its listening servers. Locked while one starts and while all stop.
    servers: Mutex<Vec<Weak<Server>>>,
}

impl<E: Env> Handle<E> {
    /// One more handle on `engine`; `None` if it has closed.
    pub(crate) fn attach(engine: &Arc<InProcess<E>>) -> Option<Arc<Self>> {
        engine.attach().then(|| {
            Arc::new(Self {
                engine: Arc::clone(engine),
                closed: AtomicBool::new(false),
                closing: Notify::new(),
                servers: Mutex::default(),
            })
        })
    }

    fn ask<'a>(&'a self, context: &'a RequestContext, request: Request) -> CallFuture<'a> {
        Box::pin(async move {
            self.admit(&request)?;
            Ok(self.engine.handle(context, request).await)
        })
    }

    /// Whether a request may be sent.
    fn admit(&self, request: &Request) -> Result<(), TransportError> {
        let checked = self
            .check()
            .and_then(|()| self.engine.check_directory(request));
        checked.map_err(|error| refused(&error))
    }
}

fn refused(error: &Error) -> TransportError {
    TransportError {
        reason: error.message().to_owned(),
        sent: false,
        kind: TransportErrorKind::Closed,
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "The engine is closed: open it again.")
}

impl<E: Env> Transport for Handle<E> {
    /// All purposes share one lane: a waiting request does not delay others.
    fn lane(self: Arc<Self>, _: Purpose, config: &ClientConfig) -> Arc<dyn Lane> {
        let client_id = &*config.client_id;
        if client_id
            == self
                .engine
                .context()
                .client_id
                .as_deref()
                .unwrap_or_default()
        {
            return self;
        }
        Arc::new(NamedLane {
            handle: self,
            context: context(client_id),
        })
    }

    /// The only broker is in this process.
    fn learn(&self, _: &[BrokerAddress]) {}

    fn applies_changes_late(&self) -> bool {
        false
    }

    fn closed(&self) -> ClosedFuture<'_> {
        Box::pin(async move {
            let mut closing = pin!(self.closing.notified());
            // Register before the check, so that a close in between is not missed.
            closing.as_mut().enable();
            if !self.closed.load(Ordering::Acquire) {
                closing.await;
            }
        })
    }
}

impl<E: Env> Lane for Handle<E> {
    fn call(&self, _: Node, request: Request) -> CallFuture<'_> {
        self.ask(self.engine.context(), request)
    }
}

/// The lane of a producer or a consumer with its own `client.id`.
#[derive(Debug)]
struct NamedLane<E: Env> {
    handle: Arc<Handle<E>>,
    context: RequestContext,
}

impl<E: Env> Lane for NamedLane<E> {
    fn call(&self, _: Node, request: Request) -> CallFuture<'_> {
        self.handle.ask(&self.context, request)
    }
}

impl<E: Env> Host for Handle<E> {
    fn runtime(&self) -> &tokio::runtime::Handle {
        self.engine.runtime()
    }

    fn report(&self) -> Option<&OpenReport> {
        Some(self.engine.report())
    }

    fn deletions(&self) -> Option<DeletionCounts> {
        Some(self.engine.broker().deletions())
    }

    fn serve(&self, options: ServeOptions) -> Result<Arc<Server>> {
        self.check()?;
        let mut servers = self.servers.lock();
        self.check()?;
        self.engine.check_files()?;
        let server =
            Server::start(self.engine.broker().clone(), options).map_err(serve::refused)?;
        let server = Arc::new(server);
        servers.retain(|server| server.strong_count() > 0);
        servers.push(Arc::downgrade(&server));
        Ok(server)
    }

    fn close(&self) {
        if self.engine.is_inherited() {
            return;
        }
        // A second caller returns only when it is closed.
        let mut servers = self.servers.lock();
        if !self.closed.swap(true, Ordering::AcqRel) {
            for server in servers.drain(..).filter_map(|server| server.upgrade()) {
                server.shutdown();
            }
            self.closing.notify_waiters();
            self.engine.detach();
        }
    }

    fn check(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.engine.check()
    }
}

impl<E: Env> Drop for Handle<E> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<E: Env> fmt::Debug for Handle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("engine", &self.engine)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
