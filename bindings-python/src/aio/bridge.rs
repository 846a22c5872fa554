//! From futures of the core to those of asyncio. There is no pool of threads: work runs in the engine's own runtime, and what is ready at
//! once is handed over at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::call::Call;
use crate::callbacks;
use crate::errors;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Turns a value of the core into a Python object.
pub(crate) trait Convert<T>:
    FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static
{
}
impl<T, F: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static> Convert<T> for F {}

/// A future of the running event loop that is done when the core has a result.
pub(crate) struct Pending {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
    slot: Slot,
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
            slot: Slot::default(),
        })
    }

    /// The future, which shows only that there is a result.
    fn future<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.future.bind(py).clone()
    }

    /// What the caller awaits.
    pub(crate) fn call<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::begun(self.future(py), self.slot.clone());
        Ok(Bound::new(py, call)?.into_any())
    }

    /// Brings a result, from any thread. `give` is called in the thread of the event loop, in the step in which the caller goes on: so
    /// nothing can be cancelled in between.
    pub(crate) fn resolve(&self, py: Python<'_>, give: Give) {
        let delivery = Delivery {
            give: Mutex::new(Some(give)),
            slot: self.slot.clone(),
        };
        // An event loop that is closed has nobody left to tell.
        let _ = Bound::new(py, delivery).and_then(|delivery| {
            self.event_loop
                .call_method1(py, "call_soon_threadsafe", (delivery, &self.future))
        });
    }
}

/// Makes a result, or takes it back if the call was cancelled.
pub(crate) type Give = Box<dyn FnOnce(Python<'_>, Wanted) -> PyResult<Py<PyAny>> + Send>;

/// Whether somebody still waits for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Yes,
    No,
}

/// Where a result lies between its delivery and the step in which it is taken.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Contents>>);

#[derive(Default)]
enum Contents {
    #[default]
    Empty,
    Given(Give),
    /// The call was cancelled.
    Abandoned,
}

impl Slot {
    /// Puts a result in; returns it if the call was cancelled.
    fn put(&self, give: Give) -> Option<Give> {
        let mut contents = self.0.lock();
        if matches!(*contents, Contents::Abandoned) {
            return Some(give);
        }
        *contents = Contents::Given(give);
        None
    }

    /// Takes the result out.
    pub(super) fn take(&self) -> Option<Give> {
        match std::mem::replace(&mut *self.0.lock(), Contents::Abandoned) {
            Contents::Given(give) => Some(give),
            Contents::Empty | Contents::Abandoned => None,
        }
    }

    /// Takes back the result that is there, or will be.
    pub(super) fn abandon(&self, py: Python<'_>) {
        if let Some(give) = self.take()
            && let Err(error) = give(py, Wanted::No)
        {
            error.write_unraisable(py, None);
        }
    }
}

/// Resolves a future when the event loop calls it.
#[pyclass(frozen, module = "headwater._headwater", name = "_Delivery")]
struct Delivery {
    give: Mutex<Option<Give>>,
    slot: Slot,
}

#[pymethods]
impl Delivery {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(give) = self.give.lock().take() else {
            return Ok(());
        };
        if future.call_method0("done")?.is_truthy()? {
            return give(py, Wanted::No).map(drop);
        }
        match self.slot.put(give) {
            Some(unwanted) => unwanted(py, Wanted::No).map(drop),
            None => future.call_method1("set_result", (py.None(),)).map(drop),
        }
    }
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
            ready(py, result)
        }
        Poll::Pending => background(py, runtime, work, convert),
    }
}

/// Carries `work` out in the engine's runtime and returns the call. Cancelling that stops the work.
pub(crate) fn background<'py, T: Send + 'static>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T>,
) -> PyResult<Bound<'py, PyAny>> {
    background_or(py, runtime, work, convert, drop)
}

/// [`background`] whose result goes to `take_back` when the call was cancelled while it was on its way.
pub(crate) fn background_or<'py, T: Send + 'static>(
    py: Python<'py>,
    runtime: &Handle,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl Convert<T>,
    take_back: impl FnOnce(T) + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let pending = Pending::new(py)?;
    let (future, call) = (pending.future(py), pending.call(py)?);
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
    Ok(call)
}

/// A call that begins when it is awaited.
pub(crate) fn later(
    py: Python<'_>,
    begin: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyAny>> + Send + 'static,
) -> PyResult<Bound<'_, PyAny>> {
    let call = Call::later(Box::new(move |py| begin(py).map(Bound::unbind)));
    Ok(Bound::new(py, call)?.into_any())
}

/// Carries `work`, which blocks, out in a thread of its own, and returns the call.
pub(crate) fn blocking<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> headwater::Result<T> + Send + 'static,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    let pending = Pending::new(py)?;
    let call = pending.call(py)?;
    std::thread::Builder::new()
        .name("headwater-blocking".into())
        .spawn(move || {
            let result = work();
            callbacks::run(Box::new(move |py| {
                pending.resolve(py, giving(result, convert, drop));
            }));
        })?;
    Ok(call)
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

/// A call whose result is there.
pub(crate) fn ready<'py>(
    py: Python<'py>,
    result: PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(py, Call::ready(result))?.into_any())
}

/// A call of which `awaitable` brings the result.
pub(crate) fn call_of(awaitable: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = awaitable.py();
    Ok(Bound::new(py, Call::begun(awaitable, Slot::default()))?.into_any())
}
