//! `headwater.aio`: the same classes for asyncio, with native futures.

pub(crate) mod bridge;
mod call;
pub(crate) mod client;
mod consumer;
mod context;
mod iterators;
mod producer;
mod reader;
mod scan;
mod server;
mod telling;
mod topic;

use pyo3::prelude::*;

/// Adds the classes of `headwater.aio` to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(client::_aio_open, module)?)?;
    let py = module.py();
    module.add("_AioClient", py.get_type::<client::AioClient>())?;
    module.add("_AioTopic", py.get_type::<topic::AioTopic>())?;
    module.add("_AioScan", py.get_type::<scan::AioScan>())?;
    module.add("_AioProducer", py.get_type::<producer::AioProducer>())?;
    module.add("_AioServer", py.get_type::<server::AioServer>())?;
    module.add("_AioConsumer", py.get_type::<consumer::AioConsumer>())
}
