//! Rebalances, told in the thread of the event loop while the work that met them waits.

use headwater::{Error, ErrorKind, Rebalance};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::oneshot;

use crate::callbacks;
use crate::rebalances;

/// Calls functions in an event loop.
#[derive(Debug)]
pub(crate) struct Teller {
    event_loop: Py<PyAny>,
}

type Told = Mutex<Option<oneshot::Sender<PyResult<()>>>>;

impl Teller {
    /// Must be called in the thread of the event loop.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let event_loop = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
        Ok(Self {
            event_loop: event_loop.unbind(),
        })
    }

    /// Calls `function` and waits for it, and for the coroutine that it may return.
    pub(crate) async fn tell(
        &self,
        function: Py<PyAny>,
        rebalance: Rebalance,
    ) -> headwater::Result<()> {
        let (sender, told) = oneshot::channel();
        let event_loop = Python::attach(|py| self.event_loop.clone_ref(py));
        callbacks::run(Box::new(move |py| {
            let call = Call {
                function,
                rebalance,
                told: Mutex::new(Some(sender)),
            };
            // An event loop that is closed has nobody left to tell.
            let _ = Bound::new(py, call)
                .and_then(|call| event_loop.call_method1(py, "call_soon_threadsafe", (call,)));
        }));
        match told.await {
            Ok(Err(error)) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("A function that was told of a rebalance failed: {error}."),
            )),
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

/// Calls a function when the event loop calls it.
#[pyclass(frozen, module = "headwater._headwater", name = "_RebalanceCall")]
struct Call {
    function: Py<PyAny>,
    rebalance: Rebalance,
    told: Told,
}

#[pymethods]
impl Call {
    fn __call__(&self, py: Python<'_>) {
        let Some(told) = self.told.lock().take() else {
            return;
        };
        let result = rebalances::call(py, &self.function, &self.rebalance);
        let is_awaitable = |value: &Bound<'_, PyAny>| value.hasattr("__await__").unwrap_or(false);
        match result {
            Ok(value) if is_awaitable(&value) => follow(&value, told),
            result => {
                // Who waited may have been cancelled.
                let _ = told.send(result.map(drop));
            }
        }
    }
}

/// Waits for a coroutine in the event loop.
fn follow(coroutine: &Bound<'_, PyAny>, told: oneshot::Sender<PyResult<()>>) {
    let done = Done(Mutex::new(Some(told)));
    let followed = coroutine
        .py()
        .import("asyncio")
        .and_then(|asyncio| asyncio.call_method1("ensure_future", (coroutine,)))
        .and_then(|task| task.call_method1("add_done_callback", (done,)));
    if let Err(error) = followed {
        error.write_unraisable(coroutine.py(), None);
    }
}

/// Hears that a coroutine has ended.
#[pyclass(frozen, module = "headwater._headwater", name = "_RebalanceDone")]
struct Done(Told);

#[pymethods]
impl Done {
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        if let Some(told) = self.0.lock().take() {
            let _ = told.send(task.call_method0("result").map(drop));
        }
    }
}
