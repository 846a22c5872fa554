//! Waits for the core in threads of Python: without the GIL, in slices, so that Ctrl-C is handled. Also handles the
//! exit of the interpreter.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use headwater::{ErrorKind, PerProcess, forks};
use parking_lot::Mutex;
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::callbacks;
use crate::errors;
use crate::functions::{Functions, Request};
use crate::texts::Origin;

/// The interval between two checks for signals. Ctrl-C must be handled within 100 ms.
pub(crate) const SLICE: Duration = Duration::from_millis(40);

/// The time that exit waits for unsent records.
const EXIT: Duration = Duration::from_secs(30);

/// Every engine that was opened in this process, so that exit can close the remaining ones.
static OPEN: PerProcess<Mutex<Vec<Weak<EngineHandle>>>> = PerProcess::new(Mutex::default);

/// A value of the core, bound to the process that created it.
///
/// A child of `fork()` has none of the threads of its parent and shares its files. So in the child the value can be
/// neither used (an error) nor dropped (it stays until the child ends).
#[derive(Debug)]
pub(crate) struct CoreValue<T: Send> {
    value: ManuallyDrop<T>,
    forks: u32,
}

impl<T: Send> CoreValue<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            forks: forks(),
        }
    }

    /// Whether this is the process that created it.
    fn is_ours(&self) -> bool {
        self.forks == forks()
    }

    /// The value for changes, unless this is a child process.
    pub(crate) fn get_mut(&mut self) -> PyResult<&mut T> {
        if self.is_ours() {
            Ok(&mut self.value)
        } else {
            Err(errors::forked())
        }
    }

    /// The value, unless this is a child process.
    pub(crate) fn get(&self) -> PyResult<&T> {
        self.if_ours().ok_or_else(errors::forked)
    }

    /// The same for the garbage collector, which must not create an error: that needs the interpreter.
    pub(crate) fn if_ours(&self) -> Option<&T> {
        self.is_ours().then_some(&self.value)
    }
}

impl<T: Send> Drop for CoreValue<T> {
    #[expect(
        unsafe_code,
        reason = "ManuallyDrop is the only way not to drop a field"
    )]
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        // SAFETY: this is the only place that takes the value, and `self` ends here.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        // The last handle of an engine flushes and joins threads, which may need the GIL.
        let mut value = Some(value);
        if Python::try_attach(|py| py.detach(|| drop(value.take()))).is_none() {
            drop(value);
        }
    }
}

/// Waits for `future` in this thread, without the GIL. Raises the exception of a signal handler (`KeyboardInterrupt`).
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    runtime: &Handle,
    future: impl Future<Output = T> + Send,
) -> PyResult<T> {
    match wait_until(py, runtime, future, None)? {
        Some(value) => Ok(value),
        None => Err(errors::timed_out(
            "The call did not finish within its timeout: use a longer one.",
        )),
    }
}

/// Like [`wait`], but returns `None` at `deadline`.
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
        let polled = py.detach(|| headwater::block_on_for(runtime, future.as_mut(), left));
        if let Poll::Ready(value) = polled {
            return Ok(Some(value));
        }
        py.check_signals()?;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(None);
        }
    }
}

/// The end of a timeout in seconds; `None` never ends.
pub(crate) fn deadline(timeout: Option<f64>) -> PyResult<Option<Instant>> {
    let timeout = timeout.map(duration).transpose()?;
    Ok(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
}

/// A timeout in seconds. A negative one is already over.
pub(crate) fn duration(seconds: f64) -> PyResult<Duration> {
    if seconds.is_nan() {
        return Err(errors::invalid(
            "The timeout is not a number: use seconds, or None to wait for ever.",
        ));
    }
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// Repeats a `KeyboardInterrupt` that cannot be raised here: it is raised as soon as Python code runs.
pub(crate) fn interrupt_again() {
    #[expect(unsafe_code, reason = "there is no safe name for it")]
    // SAFETY: the call only sets a flag, and is allowed at any time.
    unsafe {
        pyo3::ffi::PyErr_SetInterrupt();
    }
}

/// Like [`wait`], but raises the error of the core.
pub(crate) fn call<T: Send>(
    py: Python<'_>,
    runtime: &Handle,
    future: impl Future<Output = headwater::Result<T>> + Send,
) -> PyResult<T> {
    wait(py, runtime, future)?.map_err(errors::raise)
}

/// Like [`call`], for work that calls Python functions meanwhile: they run in this thread.
pub(crate) fn call_with<T: Send, W: Future<Output = headwater::Result<T>> + Send>(
    py: Python<'_>,
    runtime: &Handle,
    work: impl FnOnce(Functions) -> W,
) -> PyResult<T> {
    enum Step<T> {
        Over(headwater::Result<T>),
        Function(Request),
    }
    let (functions, mut requests) = Functions::in_thread();
    let mut work = pin!(work(functions));
    loop {
        let mut step = pin!(async {
            tokio::select! {
                biased;
                result = work.as_mut() => Step::Over(result),
                Some(request) = requests.recv() => Step::Function(request),
            }
        });
        match py.detach(|| headwater::block_on_for(runtime, step.as_mut(), SLICE)) {
            Poll::Ready(Step::Over(result)) => return result.map_err(errors::raise),
            Poll::Ready(Step::Function(request)) => request.run(py),
            Poll::Pending => py.check_signals()?,
        }
    }
}

/// An engine. Every object created from it keeps it open.
#[derive(Debug)]
pub(crate) struct EngineHandle {
    engine: CoreValue<headwater::Engine>,
    runtime: Handle,
    origin: Origin,
}

impl EngineHandle {
    /// Takes over an engine; exit closes it if it is still open.
    pub(crate) fn new(engine: headwater::Engine, origin: Origin) -> Arc<Self> {
        let runtime = engine.runtime().clone();
        let embedded = Arc::new(Self {
            engine: CoreValue::new(engine),
            runtime,
            origin,
        });
        let mut open = OPEN.lock();
        open.retain(|other| other.strong_count() > 0);
        open.push(Arc::downgrade(&embedded));
        embedded
    }

    /// The engine, open or closed.
    pub(crate) fn engine(&self) -> PyResult<&headwater::Engine> {
        USER.with(|_| ());
        self.engine.get()
    }

    /// The client, if the engine is open.
    pub(crate) fn client(&self) -> PyResult<&headwater::Client> {
        let engine = self.engine()?;
        engine.check().map_err(|error| match error.kind() {
            ErrorKind::Closed => {
                errors::closed("The client is closed: create another one with headwater.open() or headwater.connect().")
            }
            _ => errors::raise(error),
        })?;
        Ok(engine.client())
    }

    /// Fails in a child of `fork()`, and when the engine is closed.
    pub(crate) fn check(&self) -> PyResult<()> {
        self.client().map(drop)
    }

    /// The runtime that drives its work.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// The data of its client.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The time that exit waits for remaining threads.
const LEFT_BEHIND: Duration = Duration::from_millis(300);

/// The number of threads that use an engine, or have used one and are still running.
static USERS: PerProcess<AtomicUsize> = PerProcess::new(|| AtomicUsize::new(0));

thread_local! {
    static USER: User = User::new();
}

/// A thread in [`USERS`].
struct User {
    forks: u32,
}

impl User {
    fn new() -> Self {
        USERS.fetch_add(1, Ordering::SeqCst);
        Self { forks: forks() }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if self.forks == forks() {
            USERS.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Counts this thread as a user of an engine until it ends.
pub(crate) fn count_as_user() {
    USER.with(|_| ());
}

/// Waits briefly for the remaining threads. If the interpreter exits while one is in the middle of a call from here to
/// Python, it kills the thread, and before Python 3.14 the whole process.
fn wait_for_users() {
    let until = Instant::now() + LEFT_BEHIND;
    USER.with(|_| ());
    while USERS.load(Ordering::SeqCst) > 1 && Instant::now() < until {
        thread::sleep(Duration::from_millis(2));
    }
}

/// The thread in which the interpreter exits; set at exit.
static EXITING: OnceLock<ThreadId> = OnceLock::new();

/// Whether the interpreter is exiting and this is a Python thread that it does not wait for: a daemon.
pub(crate) fn is_left_behind() -> bool {
    EXITING
        .get()
        .is_some_and(|exiting| *exiting != thread::current().id() && !callbacks::is_here())
}

/// Runs at exit: closes every engine, then runs the last callbacks.
#[pyfunction]
fn _at_exit(py: Python<'_>) {
    EXITING.get_or_init(|| thread::current().id());
    py.detach(|| {
        let open = std::mem::take(&mut *OPEN.lock());
        for embedded in open.iter().filter_map(Weak::upgrade) {
            let Ok(engine) = embedded.engine() else {
                continue;
            };
            // Records that take longer are lost, as if the process had been killed: they were never acknowledged.
            if let Err(error) = engine.close_within(EXIT) {
                tracing::warn!(%error, "records could not be sent before the interpreter exited, and are lost");
            }
        }
        wait_for_users();
        callbacks::finish();
    });
}

/// Registers the exit function: it runs before `logging` closes its handlers, because `logging` has already registered
/// its own.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    py.import("headwater._logging")?;
    let at_exit = wrap_pyfunction!(_at_exit, module)?;
    py.import("atexit")?.call_method1("register", (at_exit,))?;
    // From here on forks are counted.
    forks();
    Ok(())
}
