//! Converts futures of the core to awaitables of asyncio. There is no thread pool: work runs in the engine's own
//! runtime, and a result that is ready at once is returned at once.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::call::{Call, Start};
use crate::callbacks;
use crate::errors;
use crate::face::{Answer, Convert, Value};

/// A future of the running event loop that completes when the core has a result.
pub(crate) struct EventLoopFuture {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
    slot: Slot,
}

impl EventLoopFuture {
    /// Must be called in the thread of the event loop.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let event_loop = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
        let future = event_loop.call_method0("create_future")?;
        Ok(Self {
            event_loop: event_loop.unbind(),
            future: future.unbind(),
            slot: Slot::default(),
        })
    }

    /// The future, which only signals that the result is available.
    fn future<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.future.bind(py).clone()
    }

    /// The call for the caller to await.
    pub(crate) fn call<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::begun(self.future(py), self.slot.clone());
        Ok(Bound::new(py, call)?.into_any())
    }

    /// Passes a result to the caller, from any thread. The event loop calls `make` in its thread, in the step in which
    /// the caller continues, so that the call cannot be cancelled in between.
    pub(crate) fn resolve(&self, py: Python<'_>, make: MakeResult) {
        let delivery = Delivery {
            make: Mutex::new(Some(make)),
            slot: self.slot.clone(),
        };
        // A closed event loop makes no calls.
        let _ = Bound::new(py, delivery).and_then(|delivery| {
            self.event_loop
                .call_method1(py, "call_soon_threadsafe", (delivery, &self.future))
        });
    }
}

/// Creates a result, or takes it back if the call was cancelled.
pub(crate) type MakeResult = Box<dyn FnOnce(Python<'_>, Caller) -> PyResult<Py<PyAny>> + Send>;

/// Whether the caller still waits for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Waits,
    Cancelled,
}

/// Holds a result between its delivery and the step in which it is taken.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Contents>>);

#[derive(Default)]
enum Contents {
    #[default]
    Empty,
    Result(MakeResult),
    /// The call was cancelled.
    Cancelled,
}

impl Slot {
    /// Stores a result; returns it if the call was cancelled.
    fn put(&self, make: MakeResult) -> Option<MakeResult> {
        let mut contents = self.0.lock();
        if matches!(*contents, Contents::Cancelled) {
            return Some(make);
        }
        *contents = Contents::Result(make);
        None
    }

    /// Takes the result out.
    pub(super) fn take(&self) -> Option<MakeResult> {
        match std::mem::replace(&mut *self.0.lock(), Contents::Cancelled) {
            Contents::Result(make) => Some(make),
            Contents::Empty | Contents::Cancelled => None,
        }
    }

    /// Takes back the current or future result.
    pub(super) fn abandon(&self, py: Python<'_>) {
        if let Some(make) = self.take()
            && let Err(error) = make(py, Caller::Cancelled)
        {
            error.write_unraisable(py, None);
        }
    }
}

/// Resolves a future when the event loop calls it.
#[pyclass(frozen, module = "headwater._headwater", name = "_Delivery")]
struct Delivery {
    make: Mutex<Option<MakeResult>>,
    slot: Slot,
}

#[pymethods]
impl Delivery {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(make) = self.make.lock().take() else {
            return Ok(());
        };
        if future.call_method0("done")?.is_truthy()? {
            return make(py, Caller::Cancelled).map(drop);
        }
        match self.slot.put(make) {
            Some(make) => make(py, Caller::Cancelled).map(drop),
            None => future.call_method1("set_result", (py.None(),)).map(drop),
        }
    }
}

/// Runs `work` and returns an awaitable of its result. A result that is ready at the first poll needs no switch of
/// threads.
pub(crate) fn quick<'py, T: Send + 'static, R: Value>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T, R>,
) -> Answer<'py> {
    let mut work = Box::pin(work);
    let first = py.detach(|| {
        let _context = runtime.enter();
        work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    });
    match first {
        Poll::Ready(result) => {
            let result = result
                .map_err(errors::raise)
                .and_then(|value| convert(py, value)?.into_bound_py_any(py));
            ready(py, result)
        }
        Poll::Pending => background(py, runtime, work, convert, drop),
    }
}

/// Runs `work` in the engine's runtime and returns the call. Cancelling the call stops the work; `take_back` gets the
/// result if the call was cancelled after the result was sent.
pub(crate) fn background<'py, T: Send + 'static, R: Value>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T, R>,
    take_back: impl FnOnce(T) + Send + 'static,
) -> Answer<'py> {
    let pending = EventLoopFuture::new(py)?;
    let (future, call) = (pending.future(py), pending.call(py)?);
    let task = runtime.spawn(async move {
        let result = work.await;
        callbacks::run(Box::new(move |py| {
            pending.resolve(py, make_result(result, convert, take_back));
        }));
    });
    future.call_method1(
        "add_done_callback",
        (Bound::new(py, Canceller(task.abort_handle()))?,),
    )?;
    Ok(call)
}

/// A call that starts when it is awaited.
pub(crate) fn later(
    py: Python<'_>,
    begin: impl FnOnce(Python<'_>) -> PyResult<Start> + Send + 'static,
) -> PyResult<Bound<'_, PyAny>> {
    Ok(Bound::new(py, Call::later(Box::new(begin)))?.into_any())
}

/// A call of `object` that starts when it is awaited.
pub(crate) fn later_of(
    object: Bound<'_, PyAny>,
    begin: fn(&Bound<'_, PyAny>) -> PyResult<Start>,
) -> Answer<'_> {
    let py = object.py();
    Ok(Bound::new(py, Call::later_of(object.unbind(), begin))?.into_any())
}

/// Runs `work`, which blocks, in its own thread, and returns the call.
pub(crate) fn blocking<T: Send + 'static, R: Value>(
    py: Python<'_>,
    work: impl FnOnce() -> headwater::Result<T> + Send + 'static,
    convert: impl Convert<T, R>,
) -> Answer<'_> {
    let pending = EventLoopFuture::new(py)?;
    let call = pending.call(py)?;
    std::thread::Builder::new()
        .name("headwater-blocking".into())
        .spawn(move || {
            let result = work();
            callbacks::run(Box::new(move |py| {
                pending.resolve(py, make_result(result, convert, drop));
            }));
        })?;
    Ok(call)
}

fn make_result<T: Send + 'static, R: Value>(
    result: headwater::Result<T>,
    convert: impl Convert<T, R>,
    take_back: impl FnOnce(T) + Send + 'static,
) -> MakeResult {
    Box::new(move |py, caller| match (result, caller) {
        (Ok(value), Caller::Waits) => convert(py, value)?.into_py_any(py),
        (Ok(value), Caller::Cancelled) => {
            take_back(value);
            Ok(py.None())
        }
        (Err(error), Caller::Waits) => Err(errors::raise(error)),
        (Err(_), Caller::Cancelled) => Ok(py.None()),
    })
}

/// Stops the work of a future that was cancelled.
#[pyclass(frozen, module = "headwater._headwater", name = "_Canceller")]
struct Canceller(AbortHandle);

#[pymethods]
impl Canceller {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.is_truthy()? {
            self.0.abort();
        }
        Ok(())
    }
}

/// A call with this result.
pub(crate) fn ready<'py>(py: Python<'py>, result: Answer<'py>) -> Answer<'py> {
    Ok(Bound::new(py, Call::ready(result))?.into_any())
}

/// A call with the result of `awaitable`.
pub(crate) fn call_of(awaitable: Bound<'_, PyAny>) -> Answer<'_> {
    let py = awaitable.py();
    Ok(Bound::new(py, Call::begun(awaitable, Slot::default()))?.into_any())
}
