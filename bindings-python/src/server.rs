//! An engine that Kafka clients reach.

use std::sync::Arc;

use headwater::ServeOptions;
use pyo3::prelude::*;

use crate::runtime::{Embedded, Owned};

/// An engine that listens for Kafka clients, until it or the client it came from is closed. `Client.serve` makes it.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.serve(port=0) as server:
/// ...     server
/// Server('127.0.0.1:...')
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listening: Arc<Listening>,
}

/// A server of the core, with what keeps its engine.
#[derive(Debug)]
pub(crate) struct Listening {
    server: Owned<headwater::Server>,
    _embedded: Arc<Embedded>,
}

impl Listening {
    /// Opens `engine`, which is that of `embedded`, to Kafka clients. Blocks until it listens.
    pub(crate) fn open(
        engine: &headwater::Engine,
        embedded: Arc<Embedded>,
        options: ServeOptions,
    ) -> headwater::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            server: Owned::new(engine.serve(options)?),
            _embedded: embedded,
        }))
    }

    /// The server, unless this is a child of its process.
    pub(crate) fn server(&self) -> PyResult<&headwater::Server> {
        self.server.get()
    }

    pub(crate) fn address(&self) -> PyResult<String> {
        let addresses = self.server()?.addresses().iter();
        Ok(joined(addresses))
    }

    pub(crate) fn bootstrap_servers(&self) -> PyResult<String> {
        Ok(joined(self.server()?.advertised()))
    }
}

fn joined<T: ToString>(addresses: impl IntoIterator<Item = T>) -> String {
    let addresses: Vec<_> = addresses
        .into_iter()
        .map(|address| address.to_string())
        .collect();
    addresses.join(",")
}

#[pymethods]
impl Server {
    /// Where it listens, with the port that was taken.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.serve(port=0) as server:
    /// ...     server.address
    /// '127.0.0.1:...'
    #[getter]
    fn address(&self) -> PyResult<String> {
        self.listening.address()
    }

    /// What clients connect to: the `bootstrap.servers` of their configuration.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.serve(port=0, advertised="localhost:9092") as server:
    /// ...     server.bootstrap_servers
    /// 'localhost:9092'
    #[getter]
    fn bootstrap_servers(&self) -> PyResult<String> {
        self.listening.bootstrap_servers()
    }

    /// Answer the requests that were begun, for some seconds at most, and close all connections; the client stays open. Idempotent;
    /// `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     server = client.serve(port=0)
    /// ...     server.close()
    /// ...     client.topics()
    /// []
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let server = self.listening.server()?;
        py.detach(|| server.shutdown());
        Ok(())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Server('{}')", self.listening.address()?))
    }
}
