//! From futures of the core to those of asyncio. There is no pool of threads: work runs in the engine's own runtime, and what is ready at
//! once is handed over at once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::callbacks;
use crate::errors;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Turns a value of the core into a Python object.
pub(crate) trait Convert<T>:
    FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static
{
}
impl<T, F: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static> Convert<T> for F {}

/// A future of the running event loop that the core resolves.
pub(crate) struct Pending {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

impl Pending {
    /// Must be called in the thread of the event loop.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let event_loop = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
        let future = event_loop.call_method0("create_future")?;
        Ok(Self {
            event_loop: event_loop.unbind(),
            future: future.unbind(),
        })
    }

    pub(crate) fn future<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.future.bind(py).clone()
    }

    /// Resolves the future from any thread. `give` makes the result, or takes back what nobody waits for any more; it is called in the
    /// thread of the event loop, so nothing can be cancelled in between.
    pub(crate) fn resolve(&self, py: Python<'_>, give: Give) {
        let delivery = Bound::new(py, Delivery(Mutex::new(Some(give))));
        // An event loop that is closed has nobody left to tell.
        let _ = delivery.and_then(|delivery| {
            self.event_loop
                .call_method1(py, "call_soon_threadsafe", (delivery, &self.future))
        });
    }
}

/// Makes a result, where it is still wanted.
pub(crate) type Give = Box<dyn FnOnce(Python<'_>, Wanted) -> PyResult<Py<PyAny>> + Send>;

/// Whether somebody still waits for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Yes,
    No,
}

/// Resolves a future when the event loop calls it.
#[pyclass(frozen, module = "headwater._headwater", name = "_Delivery")]
struct Delivery(Mutex<Option<Give>>);

#[pymethods]
impl Delivery {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(give) = self.0.lock().take() else {
            return Ok(());
        };
        if future.call_method0("done")?.is_truthy()? {
            return give(py, Wanted::No).map(drop);
        }
        match give(py, Wanted::Yes) {
            Ok(value) => future.call_method1("set_result", (value,)),
            Err(error) => future.call_method1("set_exception", (error.into_value(py),)),
        }
        .map(drop)
    }
}

/// [`Convert`]s what has no result to `None`.
#[expect(clippy::unnecessary_wraps, reason = "it is a `Convert`")]
pub(crate) fn none(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

/// Carries `work` out and returns an awaitable of its result. What is ready at the first look costs no change of threads.
pub(crate) fn quick<'py, T: Send + 'static>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut work: Boxed<headwater::Result<T>> = Box::pin(work);
    let first = py.detach(|| {
        let _context = runtime.enter();
        work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    });
    match first {
        Poll::Ready(result) => {
            let result = result
                .map_err(errors::raise)
                .and_then(|value| convert(py, value))
                .map(|value| value.into_bound(py));
            Ok(Bound::new(py, Ready::new(result))?.into_any())
        }
        Poll::Pending => background(py, runtime, work, convert),
    }
}

/// Carries `work` out in the engine's runtime and returns an asyncio future of its result. Cancelling that stops the work.
pub(crate) fn background<'py, T: Send + 'static>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T>,
) -> PyResult<Bound<'py, PyAny>> {
    background_or(py, runtime, work, convert, drop)
}

/// [`background`] whose result goes to `take_back` when the future was cancelled while it was on its way.
pub(crate) fn background_or<'py, T: Send + 'static>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T>,
    take_back: impl FnOnce(T) + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let pending = Pending::new(py)?;
    let future = pending.future(py);
    let task = runtime.spawn(async move {
        let result = work.await;
        callbacks::run(Box::new(move |py| {
            pending.resolve(py, giving(result, convert, take_back));
        }));
    });
    future.call_method1(
        "add_done_callback",
        (Bound::new(py, Canceller(task.abort_handle()))?,),
    )?;
    Ok(future)
}

/// Carries `work`, which blocks, out in a thread of its own, and returns an asyncio future of its result.
pub(crate) fn blocking<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> headwater::Result<T> + Send + 'static,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    let pending = Pending::new(py)?;
    let future = pending.future(py);
    std::thread::Builder::new()
        .name("headwater-blocking".into())
        .spawn(move || {
            let result = work();
            callbacks::run(Box::new(move |py| {
                pending.resolve(py, giving(result, convert, drop));
            }));
        })?;
    Ok(future)
}

fn giving<T: Send + 'static>(
    result: headwater::Result<T>,
    convert: impl Convert<T>,
    take_back: impl FnOnce(T) + Send + 'static,
) -> Give {
    Box::new(move |py, wanted| match (result, wanted) {
        (Ok(value), Wanted::Yes) => convert(py, value),
        (Ok(value), Wanted::No) => {
            take_back(value);
            Ok(py.None())
        }
        (Err(error), Wanted::Yes) => Err(errors::raise(error)),
        (Err(_), Wanted::No) => Ok(py.None()),
    })
}

/// Stops the work behind a future that was cancelled.
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

/// An awaitable whose result is there.
#[pyclass(frozen, module = "headwater._headwater", name = "_Ready")]
pub(crate) struct Ready(Mutex<Option<PyResult<Py<PyAny>>>>);

impl Ready {
    pub(crate) fn new(result: PyResult<Bound<'_, PyAny>>) -> Self {
        Self(Mutex::new(Some(result.map(Bound::unbind))))
    }
}

#[pymethods]
impl Ready {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> PyResult<()> {
        let result = self.0.lock().take();
        match result {
            Some(Ok(value)) => Err(PyStopIteration::new_err((value,))),
            Some(Err(error)) => Err(error),
            None => Err(PyRuntimeError::new_err(
                "This result was awaited before: keep its value.",
            )),
        }
    }
}

/// An awaitable whose result is there; also what `__await__` returns then.
pub(crate) fn ready<'py>(
    py: Python<'py>,
    result: PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(py, Ready::new(result))?.into_any())
}
