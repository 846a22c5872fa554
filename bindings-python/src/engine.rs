//! `open()` and `connect()` of both faces: an embedded engine in a directory or in memory, and a running cluster.

use std::path::PathBuf;
use std::sync::Arc;

use headwater::ConnectOptions;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::aio::bridge;
use crate::client::Client;
use crate::convert::config;
use crate::errors;
use crate::events;
use crate::face::{Access, Answer, Face};
use crate::runtime::EngineHandle;
use crate::stats::Stats;
use crate::texts::Origin;
use crate::tokens::Tokens;

/// Open an embedded engine and return the client on it.
///
/// `path` is its directory, which is created if missing; `None` keeps everything in memory until the client is closed.
/// Opening the same path again in one process returns the same engine, which closes with its last client; a second
/// process, or a child of `os.fork()`, gets `LockedError` with the pid of the first one. If the directory is removed or
/// replaced while it is open, each call raises an error, and opening the path again opens the new directory.
///
/// The engine logs to `logging`, under "headwater".
///
/// When the disk is full, or a limit of `headwater.storage.max.bytes` or `headwater.storage.min.free.bytes` is reached,
/// the oldest records are deleted, even within their retention, so that new ones can be written. Each deletion logs a
/// warning with topic and offsets. With `headwater_storage_on_full="fail"` nothing is deleted, and writes fail with
/// `KAFKA_STORAGE_ERROR` until there is space.
///
/// Tables may be the files themselves, mapped into memory. The engine never changes them; but if another program
/// truncates a file of an open directory, this process is killed (SIGBUS).
///
/// `config` takes the broker's and the client's keys in Kafka's spelling; keyword arguments take them with underscores.
/// `stats` is a function that is called with `client.metrics()` every `statistics_interval_ms` (60,000), in a thread of
/// the package or in the event loop; it should return quickly.
///
/// >>> import headwater as hw
/// >>> with hw.open(num_partitions=2) as client:
/// ...     client.create_topic("flights", partitions=4)
/// Topic('flights')
#[pyfunction]
#[pyo3(signature = (path=None, *, stats=None, config=None, **kafka_config))]
pub(crate) fn open(
    py: Python<'_>,
    path: Option<PathBuf>,
    stats: Option<&Bound<'_, PyAny>>,
    config: Option<&Bound<'_, PyDict>>,
    kafka_config: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let pairs = config::pairs("open", config, kafka_config)?;
    let stats = Stats::new(stats, Face::Blocking, &pairs)?;
    events::listen();
    let engine = py.detach(|| headwater::open(path.as_deref(), pairs));
    events::hand_over(py);
    let engine = engine.map_err(errors::raise)?;
    py.check_signals()?;
    let origin = Origin::of_path(path);
    let access = Access::new(EngineHandle::new(engine, origin), Face::Blocking);
    if let Some(stats) = stats {
        stats.report(&access)?;
    }
    Client::new(access).into_object(py)
}

/// Opens an engine in a thread, because recovery may take long: `headwater.aio.open` awaits it.
#[pyfunction]
#[pyo3(signature = (path=None, *, stats=None, config=None, **kafka_config))]
pub(crate) fn _aio_open<'py>(
    py: Python<'py>,
    path: Option<PathBuf>,
    stats: Option<&Bound<'py, PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
    kafka_config: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let pairs = config::pairs("open", config, kafka_config)?;
    let stats = Stats::new(stats, Face::Asyncio, &pairs)?;
    events::listen();
    let open = move || {
        let engine = headwater::open(path.as_deref(), pairs)?;
        Ok(EngineHandle::new(engine, Origin::of_path(path)))
    };
    bridge::blocking(py, open, |py, embedded| {
        let access = Access::new(embedded, Face::Asyncio);
        if let Some(stats) = stats {
            stats.report(&access)?;
        }
        Client::new(access).into_object(py)
    })
}

/// Connect to a Kafka cluster and return the client on it: Apache Kafka, a Headwater server, or any other server of
/// Kafka's protocol.
///
/// `bootstrap_servers` is one or more "HOST:PORT", separated by commas or in a list; one reachable broker is enough.
/// The call returns when a broker has answered. It raises `TransportError` if none can be reached within
/// `socket_connection_setup_timeout_ms` (10,000), and `AuthenticationError` if the broker refuses the credentials, or
/// its certificate is not trusted.
///
/// The client is the same as from `open()`, except that `serve()` is refused.
///
/// `config` takes the keys of clients and connections in Kafka's spelling, such as `security.protocol`,
/// `ssl.truststore.location` (PEM), `sasl.mechanism` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER),
/// `sasl.username` and `sasl.password`; keyword arguments take them with underscores.
///
/// OAUTHBEARER gets its tokens from `oauth_token`, or from the token endpoint `sasl.oauthbearer.token.endpoint.url`.
/// `oauth_token` is a function without arguments that returns the access token, or a tuple of the token and its expiry:
/// an aware datetime or seconds since 1970. A JSON Web Token contains its expiry; a token without one is used for one
/// connection. The function is called in its own thread, when the first connection is opened and before a token
/// expires; it may wait, and for `headwater.aio` it can be a coroutine function.
///
/// `stats` is a function that is called with `client.metrics()` every `statistics_interval_ms` (60,000), in a thread of
/// the package or in the event loop; it should return quickly. Both functions are kept until the client is closed.
///
/// >>> import headwater as hw
/// >>> with hw.open() as engine, engine.serve(port=0) as server:
/// ...     with hw.connect(server.address) as client:
/// ...         _ = client.create_topic("flights")
/// ...         client.topics()[0].name
/// 'flights'
#[pyfunction]
#[pyo3(signature = (bootstrap_servers, *, oauth_token=None, stats=None, config=None, **kafka_config))]
pub(crate) fn connect<'py>(
    bootstrap_servers: &Bound<'py, PyAny>,
    oauth_token: Option<&Bound<'py, PyAny>>,
    stats: Option<&Bound<'py, PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
    kafka_config: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let pairs = config::pairs("connect", config, kafka_config)?;
    connect_in(Face::Blocking, bootstrap_servers, oauth_token, stats, pairs)
}

/// `headwater.aio.connect` awaits it.
#[pyfunction]
#[pyo3(signature = (bootstrap_servers, *, oauth_token=None, stats=None, config=None, **kafka_config))]
pub(crate) fn _aio_connect<'py>(
    bootstrap_servers: &Bound<'py, PyAny>,
    oauth_token: Option<&Bound<'py, PyAny>>,
    stats: Option<&Bound<'py, PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
    kafka_config: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let pairs = config::pairs("connect", config, kafka_config)?;
    connect_in(Face::Asyncio, bootstrap_servers, oauth_token, stats, pairs)
}

fn connect_in<'py>(
    face: Face,
    bootstrap_servers: &Bound<'py, PyAny>,
    oauth_token: Option<&Bound<'py, PyAny>>,
    stats: Option<&Bound<'py, PyAny>>,
    pairs: Vec<(String, String)>,
) -> Answer<'py> {
    let py = bootstrap_servers.py();
    let addresses = config::bootstrap_servers(bootstrap_servers)?;
    let stats = Stats::new(stats, face, &pairs)?;
    let mut options = ConnectOptions::default();
    if let Some(function) = oauth_token {
        options.oauth_token = Some(Arc::new(Tokens::new(function, face)?));
    }
    events::listen();
    let origin = Origin::Cluster(addresses.clone());
    // Reads the certificates.
    let prepare = move || headwater::connect_on_demand_with(&addresses, pairs, options);
    let engine = py.detach(prepare).map_err(errors::raise)?;
    let access = Access::new(EngineHandle::new(engine, origin), face);
    let client = access.client()?.clone();
    let reach = async move { client.check_reachable().await };
    let connected = access.clone();
    let answer = access.call(py, reach, |py, ()| {
        if let Some(stats) = stats {
            stats.report(&connected)?;
        }
        Client::new(connected).into_object(py)
    });
    events::hand_over(py);
    answer
}
