//! The protocol of `concurrent.futures` and `asyncio.wrap_future` besides a future's public methods: its class and
//! three private attributes, which are the same from Python 3.10 to 3.14.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

use crate::future::Future;

/// The state of a future that a caller waits for together with others.
#[derive(Debug)]
pub(crate) struct WaitedFor {
    /// A `threading.Condition`. While it is held, the state and the waiters are consistent.
    condition: Py<PyAny>,
    waiters: Py<PyList>,
    is_finished: AtomicBool,
}

impl WaitedFor {
    fn new(py: Python<'_>, is_finished: bool) -> PyResult<Self> {
        static CONDITION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let condition = CONDITION.import(py, "threading", "Condition")?.call0()?;
        Ok(Self {
            condition: condition.unbind(),
            waiters: PyList::empty(py).unbind(),
            is_finished: AtomicBool::new(is_finished),
        })
    }

    /// Notifies the waiters of `future`.
    fn finish(&self, future: &Bound<'_, Future>) -> PyResult<()> {
        let py = future.py();
        let condition = self.condition.bind(py);
        let failed = matches!(future.get().handle.try_result(), Some(Err(_)));
        let tell = if failed {
            "add_exception"
        } else {
            "add_result"
        };
        condition.call_method0("acquire")?;
        self.is_finished.store(true, Ordering::SeqCst);
        let told = self
            .waiters
            .bind(py)
            .iter()
            .try_for_each(|waiter| waiter.call_method1(tell, (future,)).map(drop))
            .and_then(|()| condition.call_method0("notify_all"));
        condition.call_method0("release")?;
        told.map(drop)
    }
}

impl Future {
    /// The state for waiting, created at the first wait, which also sends the record.
    fn waited_for<'a>(slf: &'a Bound<'_, Self>) -> PyResult<&'a WaitedFor> {
        let (py, this) = (slf.py(), slf.get());
        if let Some(waited_for) = this.waited_for.get() {
            return Ok(waited_for);
        }
        let made = WaitedFor::new(py, this.handle.is_done())?;
        let is_pending = !made.is_finished.load(Ordering::SeqCst);
        if is_pending {
            this.producer.get().get()?;
        }
        if this.waited_for.set(made).is_ok() && is_pending {
            py.detach(|| this.handle.send_now());
            let future = slf.clone().unbind();
            this.when_done(Box::new(move |py| {
                let future = future.bind(py);
                let told = future
                    .get()
                    .waited_for
                    .get()
                    .map_or(Ok(()), |waited_for| waited_for.finish(future));
                if let Err(error) = told {
                    error.write_unraisable(py, Some(future));
                }
            }));
        }
        Self::waited_for(slf)
    }
}

#[pymethods]
impl Future {
    /// Always false: a record cannot be cancelled.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     producer.send("flights", b"late").cancel()
    /// False
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn cancel(&self) -> bool {
        false
    }

    /// Always false.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     producer.send("flights", b"late").cancelled()
    /// False
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn cancelled(&self) -> bool {
        false
    }

    /// Whether the result is not available yet.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     future = producer.send("flights", b"late")
    /// ...     producer.flush()
    /// ...     future.running()
    /// False
    fn running(&self) -> bool {
        !self.handle.is_done()
    }

    /// Makes `isinstance(future, concurrent.futures.Future)` true, which those functions check.
    #[getter(__class__)]
    fn class(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let class = CLASS.import(slf.py(), "concurrent.futures", "Future")?;
        Ok(class.clone().unbind())
    }

    #[getter(_condition)]
    fn condition(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Ok(Self::waited_for(slf)?.condition.clone_ref(slf.py()))
    }

    #[getter(_waiters)]
    fn waiters(slf: &Bound<'_, Self>) -> PyResult<Py<PyList>> {
        Ok(Self::waited_for(slf)?.waiters.clone_ref(slf.py()))
    }

    #[getter(_state)]
    fn state(slf: &Bound<'_, Self>) -> PyResult<&'static str> {
        let is_finished = &Self::waited_for(slf)?.is_finished;
        Ok(if is_finished.load(Ordering::SeqCst) {
            "FINISHED"
        } else {
            "RUNNING"
        })
    }
}
