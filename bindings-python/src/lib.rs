//! The extension module of the Python package `headwater`: it converts between Python and the core, and does nothing
//! else.
//!
//! There is one file per class of the public API, with the same names as in the Node package. A class of `headwater`
//! and its twin in `headwater.aio` share their methods (`face`): `runtime` waits for the core without the GIL and
//! handles Ctrl-C, `aio` converts futures of the core to awaitables. `errors` raises exceptions, `arrow` exchanges
//! tables, `convert` converts arguments.

#![allow(
    clippy::doc_link_with_quotes,
    clippy::doc_markdown,
    reason = "the documentation of a class or a method is its Python docstring, with its examples"
)]

mod aio;
mod allocator;
mod arrow;
mod batch;
mod batch_items;
mod batch_texts;
mod callbacks;
mod client;
mod command_line;
mod consumer;
mod convert;
mod engine;
mod errors;
mod events;
mod exclusive;
mod face;
mod foreign_names;
mod functions;
mod future;
mod future_protocol;
mod garbage;
mod iterators;
mod message;
mod messages;
mod metrics;
mod pickles;
mod preview;
mod producer;
mod reading;
mod rebalances;
mod recovery;
mod runtime;
mod scan;
mod scan_reading;
mod schema;
mod send_results;
mod server;
mod stats;
mod texts;
mod tokens;
mod topic;

use pyo3::prelude::*;

/// The extension module of headwater. Import `headwater` instead.
#[pymodule]
fn _headwater(module: &Bound<'_, PyModule>) -> PyResult<()> {
    allocator::keep_freed_memory();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(engine::open, module)?)?;
    module.add_function(wrap_pyfunction!(engine::connect, module)?)?;
    module.add_function(wrap_pyfunction!(engine::_aio_connect, module)?)?;
    module.add_function(wrap_pyfunction!(command_line::main, module)?)?;
    module.add_class::<client::BlockingClient>()?;
    module.add_class::<client::topics::TopicInfo>()?;
    module.add_class::<topic::BlockingTopic>()?;
    module.add_class::<scan::BlockingScan>()?;
    module.add_class::<schema::Schema>()?;
    module.add_class::<producer::BlockingProducer>()?;
    module.add_class::<send_results::RecordMetadata>()?;
    module.add_class::<send_results::BatchResult>()?;
    module.add_class::<future::Future>()?;
    module.add_class::<consumer::BlockingConsumer>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<server::BlockingServer>()?;
    module.add_class::<message::Message>()?;
    let py = module.py();
    module.add_function(wrap_pyfunction!(engine::_aio_open, module)?)?;
    module.add("AioClient", py.get_type::<client::AsyncioClient>())?;
    module.add("AioTopic", py.get_type::<topic::AsyncioTopic>())?;
    module.add("AioScan", py.get_type::<scan::AsyncioScan>())?;
    module.add("AioProducer", py.get_type::<producer::AsyncioProducer>())?;
    module.add("AioConsumer", py.get_type::<consumer::AsyncioConsumer>())?;
    module.add("AioServer", py.get_type::<server::AsyncioServer>())?;
    pickles::register(module)?;
    runtime::register(module)
}
