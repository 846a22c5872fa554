//! A client together with its embedded broker, or with its connections to a cluster.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headwater_broker::{Broker, DeletionCounts, OpenReport};
use headwater_client::{Client, ClientConfig, Error, ErrorKind, Result, Transport};
use headwater_env::{Env, MemoryEnv, RealEnv};
use headwater_metadata::BrokerConfig;
use headwater_server::ServeOptions;
use tokio::runtime::{self, Builder};

use crate::blocking;
use crate::engine_config::{self, EngineConfig};
use crate::handle::Handle;
use crate::in_process::InProcess;
use crate::open_error::refused;
use crate::registry::{self, DirectoryPath};
use crate::worker_threads;

/// A configuration with Kafka's defaults: `open(None, NO_CONFIG)`.
pub const NO_CONFIG: [(&str, &str); 0] = [];

/// The directory of an engine in memory, in its own file system.
const IN_MEMORY: &str = "/data";

/// A handle on an open engine, or on a connected cluster. Cloning is cheap and shares the handle; each [`open`] of the
/// same path creates another one.
///
/// It is a [`Client`] by `Deref`: `engine.topic("flights")`. The handle is closed by [`Engine::close`], or when its
/// last clone and everything created from it is dropped. The engine closes cleanly with its last handle.
#[derive(Clone)]
pub struct Engine {
    client: Client,
    host: Arc<dyn Host>,
}

/// The implementation behind a client: an engine in any environment, or a cluster.
pub(crate) trait Host: Transport {
    /// The runtime for timers, background work and connections.
    fn runtime(&self) -> &runtime::Handle;
    /// The report of opening; `None` for a connected cluster.
    fn report(&self) -> Option<&OpenReport>;
    /// The segments deleted since then; `None` for a connected cluster.
    fn deletions(&self) -> Option<DeletionCounts>;
    /// Listens for clients until the handle is closed. A connected cluster refuses.
    fn serve(&self, options: ServeOptions) -> Result<Arc<headwater_server::Server>>;
    /// Closes the handle, and the engine with the last one.
    fn close(&self);
    /// Fails if it is closed, inherited from a parent process, or if the engine lost its directory.
    fn check(&self) -> Result<()>;
}

/// Opens the directory `path`, or with `None` an engine in memory, whose data is lost when it closes.
///
/// `config` takes the broker's keys and the client's, in Kafka's spelling or like `log_retention_ms`; [`NO_CONFIG`]
/// uses all defaults. Opening the same path again in one process returns the same engine, which closes with its last
/// handle: then `config` must be empty or the same as before. A second process, or a child of `fork()`, gets
/// [`ErrorKind::Locked`] with the process id of the first.
pub fn open<K: AsRef<str>, V: AsRef<str>>(
    path: Option<&Path>,
    config: impl IntoIterator<Item = (K, V)>,
) -> Result<Engine> {
    let config = engine_config::split(config)?;
    match path {
        None => {
            let engine = start(
                MemoryEnv::new(),
                Path::new(IN_MEMORY),
                config.broker,
                &config.client,
                None,
            )?;
            let handle = Handle::attach(&engine).ok_or_else(lost_at_once)?;
            Ok(Engine::on(handle, config.client))
        }
        Some(path) => open_directory(path, config),
    }
}

fn open_directory(path: &Path, config: EngineConfig) -> Result<Engine> {
    let place = DirectoryPath::of(path)?;
    let handle = registry::open_once(&place, &config, || {
        start(
            RealEnv,
            place.path(),
            config.broker.clone(),
            &config.client,
            Some(place.clone()),
        )
    })?;
    Ok(Engine::on(handle, config.client))
}

/// Opens a broker over `env` with its own runtime.
fn start<E: Env>(
    env: E,
    path: &Path,
    config: BrokerConfig,
    client: &ClientConfig,
    place: Option<DirectoryPath>,
) -> Result<Arc<InProcess<E>>> {
    let runtime = worker_threads::start("engine", Builder::enable_time)?;
    let (broker, report) = Broker::open(env, path, config).map_err(refused)?;
    broker.spawn_housekeeping(runtime.handle());
    Ok(Arc::new(InProcess::new(
        broker,
        report,
        runtime,
        &client.client_id,
        place,
    )))
}

/// The error if the files of an engine were removed while it was being opened.
pub(crate) fn lost_at_once() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The engine was closed while it was being opened: open it again.",
    )
}

impl Engine {
    /// A handle whose client calls `host`.
    pub(crate) fn on<H: Host>(host: Arc<H>, config: ClientConfig) -> Self {
        let runtime = host.runtime().clone();
        Self {
            client: Client::new(Arc::clone(&host) as Arc<dyn Transport>, runtime, config),
            host,
        }
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// The client of this engine.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The runtime: wait for any future of the client with `engine.runtime().block_on(..)`.
    pub fn runtime(&self) -> &runtime::Handle {
        self.client.runtime()
    }

    /// Waits for a future in this thread, which does the work. Not for threads of a tokio runtime: use `.await` there.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    /// The report of opening the directory: its partitions, and the changes of recovery. `None` for a connected
    /// cluster.
    pub fn report(&self) -> Option<&OpenReport> {
        self.host.report()
    }

    /// The segments that were deleted since the engine was opened, by reason; `None` for a connected cluster.
    pub fn deletions(&self) -> Option<DeletionCounts> {
        self.host.deletions()
    }

    /// Sends the queued records of this handle's producers, then closes the handle for all its clones; later calls fail
    /// with [`ErrorKind::Closed`]. The last handle flushes and closes the engine. Idempotent.
    ///
    /// Waits up to `delivery.timeout.ms` of each producer. Fails if records could not be sent: the error has their
    /// number and topics. The handle is closed nevertheless.
    pub fn close(&self) -> Result<()> {
        self.close_within(Duration::MAX)
    }

    /// Like [`Engine::close`], but waits at most for `timeout` for records to be sent.
    pub fn close_within(&self, timeout: Duration) -> Result<()> {
        let sent = if self.is_closed() {
            Ok(())
        } else {
            blocking::block_on(self.runtime(), self.client.close_within(timeout))
        };
        self.host.close();
        sent
    }

    /// Fails with the reason if the engine cannot be used.
    pub fn check(&self) -> Result<()> {
        self.host.check()
    }

    /// Whether the handle is closed or unusable.
    pub fn is_closed(&self) -> bool {
        self.check().is_err()
    }
}

impl Deref for Engine {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
