//! The connection of one lane to one broker: opened on demand, and again after a loss.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use headwater_client::TransportError;
use headwater_protocol::Request;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::config::ConnectionConfig;
use crate::connect::connect;
use crate::connection::{Connection, ConnectionOptions, Exchange};
use crate::error::ConnectionError;

/// An attempt to open a connection. All callers wait for the same one. It continues when they stop waiting.
type Opening = Shared<BoxFuture<'static, Result<Arc<Connection>, ConnectionError>>>;

/// The connection to one address. May be used concurrently.
pub(crate) struct Slot {
    config: Arc<ConnectionConfig>,
    options: ConnectionOptions,
    runtime: Handle,
    /// Orders the callers: they write in the order in which they began to wait.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Arc<Connection>>,
    opening: Option<Opening>,
    /// Aborts the running attempt.
    abort: Option<AbortHandle>,
    /// The number of failed attempts and lost connections since the last usable connection.
    failures: u32,
    /// The end of the backoff.
    retry_at: Option<Instant>,
    is_closed: bool,
}

impl Slot {
    /// Connections run in tasks of `runtime`.
    pub(crate) fn new(
        config: Arc<ConnectionConfig>,
        options: ConnectionOptions,
        runtime: Handle,
    ) -> Arc<Self> {
        Arc::new(Self {
            config,
            options,
            runtime,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        })
    }

    /// Writes a request to the open connection; opens one if there is none. Requests are written in the order in which
    /// these futures are first polled.
    pub(crate) async fn begin(self: &Arc<Self>, request: Request) -> Result<Exchange, BeginError> {
        let _turn = self.turn.lock().await;
        let connection = self.connection().await.map_err(BeginError::Connect)?;
        connection.begin(request).map_err(BeginError::Call)
    }

    /// The open connection; opens one if there is none, after the backoff of an earlier failure.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, ConnectionError> {
        loop {
            let expired = match self.usable_or_expired()? {
                Usable::Open(connection) => return Ok(connection),
                Usable::Expired(connection) => connection,
                Usable::Opening(opening) => return opening.await,
            };
            // Requests must not overtake those on the old connection.
            expired.drained().await;
            self.retire(&expired);
        }
    }

    fn usable_or_expired(self: &Arc<Self>) -> Result<Usable, ConnectionError> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(closed());
        }
        if let Some(connection) = &state.open {
            if !connection.reserve() {
                let lost_at = connection.lost_at();
                state.open = None;
                if let Some(lost_at) = lost_at {
                    state.count_failure(&self.config, lost_at);
                }
            } else if connection.is_expired() {
                return Ok(Usable::Expired(Arc::clone(connection)));
            } else {
                return Ok(Usable::Open(Arc::clone(connection)));
            }
        }
        let opening = if let Some(opening) = &state.opening {
            opening.clone()
        } else {
            let (opening, abort) = self.start_opening(state.retry_at);
            state.opening = Some(opening.clone());
            state.abort = Some(abort);
            opening
        };
        Ok(Usable::Opening(opening))
    }

    fn start_opening(self: &Arc<Self>, not_before: Option<Instant>) -> (Opening, AbortHandle) {
        let slot = Arc::clone(self);
        let task = self.runtime.spawn(async move {
            if let Some(not_before) = not_before {
                tokio::time::sleep_until(not_before).await;
            }
            let client_id = slot.options.client_id.as_ref();
            let ready = connect(&slot.options.address, &slot.config, client_id).await;
            let opened = ready.map(|ready| Connection::start(ready, slot.options.clone()));
            slot.finish_opening(opened)
        });
        let (slot, abort) = (Arc::clone(self), task.abort_handle());
        let opened = async move {
            task.await.unwrap_or_else(|error| {
                let error = if error.is_panic() {
                    ConnectionError::unreachable(
                        "Connecting ended with a panic: please report this",
                    )
                } else {
                    // It was aborted, or the runtime shut down.
                    closed()
                };
                slot.finish_opening(Err(error))
            })
        };
        (opened.boxed().shared(), abort)
    }

    fn finish_opening(
        &self,
        opened: Result<Arc<Connection>, ConnectionError>,
    ) -> Result<Arc<Connection>, ConnectionError> {
        let mut state = self.state.lock();
        state.opening = None;
        match &opened {
            Ok(connection) if state.is_closed => {
                connection.lose(&closed());
                return Err(closed());
            }
            Ok(connection) => {
                state.failures = 0;
                state.retry_at = None;
                state.open = Some(Arc::clone(connection));
            }
            Err(_) => {
                if !state.is_closed {
                    self.options.meter.count_failed();
                }
                state.count_failure(&self.config, Instant::now());
            }
        }
        opened
    }

    /// Drops a connection whose authentication is about to expire, so that the next call opens another.
    fn retire(&self, expired: &Arc<Connection>) {
        let mut state = self.state.lock();
        if state
            .open
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(open, expired))
        {
            state.open = None;
        }
        drop(state);
        expired.lose(&ConnectionError::unreachable(
            "The authentication of the connection ended: try again",
        ));
    }

    /// Ends the connection, as if it was lost.
    pub(crate) fn disconnect(&self) {
        let mut state = self.state.lock();
        let Some(open) = state.open.take() else {
            return;
        };
        state.count_failure(&self.config, Instant::now());
        drop(state);
        open.lose(&ConnectionError::unreachable(
            "The client starts again from its bootstrap addresses: try again",
        ));
    }

    /// Closes the connection for good.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        // The attempt holds a reference to this slot.
        state.opening = None;
        let open = state.open.take();
        let abort = state.abort.take();
        drop(state);
        if let Some(abort) = abort {
            abort.abort();
        }
        if let Some(connection) = open {
            connection.lose(&closed());
        }
    }

    /// Whether a connection is open.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.state.lock();
        state
            .open
            .as_ref()
            .is_some_and(|connection| connection.is_open())
    }

    /// Whether the last attempt to open it failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.state.lock().failures > 0
    }

    /// Whether no connection is open or being opened.
    pub(crate) fn is_unused(&self) -> bool {
        let state = self.state.lock();
        state.open.is_none() && state.opening.is_none()
    }
}

/// Why a request was not written.
pub(crate) enum BeginError {
    /// There is no connection.
    Connect(ConnectionError),
    /// The connection refused it.
    Call(TransportError),
}

enum Usable {
    Open(Arc<Connection>),
    Expired(Arc<Connection>),
    Opening(Opening),
}

impl State {
    /// Counts a failed attempt, or the loss of a connection, at `at`.
    fn count_failure(&mut self, config: &ConnectionConfig, at: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(at + config.reconnect.jittered_pause(self.failures));
    }
}

/// The error of calls after the transport was closed.
pub(crate) fn closed() -> ConnectionError {
    ConnectionError::closed("The client is closed: connect again")
}
