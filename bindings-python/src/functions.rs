//! Calls Python functions from a running call of the core, for rebalances and for progress. They run in the thread that
//! waits for the call, or in its event loop. The work waits for them, and must not hold a lock meanwhile: they may use
//! the same object.

use std::sync::Arc;

use headwater::{Error, ErrorKind};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::callbacks;

type Function = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Reply = oneshot::Sender<PyResult<()>>;

/// Calls functions for the work of one call.
#[derive(Debug)]
pub(crate) enum Functions {
    /// In the thread that waits for the work.
    InThread(UnboundedSender<Request>),
    /// In the event loop that awaits the work. Coroutines that they return are awaited.
    InEventLoop(Arc<Py<PyAny>>),
}

/// A function call for the thread that waits for the work.
pub(crate) struct Request {
    function: Function,
    reply: Reply,
}

impl Request {
    pub(crate) fn run(self, py: Python<'_>) {
        let result = (self.function)(py).map(drop);
        // The work may have been dropped.
        let _ = self.reply.send(result);
    }
}

impl Functions {
    /// For work that this thread waits for, with the requests that the thread receives meanwhile.
    pub(crate) fn in_thread() -> (Self, UnboundedReceiver<Request>) {
        let (sender, requests) = unbounded_channel();
        (Self::InThread(sender), requests)
    }

    /// Must be called in the thread of the event loop.
    pub(crate) fn in_event_loop(py: Python<'_>) -> PyResult<Self> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let event_loop = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
        Ok(Self::InEventLoop(Arc::new(event_loop.unbind())))
    }

    /// Calls `function` and waits for it. An exception becomes the error.
    pub(crate) async fn call(
        &self,
        function: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> headwater::Result<()> {
        let function = Box::new(function);
        let (reply, result) = oneshot::channel();
        match self {
            Self::InThread(requests) => {
                // If the thread no longer waits, it has dropped this work.
                let _ = requests.send(Request { function, reply });
            }
            Self::InEventLoop(event_loop) => {
                let event_loop = Arc::clone(event_loop);
                callbacks::run(Box::new(move |py| {
                    let call = FunctionCall(Mutex::new(Some(Request { function, reply })));
                    // A closed event loop makes no calls.
                    let _ = Bound::new(py, call).and_then(|call| {
                        event_loop.call_method1(py, "call_soon_threadsafe", (call,))
                    });
                }));
            }
        }
        match result.await {
            Ok(Err(error)) => {
                let message = "A function that was passed to the call raised an exception.";
                Err(Error::new(ErrorKind::InvalidArgument, message).caused_by(error))
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }
}

/// Calls a function when the event loop calls it.
#[pyclass(frozen, module = "headwater._headwater", name = "_FunctionCall")]
struct FunctionCall(Mutex<Option<Request>>);

#[pymethods]
impl FunctionCall {
    fn __call__(&self, py: Python<'_>) {
        let Some(Request { function, reply }) = self.0.lock().take() else {
            return;
        };
        match function(py).map(|result| result.into_bound(py)) {
            Ok(result) if result.hasattr("__await__").unwrap_or(false) => follow(&result, reply),
            result => {
                // The work may have been cancelled.
                let _ = reply.send(result.map(drop));
            }
        }
    }
}

/// Waits for a coroutine in the event loop.
fn follow(coroutine: &Bound<'_, PyAny>, reply: Reply) {
    let done = CoroutineDone(Mutex::new(Some(reply)));
    let followed = coroutine
        .py()
        .import("asyncio")
        .and_then(|asyncio| asyncio.call_method1("ensure_future", (coroutine,)))
        .and_then(|task| task.call_method1("add_done_callback", (done,)));
    if let Err(error) = followed {
        error.write_unraisable(coroutine.py(), None);
    }
}

/// Passes on the result of a coroutine when it has ended.
#[pyclass(frozen, module = "headwater._headwater", name = "_CoroutineDone")]
struct CoroutineDone(Mutex<Option<Reply>>);

#[pymethods]
impl CoroutineDone {
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        if let Some(reply) = self.0.lock().take() {
            let _ = reply.send(task.call_method0("result").map(drop));
        }
    }
}
