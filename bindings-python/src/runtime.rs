//! Where Python's threads wait for the core: without the GIL, in slices, so that Ctrl-C is answered; and what happens at `fork()` and
//! at exit.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::callbacks;
use crate::errors;

/// Between two looks at signals. Ctrl-C must be answered within 100 ms.
pub(crate) const SLICE: Duration = Duration::from_millis(40);

/// What exit gives to records that were not sent yet.
const EXIT: Duration = Duration::from_secs(30);

/// How many forks lie between this process and the one that loaded the module.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Every engine that was opened in this process, so that exit can close those that are left.
static OPEN: Mutex<Vec<Weak<Embedded>>> = Mutex::new(Vec::new());

/// The generation of this process: differs in a child of `fork()`.
pub(crate) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// A value of the core, bound to the process that made it.
///
/// A child of `fork()` has none of the threads of its parent and shares its files, so there the value can be neither used (an error)
/// nor dropped (it stays as it is until the child ends).
#[derive(Debug)]
pub(crate) struct Owned<T: Send> {
    value: ManuallyDrop<T>,
    generation: u32,
}

impl<T: Send> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            generation: generation(),
        }
    }

    /// The value to change it, unless this is a child of its process.
    pub(crate) fn get_mut(&mut self) -> PyResult<&mut T> {
        if self.generation == generation() {
            Ok(&mut self.value)
        } else {
            Err(errors::forked())
        }
    }

    /// The value, unless this is a child of its process.
    pub(crate) fn get(&self) -> PyResult<&T> {
        if self.generation == generation() {
            Ok(&self.value)
        } else {
            Err(errors::forked())
        }
    }
}

impl<T: Send> Drop for Owned<T> {
    #[expect(
        unsafe_code,
        reason = "ManuallyDrop is the only way not to drop a field"
    )]
    fn drop(&mut self) {
        if self.generation != generation() {
            return;
        }
        // SAFETY: this is the only place that takes the value, and `self` ends here.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        // The last handle of an engine flushes and joins threads, which may want the GIL.
        let mut value = Some(value);
        if Python::try_attach(|py| py.detach(|| drop(value.take()))).is_none() {
            drop(value);
        }
    }
}

/// Waits for `future` in this thread: without the GIL, and raising what a signal handler raises (`KeyboardInterrupt`).
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    runtime: &Handle,
    future: impl Future<Output = T> + Send,
) -> PyResult<T> {
    match wait_until(py, runtime, future, None)? {
        Some(value) => Ok(value),
        None => Err(errors::timed_out("The call did not finish in its time.")),
    }
}

/// [`wait`] that gives up at `deadline` with `None`.
pub(crate) fn wait_until<T: Send>(
    py: Python<'_>,
    runtime: &Handle,
    future: impl Future<Output = T> + Send,
    deadline: Option<Instant>,
) -> PyResult<Option<T>> {
    let mut future = pin!(future);
    loop {
        let left = deadline.map_or(SLICE, |deadline| {
            deadline
                .saturating_duration_since(Instant::now())
                .min(SLICE)
        });
        let slice = async { tokio::time::timeout(left, future.as_mut()).await };
        if let Ok(value) = py.detach(|| runtime.block_on(slice)) {
            return Ok(Some(value));
        }
        py.check_signals()?;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(None);
        }
    }
}

/// When a time-out of so many seconds ends; `None` never does.
pub(crate) fn deadline(timeout: Option<f64>) -> PyResult<Option<Instant>> {
    let Some(seconds) = timeout else {
        return Ok(None);
    };
    if seconds.is_nan() {
        return Err(errors::invalid(
            "The timeout is not a number: give seconds, or None to wait for ever.",
        ));
    }
    let timeout = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Ok(Instant::now().checked_add(timeout))
}

/// After a `KeyboardInterrupt` that cannot be raised here: it is raised again as soon as Python code runs.
pub(crate) fn interrupt_again() {
    #[expect(unsafe_code, reason = "there is no safe name for it")]
    // SAFETY: it only sets a flag, and may be called at any time.
    unsafe {
        pyo3::ffi::PyErr_SetInterrupt();
    }
}

/// [`wait`], with the error of the core raised.
pub(crate) fn call<T: Send>(
    py: Python<'_>,
    runtime: &Handle,
    future: impl Future<Output = headwater::Result<T>> + Send,
) -> PyResult<T> {
    wait(py, runtime, future)?.map_err(errors::raise)
}

/// An engine and who keeps it open: each object that was made from it.
#[derive(Debug)]
pub(crate) struct Embedded {
    engine: Owned<headwater::Engine>,
    runtime: Handle,
    producers: Mutex<Vec<Weak<Owned<headwater::Producer>>>>,
}

impl Embedded {
    /// Takes an engine over; exit closes it if nobody else has.
    pub(crate) fn new(engine: headwater::Engine) -> Arc<Self> {
        let runtime = engine.runtime().clone();
        let embedded = Arc::new(Self {
            engine: Owned::new(engine),
            runtime,
            producers: Mutex::default(),
        });
        let mut open = OPEN.lock();
        open.retain(|other| other.strong_count() > 0);
        open.push(Arc::downgrade(&embedded));
        embedded
    }

    /// Remembers a producer, because closing the engine sends what it holds.
    pub(crate) fn adopt(&self, producer: headwater::Producer) -> Arc<Owned<headwater::Producer>> {
        let producer = Arc::new(Owned::new(producer));
        let mut producers = self.producers.lock();
        producers.retain(|other| other.strong_count() > 0);
        producers.push(Arc::downgrade(&producer));
        producer
    }

    /// The engine, open or closed.
    pub(crate) fn engine(&self) -> PyResult<&headwater::Engine> {
        self.engine.get()
    }

    /// The client, if the engine is open.
    pub(crate) fn client(&self) -> PyResult<&headwater::Client> {
        let engine = self.engine.get()?;
        if engine.is_closed() {
            return Err(errors::closed(
                "The client is closed: open it again with headwater.open().",
            ));
        }
        Ok(engine.client())
    }

    /// Fails in a child of `fork()`, and when the engine is closed.
    pub(crate) fn check(&self) -> PyResult<()> {
        self.client().map(drop)
    }

    /// What waits and works for it.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Sends what the producers hold. What cannot be sent is the affair of its futures.
    pub(crate) fn drain(&self) -> impl Future<Output = ()> + Send + use<> {
        let producers: Vec<_> = self
            .producers
            .lock()
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        async move {
            for producer in producers {
                if let Ok(producer) = producer.get() {
                    let _ = producer.close().await;
                }
            }
        }
    }
}

/// Runs at exit: closes every engine, then lets the last callbacks run.
#[pyfunction]
fn _at_exit(py: Python<'_>) {
    py.detach(|| {
        let open = OPEN
            .try_lock()
            .map(|mut open| std::mem::take(&mut *open))
            .unwrap_or_default();
        for embedded in open.iter().filter_map(Weak::upgrade) {
            let Ok(engine) = embedded.engine() else {
                continue;
            };
            if !engine.is_closed() {
                let drain = async { tokio::time::timeout(EXIT, embedded.drain()).await };
                // What takes longer is lost, as if the process had been killed: it was never acknowledged.
                let _ = embedded.runtime.block_on(drain);
            }
            engine.close();
        }
        callbacks::finish();
    });
}

/// Runs in the child of a fork, before anything else.
#[pyfunction]
fn _after_fork_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Registers what must run at exit and at fork.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let at_exit = wrap_pyfunction!(_at_exit, module)?;
    py.import("atexit")?.call_method1("register", (at_exit,))?;
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let hooks = pyo3::types::PyDict::new(py);
        hooks.set_item(
            "after_in_child",
            wrap_pyfunction!(_after_fork_in_child, module)?,
        )?;
        os.call_method("register_at_fork", (), Some(&hooks))?;
    }
    Ok(())
}
