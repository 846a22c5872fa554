//! A listener of an engine for Kafka clients.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::face::{Access, Answer, closing, faces, none};
use crate::runtime::CoreValue;
use crate::texts;

/// The methods of servers of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Server {
    server: Arc<CoreValue<headwater::Server>>,
    // Keeps the engine open.
    access: Access,
}

/// A listener of an engine for Kafka clients, until it or its client is closed. `Client.serve` creates it.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.serve(port=0) as server:
/// ...     server
/// Server('127.0.0.1:...')
#[pyclass(frozen, extends = Server, module = "headwater", name = "Server")]
#[derive(Debug)]
pub(crate) struct BlockingServer;

/// `headwater.Server` for asyncio: `async with await client.serve() as server`.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, await client.serve(port=0) as server:
/// ...         return server.address
/// >>> asyncio.run(main())
/// '127.0.0.1:...'
#[pyclass(frozen, extends = Server, module = "headwater.aio", name = "Server")]
#[derive(Debug)]
pub(crate) struct AsyncioServer;

faces!(Server: BlockingServer, AsyncioServer);
closing!(Server: BlockingServer, AsyncioServer);

impl Server {
    pub(crate) fn new(access: Access, server: headwater::Server) -> Self {
        Self {
            server: Arc::new(CoreValue::new(server)),
            access,
        }
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
    /// The address on which it listens, with the actual port.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.serve(port=0) as server:
    /// ...     server.address
    /// '127.0.0.1:...'
    #[getter]
    fn address(&self) -> PyResult<String> {
        Ok(joined(self.server.get()?.addresses()))
    }

    /// The addresses that clients connect to: the `bootstrap.servers` of their configuration.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.serve(port=0, advertised="localhost:9092") as server:
    /// ...     server.bootstrap_servers
    /// 'localhost:9092'
    #[getter]
    fn bootstrap_servers(&self) -> PyResult<String> {
        Ok(joined(self.server.get()?.advertised()))
    }

    /// Answer the requests that have arrived, for a few seconds at most, and close all connections; the client stays
    /// open. Idempotent; `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     server = client.serve(port=0)
    /// ...     server.close()
    /// ...     client.topics()
    /// []
    fn close<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.server.get()?;
        let server = Arc::clone(&self.server);
        let shutdown = move || {
            // It always belongs to this process: that was checked, and so does the thread.
            if let Some(server) = server.if_ours() {
                server.shutdown();
            }
            Ok(())
        };
        self.access.block(py, shutdown, none)
    }

    fn __repr__(&self) -> String {
        let face = self.access.face();
        let Some(server) = self.server.if_ours() else {
            return texts::object(face, "Server", ["opened before a fork".to_owned()]);
        };
        let is_closed = server.is_closed() || self.access.check().is_err();
        let address = texts::quoted(&joined(server.addresses()));
        let closed = is_closed.then(|| "closed".to_owned());
        texts::object(face, "Server", [address].into_iter().chain(closed))
    }
}
