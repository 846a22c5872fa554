//! A broker in this process, with the runtime of its waiting requests and its housekeeping.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_broker::{Broker, OpenReport, RequestContext};
use headwater_client::{Error, ErrorKind, Result};
use headwater_env::{Env, forks};
use headwater_protocol::{Request, Response};
use headwater_record::ByteSource;
use parking_lot::Mutex;
use tokio::runtime::{Handle, Runtime};

use crate::registry::{self, DirectoryPath};

/// An open engine, shared by its handles. It closes with the last handle.
pub(crate) struct InProcess<E: Env> {
    broker: Broker<E>,
    context: RequestContext,
    report: OpenReport,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    place: Option<DirectoryPath>,
    /// The number of handles.
    handles: Mutex<usize>,
    closed: AtomicBool,
    /// The process that opened it.
    forks: u32,
}

/// The context of requests of a client with this name.
pub(crate) fn context(client_id: &str) -> RequestContext {
    RequestContext {
        client_id: (!client_id.is_empty()).then(|| Arc::from(client_id)),
        // Its batches come from our own builder.
        bytes: ByteSource::Builder,
        ..RequestContext::default()
    }
}

impl<E: Env> InProcess<E> {
    pub(crate) fn new(
        broker: Broker<E>,
        report: OpenReport,
        runtime: Runtime,
        client_id: &str,
        place: Option<DirectoryPath>,
    ) -> Self {
        Self {
            broker,
            context: context(client_id),
            report,
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
            place,
            handles: Mutex::default(),
            closed: AtomicBool::new(false),
            forks: forks(),
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn broker(&self) -> &Broker<E> {
        &self.broker
    }

    /// The report of opening the directory.
    pub(crate) fn report(&self) -> &OpenReport {
        &self.report
    }

    /// The context of requests of the client that opened it.
    pub(crate) fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Handles one request.
    pub(crate) async fn handle(&self, context: &RequestContext, request: Request) -> Response {
        self.broker.handle(context, request).await
    }

    /// Adds a handle, unless the engine is closed.
    pub(crate) fn attach(&self) -> bool {
        let mut handles = self.handles.lock();
        let is_open = self.check().is_ok();
        *handles += usize::from(is_open);
        is_open
    }

    /// Removes a handle, and closes the engine with the last one.
    pub(crate) fn detach(&self) {
        let mut handles = self.handles.lock();
        *handles -= 1;
        let is_last = *handles == 0;
        // From here on no handle can be added.
        let closes = is_last && !self.closed.swap(true, Ordering::AcqRel);
        drop(handles);
        if closes {
            self.shut();
        }
    }

    /// Closes the engine, even if it has handles.
    pub(crate) fn close(&self) {
        if !self.is_inherited() && !self.closed.swap(true, Ordering::AcqRel) {
            self.shut();
        }
    }

    fn shut(&self) {
        if let Err(error) = self.broker.close() {
            tracing::warn!(%error, "the next open checks the logs");
        }
        if let Some(place) = &self.place {
            registry::closed(place);
        }
    }

    /// Whether the engine has closed or is closing.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether this process is a child of the one that opened it.
    pub(crate) fn is_inherited(&self) -> bool {
        self.forks != forks()
    }

    /// Fails if the engine cannot handle requests.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_inherited() {
            return Err(forked());
        }
        self.broker.check_lost().map_err(lost)?;
        if self.is_closed() {
            let message = "The engine is closed: open it again.";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        Ok(())
    }

    /// Fails if the directory was removed or replaced.
    pub(crate) fn check_directory(&self, request: &Request) -> Result<()> {
        let checked = match request {
            Request::Produce(_) => self.broker.check_directory_if_due(),
            _ => self.broker.check_directory(),
        };
        checked.map_err(lost)
    }

    /// Fails if the directory was removed, replaced or emptied.
    pub(crate) fn check_files(&self) -> Result<()> {
        self.broker.check_files().map_err(lost)
    }
}

fn lost(error: headwater_broker::DirectoryLost) -> Error {
    let message = error.to_string().replacen("the data", "The data", 1);
    Error::new(ErrorKind::Storage, format!("{message}."))
        .caused_by(error)
        .retriable(false)
}

fn forked() -> Error {
    Error::new(
        ErrorKind::Fork,
        "The engine was opened before a fork and cannot be used in the child: open it in the child.",
    )
}

impl<E: Env> Drop for InProcess<E> {
    fn drop(&mut self) {
        let runtime = self.runtime.take();
        if self.is_inherited() {
            // Its threads belong to the parent.
            std::mem::forget(runtime);
            return;
        }
        self.close();
        if let Some(runtime) = runtime {
            // The last handle may be dropped in a thread of this runtime, which must not wait for itself.
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
