//! `stats`: a Python function that is periodically called with the metrics of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater::{ClientMetrics, DeletionCounts, canonical_key};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::callbacks;
use crate::convert::config::type_name;
use crate::errors;
use crate::face::{Access, Face};
use crate::functions::Functions;
use crate::metrics::metrics;

/// The key that requires `stats`.
const INTERVAL: &str = "statistics.interval.ms";

/// The function, and the thread that calls it.
pub(crate) struct Stats {
    function: Arc<Py<PyAny>>,
    /// The event loop; `None`: the thread of callbacks.
    event_loop: Option<Arc<Functions>>,
}

impl Stats {
    /// Checks the argument `stats`. Must be called in the thread of the event loop, if there is one.
    pub(crate) fn new(
        function: Option<&Bound<'_, PyAny>>,
        face: Face,
        pairs: &[(String, String)],
    ) -> PyResult<Option<Self>> {
        let Some(function) = function else {
            let is_interval = |(key, _): &(String, String)| canonical_key(key) == INTERVAL;
            if pairs.iter().any(is_interval) {
                return Err(errors::config(&format!(
                    "{INTERVAL} has no effect without a function: pass stats=, or leave it out."
                )));
            }
            return Ok(None);
        };
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!(
                "stats must be a function, not {}",
                type_name(function)
            )));
        }
        let event_loop = match face {
            Face::Blocking => None,
            Face::Asyncio => Some(Arc::new(Functions::in_event_loop(function.py())?)),
        };
        Ok(Some(Self {
            function: Arc::new(function.clone().unbind()),
            event_loop,
        }))
    }

    /// Calls the function with the metrics every `statistics.interval.ms`, until the client is closed. Its exceptions
    /// are reported and do not stop it. A function slower than the interval misses reports.
    pub(crate) fn report(self, access: &Access) -> PyResult<()> {
        let embedded = access.downgrade();
        // `None` for a cluster, and after the engine is closed.
        let deletions = move || embedded.upgrade()?.engine().ok()?.deletions();
        let is_busy = Arc::new(AtomicBool::new(false));
        let runtime = access.runtime().clone();
        access.engine()?.client().report_metrics(move |collected| {
            if is_busy.swap(true, Ordering::AcqRel) {
                return;
            }
            let idle = Idle(Arc::clone(&is_busy));
            let function = Arc::clone(&self.function);
            let deletions = deletions();
            match &self.event_loop {
                None => callbacks::run(Box::new(move |py| {
                    if let Err(error) = call(py, &function, &collected, deletions) {
                        error.write_unraisable(py, Some(function.bind(py)));
                    }
                    drop(idle);
                })),
                Some(event_loop) => {
                    let event_loop = Arc::clone(event_loop);
                    runtime.spawn(async move {
                        let called = event_loop
                            .call(move |py| call(py, &function, &collected, deletions))
                            .await;
                        if let Err(error) = called {
                            raised(&error);
                        }
                        drop(idle);
                    });
                }
            }
        });
        Ok(())
    }
}

/// Allows the next report when this one has ended.
struct Idle(Arc<AtomicBool>);

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn call(
    py: Python<'_>,
    function: &Py<PyAny>,
    collected: &ClientMetrics,
    deletions: Option<DeletionCounts>,
) -> PyResult<Py<PyAny>> {
    function.call1(py, (metrics(py, collected, deletions)?,))
}

/// Reports an exception of the function in the event loop.
fn raised(error: &headwater::Error) {
    let source = std::error::Error::source(error);
    if let Some(raised) = source.and_then(|source| source.downcast_ref::<PyErr>()) {
        Python::try_attach(|py| raised.clone_ref(py).write_unraisable(py, None));
    }
}
