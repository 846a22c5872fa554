//! The embedded engine: a broker, a client on it, and the runtime of both.

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use headwater_broker::OpenReport;
use headwater_client::{Client, Result};
use tokio::runtime::Handle;

/// An open engine. Cloning is cheap and shares it; it closes cleanly when the last clone, and everything made from it, is dropped, or at
/// [`Engine::close`].
///
/// It is a [`Client`] by `Deref`: `engine.topic("flights")`.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    report: OpenReport,
}

/// Opens the directory `path`, or with `None` an engine in memory that is gone when it closes.
///
/// `config` takes the broker's keys and the client's, as Kafka writes them. The same path twice in one process is the same engine; a
/// second process gets [`headwater_client::ErrorKind::Locked`] with the first one's pid.
pub fn open<K: AsRef<str>, V: AsRef<str>>(path: Option<&Path>, config: impl IntoIterator<Item = (K, V)>) -> Result<Engine> {
    let _ = (path, config.into_iter().count());
    todo!()
}

impl Engine {
    /// The client of this engine.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The runtime: wait for any future of the client with `engine.runtime().block_on(..)`.
    pub fn runtime(&self) -> &Handle {
        self.inner.client.runtime()
    }

    /// What opening found: partitions, what recovery cut.
    pub fn report(&self) -> &OpenReport {
        &self.inner.report
    }

    /// Flushes and closes the engine for all its clones; later calls fail with [`headwater_client::ErrorKind::Closed`]. Idempotent.
    pub fn close(&self) -> Result<()> {
        todo!()
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        todo!()
    }
}

impl Deref for Engine {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.inner.client
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("client", &self.inner.client).finish_non_exhaustive()
    }
}
