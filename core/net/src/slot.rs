//! The connection of one lane to one broker: opened on demand, and again after it was lost.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::backoff::reconnect_pause;
use crate::config::ConnectionConfig;
use crate::connect::connect;
use crate::connection::{Connection, ConnectionOptions};
use crate::error::ConnectionError;

/// An attempt to open a connection. All callers wait for the same one; it goes on when they stop waiting.
type Opening = Shared<BoxFuture<'static, Result<Arc<Connection>, ConnectionError>>>;

/// The connection to one address. May be used concurrently.
pub(crate) struct Slot {
    config: Arc<ConnectionConfig>,
    options: ConnectionOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Arc<Connection>>,
    opening: Option<Opening>,
    /// Failed attempts, and lost connections, since the last one that could be used.
    failures: u32,
    /// Not to be opened before.
    retry_at: Option<Instant>,
    is_closed: bool,
}

impl Slot {
    pub(crate) fn new(config: Arc<ConnectionConfig>, options: ConnectionOptions) -> Arc<Self> {
        Arc::new(Self {
            config,
            options,
            state: Mutex::default(),
        })
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
            if !connection.is_open() {
                let was_idle = connection.was_idle();
                state.open = None;
                if !was_idle {
                    state.count_failure(&self.config);
                }
            } else if connection.is_expired() {
                return Ok(Usable::Expired(Arc::clone(connection)));
            } else {
                return Ok(Usable::Open(Arc::clone(connection)));
            }
        }
        let opening = match &state.opening {
            Some(opening) => opening.clone(),
            None => {
                let opening = self.start_opening(state.retry_at);
                state.opening = Some(opening.clone());
                opening
            }
        };
        Ok(Usable::Opening(opening))
    }

    fn start_opening(self: &Arc<Self>, not_before: Option<Instant>) -> Opening {
        let slot = Arc::clone(self);
        let task = tokio::spawn(async move {
            if let Some(not_before) = not_before {
                tokio::time::sleep_until(not_before).await;
            }
            let client_id = slot.options.client_id.as_ref();
            let ready = connect(&slot.options.address, &slot.config, client_id).await;
            let opened = ready.map(|ready| Connection::start(ready, slot.options.clone()));
            slot.finish_opening(opened)
        });
        let slot = Arc::clone(self);
        let opened = async move {
            // It fails when the runtime shuts down.
            task.await
                .unwrap_or_else(|_| slot.finish_opening(Err(closed())))
        };
        opened.boxed().shared()
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
            Err(_) => state.count_failure(&self.config),
        }
        opened
    }

    /// Closes a connection whose authentication ends, so that the next call opens another one.
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
            "The authentication of the connection ended",
        ));
    }

    /// Closes the connection for good.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let open = state.open.take();
        drop(state);
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

    /// Whether the next attempt has to wait for the backoff.
    pub(crate) fn is_backing_off(&self) -> bool {
        let state = self.state.lock();
        state
            .retry_at
            .is_some_and(|retry_at| Instant::now() < retry_at)
    }
}

enum Usable {
    Open(Arc<Connection>),
    Expired(Arc<Connection>),
    Opening(Opening),
}

impl State {
    fn count_failure(&mut self, config: &ConnectionConfig) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + reconnect_pause(config, self.failures));
    }
}

/// The error of calls after the transport was closed.
pub(crate) fn closed() -> ConnectionError {
    ConnectionError::closed("The client is closed: connect again")
}
