//! The future of one record.

use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

use headwater::SendHandle;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::aio::bridge;
use crate::callbacks::{self, Job};
use crate::errors;
use crate::foreign_names;
use crate::future_protocol::WaitedFor;
use crate::producer::Producer;
use crate::runtime;
use crate::send_results::RecordMetadata;

/// The result of a record: its position in the log, or its error.
///
/// It needs no polling: records are sent when their batch is full, `linger_ms` after the first of them, or at once when
/// a caller waits. It is a `concurrent.futures.Future` that cannot be cancelled: `wait`, `as_completed` and
/// `asyncio.wrap_future` accept it; and it can be awaited. It can be dropped: the record is sent anyway.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     _ = client.create_topic("flights")
/// ...     future = producer.send("flights", b"late")
/// ...     future.result(timeout=10).offset, future.done()
/// (0, True)
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Future {
    // Declared before the producer, which keeps everything alive that the handle refers to, so that dropping a handle
    // never closes anything.
    pub(crate) handle: SendHandle,
    pub(crate) producer: Py<Producer>,
    pub(crate) waited_for: OnceLock<WaitedFor>,
}

impl Future {
    pub(crate) fn new(handle: SendHandle, producer: Py<Producer>) -> Self {
        Self {
            handle,
            producer,
            waited_for: OnceLock::new(),
        }
    }

    /// Waits for the result at most `timeout` seconds.
    fn wait(
        &self,
        py: Python<'_>,
        timeout: Option<f64>,
    ) -> PyResult<headwater::Result<headwater::RecordMetadata>> {
        if let Some(result) = self.handle.try_result() {
            return Ok(result);
        }
        let producer = self.producer.get();
        producer.get()?;
        py.detach(|| self.handle.send_now());
        if let Some(result) = self.handle.try_result() {
            return Ok(result);
        }
        let deadline = runtime::deadline(timeout)?;
        let result = runtime::wait_until(
            py,
            producer.access().runtime(),
            self.handle.clone(),
            deadline,
        )?;
        result.ok_or_else(|| errors::timed_out("The record is not acknowledged yet, but still may be: call result() again, or use a longer timeout."))
    }

    /// Runs `job` in the thread of callbacks when the result is available. Does not send the record earlier.
    pub(crate) fn when_done(&self, job: Job) {
        let waker = Waker::from(Arc::new(Later(Mutex::new(Some(job)))));
        if !self.handle.wake_when_done(&waker) {
            waker.wake();
        }
    }
}

/// A job that waits for a result.
struct Later(Mutex<Option<Job>>);

impl Wake for Later {
    fn wake(self: Arc<Self>) {
        if let Some(job) = self.0.lock().take() {
            callbacks::run(job);
        }
    }
}

#[pymethods]
impl Future {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Future", slf.as_any(), name))
    }

    /// The position of the record; waits for it at most `timeout` seconds. Raises the error if it could not be written.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     producer.send("flights", b"late", timestamp=0).result()
    /// RecordMetadata(topic='flights', partition=0, offset=0, timestamp_ms=0)
    #[pyo3(signature = (timeout=None))]
    fn result(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<RecordMetadata> {
        self.wait(py, timeout)?
            .map(RecordMetadata)
            .map_err(errors::raise)
    }

    /// The error of the record, or `None` if it was written; waits for it at most `timeout` seconds.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     print(producer.send("flights", b"late").exception())
    /// None
    #[pyo3(signature = (timeout=None))]
    fn exception<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.wait(py, timeout)?.err().map(|error| {
            errors::raise(error)
                .into_value(py)
                .into_bound(py)
                .into_any()
        }))
    }

    /// Whether the result is available. Does not send the record earlier.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     future = producer.send("flights", b"late")
    /// ...     producer.flush()
    /// ...     future.done()
    /// True
    fn done(&self) -> bool {
        self.handle.is_done()
    }

    /// Call `function(future)` when the result is available, in a thread of the package. Does not send the record
    /// earlier.
    ///
    /// >>> import headwater as hw, threading
    /// >>> done = threading.Event()
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     producer.send("flights", b"late").add_done_callback(lambda future, done=done: done.set())
    /// ...     producer.flush()
    /// ...     done.wait(10)
    /// True
    fn add_done_callback(slf: &Bound<'_, Self>, function: Py<PyAny>) {
        let future = slf.clone().unbind();
        slf.get().when_done(Box::new(move |py| {
            if let Err(error) = function.call1(py, (future,)) {
                error.write_unraisable(py, Some(function.bind(py)));
            }
        }));
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        if !this.handle.is_done() {
            this.producer.get().get()?;
            py.detach(|| this.handle.send_now());
        }
        if let Some(result) = this.handle.try_result() {
            let result = result
                .map(RecordMetadata)
                .map_err(errors::raise)
                .and_then(|value| Ok(Bound::new(py, value)?.into_any()));
            return bridge::ready(py, result);
        }
        let pending = bridge::EventLoopFuture::new(py)?;
        let awaited = pending.call(py)?;
        let handle = this.handle.clone();
        let producer = this.producer.clone_ref(py);
        this.when_done(Box::new(move |py| {
            let result = handle.try_result();
            drop((handle, producer));
            let Some(result) = result else { return };
            let make = move |py: Python<'_>, _: bridge::Caller| {
                let value = result.map(RecordMetadata).map_err(errors::raise)?;
                Ok(Py::new(py, value)?.into_any())
            };
            pending.resolve(py, Box::new(make));
        }));
        Ok(awaited)
    }

    fn __repr__(&self) -> String {
        match self.handle.try_result() {
            None => "Future(pending)".to_owned(),
            Some(Ok(metadata)) => format!("Future(done: {})", RecordMetadata(metadata).text()),
            Some(Err(error)) => format!("Future(failed: {}: {error})", error.kind().name()),
        }
    }
}
