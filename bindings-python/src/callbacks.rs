//! The one thread that tells Python about results: it runs `add_done_callback` functions and wakes event loops.
//!
//! Results become known in threads that cannot run Python code: one of the runtime, or one in the middle of an append.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::runtime::generation;

/// What the thread does next. It may call Python; it must not wait for long.
pub(crate) type Job = Box<dyn FnOnce(Python<'_>) + Send>;

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
    generation: u32,
}

static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

/// Runs `job` in the thread of callbacks, after those that were given before.
pub(crate) fn run(job: Job) {
    let mut worker = WORKER.lock();
    if worker
        .as_ref()
        .is_some_and(|worker| worker.generation != generation())
    {
        // A child of fork() has no such thread: leave what belongs to the parent alone.
        std::mem::forget(worker.take());
    }
    if worker.is_none() {
        *worker = start();
    }
    if let Some(worker) = worker.as_ref() {
        // The thread ends only when this sender does.
        let _ = worker.jobs.send(job);
    }
}

/// Runs what is left and ends the thread. The caller does not hold the GIL.
pub(crate) fn finish() {
    // Not held while the last callbacks run: they may give more.
    let worker = WORKER.try_lock().and_then(|mut worker| worker.take());
    match worker {
        Some(worker) if worker.generation == generation() => {
            drop(worker.jobs);
            // A callback that failed has been reported by its own hook.
            let _ = worker.thread.join();
        }
        inherited => std::mem::forget(inherited),
    }
}

fn start() -> Option<Worker> {
    let (jobs, queue) = channel::<Job>();
    let thread = std::thread::Builder::new()
        .name("headwater-callbacks".into())
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
    Some(Worker {
        jobs,
        thread,
        generation: generation(),
    })
}
