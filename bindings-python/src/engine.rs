//! `open()` of both faces: an embedded engine in a directory or in memory.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::aio::bridge;
use crate::client::Client;
use crate::convert::config;
use crate::errors;
use crate::events;
use crate::face::{Access, Answer, Face};
use crate::runtime::Embedded;

/// Open an embedded engine and return the client on it.
///
/// `path` is its directory, made if it is missing; `None` keeps everything in memory until the client is closed. The same path
/// twice in one process is the same engine, which closes with the last client on it; a second process, a child of `os.fork()` too, gets
/// `LockedError`, which names the first one's pid. A directory that is removed or replaced while it is open takes nothing more: each
/// call raises, and opening the path again opens what is there now.
///
/// The engine logs to `logging`, under "headwater".
///
/// When the disk is full, or a limit of `headwater.storage.max.bytes` or `headwater.storage.min.free.bytes` is reached, the oldest
/// records are deleted, even within their retention, so that the newest can be written. Each deletion is a warning that names topic and
/// offsets. With `headwater_storage_on_full="fail"` nothing is deleted, and writes fail with `KAFKA_STORAGE_ERROR` until there is space.
///
/// Tables that were read may be the files themselves, mapped into memory. Nothing that the engine does changes them; another program
/// that cuts a file of an open directory ends this process (SIGBUS).
///
/// `config` takes the broker's and the client's keys as Kafka spells them; keyword arguments take them with underscores.
///
/// >>> import headwater as hw
/// >>> with hw.open(num_partitions=2) as client:
/// ...     client.create_topic("flights", partitions=4)
/// Topic('flights')
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 hands it over")]
#[pyo3(signature = (path=None, *, config=None, **kafka_config))]
pub(crate) fn open(
    py: Python<'_>,
    path: Option<PathBuf>,
    config: Option<&Bound<'_, PyDict>>,
    kafka_config: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let pairs = config::pairs(config, kafka_config)?;
    events::listen();
    let engine = py.detach(|| headwater::open(path.as_deref(), pairs));
    events::hand_over(py);
    let engine = engine.map_err(errors::raise)?;
    py.check_signals()?;
    Client::new(Access::new(Embedded::new(engine), Face::Blocking)).into_object(py)
}

/// Opens an engine in a thread, because recovery may take its time: `headwater.aio.open` awaits it.
#[pyfunction]
#[pyo3(signature = (path=None, *, config=None, **kafka_config))]
pub(crate) fn _aio_open<'py>(
    py: Python<'py>,
    path: Option<PathBuf>,
    config: Option<&Bound<'py, PyDict>>,
    kafka_config: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let pairs = config::pairs(config, kafka_config)?;
    events::listen();
    let open = move || headwater::open(path.as_deref(), pairs).map(Embedded::new);
    bridge::blocking(py, open, |py, embedded| {
        Client::new(Access::new(embedded, Face::Asyncio)).into_object(py)
    })
}
