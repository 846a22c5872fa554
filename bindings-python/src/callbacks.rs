//! The thread that passes results to Python: it runs `add_done_callback` functions and wakes event loops.
//!
//! Results become available in threads that cannot run Python code: a thread of the runtime, or one in the middle of an
//! append.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use headwater::PerProcess;
use parking_lot::Mutex;
use pyo3::prelude::*;

/// A job for the thread. It may call Python, and must not wait for long.
pub(crate) type Job = Box<dyn FnOnce(Python<'_>) + Send>;

const NAME: &str = "headwater-callbacks";

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

/// A child of `fork()` does not have the thread.
static WORKER: PerProcess<Mutex<Option<Worker>>> = PerProcess::new(Mutex::default);

/// Runs `job` in the thread of callbacks, after earlier jobs.
pub(crate) fn run(job: Job) {
    let mut worker = WORKER.lock();
    if worker.is_none() {
        *worker = start();
    }
    if let Some(worker) = worker.as_ref() {
        // The thread ends only when this sender does.
        let _ = worker.jobs.send(job);
    }
}

/// Runs the remaining jobs and ends the thread. The caller must not hold the GIL.
pub(crate) fn finish() {
    // Released while the last callbacks run: they may add more.
    let worker = WORKER.try_lock().and_then(|mut worker| worker.take());
    if let Some(worker) = worker {
        drop(worker.jobs);
        // A failed callback has been reported by its own hook.
        let _ = worker.thread.join();
    }
}

/// Whether this is the thread of callbacks.
pub(crate) fn is_here() -> bool {
    thread::current().name() == Some(NAME)
}

fn start() -> Option<Worker> {
    let (jobs, queue) = channel::<Job>();
    let thread = thread::Builder::new()
        .name(NAME.into())
        .spawn(move || {
            while let Ok(first) = queue.recv() {
                let alive = Python::try_attach(|py| {
                    first(py);
                    for job in queue.try_iter() {
                        job(py);
                    }
                });
                if alive.is_none() {
                    return;
                }
            }
        })
        .ok()?;
    Some(Worker { jobs, thread })
}
