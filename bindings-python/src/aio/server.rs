//! An engine that Kafka clients reach, for asyncio.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::aio::bridge;
use crate::aio::context::async_context;
use crate::server::Listening;

/// `headwater.Server` for asyncio.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, await client.serve(port=0) as server:
/// ...         return server.address
/// >>> asyncio.run(main())
/// '127.0.0.1:...'
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Server")]
#[derive(Debug)]
pub(crate) struct AioServer {
    pub(crate) listening: Arc<Listening>,
}

#[pymethods]
impl AioServer {
    /// See `headwater.Server.address`.
    #[getter]
    fn address(&self) -> PyResult<String> {
        self.listening.address()
    }

    /// See `headwater.Server.bootstrap_servers`.
    #[getter]
    fn bootstrap_servers(&self) -> PyResult<String> {
        self.listening.bootstrap_servers()
    }

    /// See `headwater.Server.close`.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.listening.server()?;
        let listening = Arc::clone(&self.listening);
        let work = move || {
            // In this process, as was just seen, and the thread is of this process.
            if let Ok(server) = listening.server() {
                server.shutdown();
            }
            Ok(())
        };
        bridge::blocking(py, work, bridge::none)
    }
}

async_context!(AioServer);
