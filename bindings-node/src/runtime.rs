//! Runs futures of the core as promises, and tracks the open engines.

use std::panic::AssertUnwindSafe;
use std::ptr;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use headwater::{Error, ErrorKind};
use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi::{Env, ValueType, check_status, sys};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::abort::Abort;
use crate::errors;
use crate::event_loop::{Environment, EventLoop};
use crate::owned::CoreValue;
use crate::sends::Sends;

/// The time that the exit of a process waits for unsent records.
const EXIT: Duration = Duration::from_secs(30);

/// Every open engine, with the environment that opened it.
static OPEN: Mutex<Vec<(usize, Weak<EngineHandle>)>> = Mutex::new(Vec::new());

/// An engine. Every object created from it keeps it open.
#[derive(Debug)]
pub(crate) struct EngineHandle {
    engine: CoreValue<headwater::Engine>,
    /// The records that producers accepted and did not pass to the core yet.
    sends: Mutex<Vec<Weak<Sends>>>,
}

impl EngineHandle {
    /// Takes over an engine; the end of the environment closes it if it is still open.
    pub(crate) fn new(engine: headwater::Engine, environment: usize) -> Arc<Self> {
        let embedded = Arc::new(Self {
            engine: CoreValue::new(engine),
            sends: Mutex::default(),
        });
        let mut open = OPEN.lock();
        open.retain(|(_, other)| other.strong_count() > 0);
        open.push((environment, Arc::downgrade(&embedded)));
        embedded
    }

    pub(crate) fn engine(&self) -> &headwater::Engine {
        &self.engine
    }

    pub(crate) fn runtime(&self) -> &Handle {
        self.engine.runtime()
    }

    /// The client, if the engine is open.
    pub(crate) fn client(&self, env: &Env) -> napi::Result<&headwater::Client> {
        match self.engine.check() {
            Ok(()) => Ok(self.engine.client()),
            Err(error) if error.kind() == ErrorKind::Closed => {
                let message = "The client is closed: create another one with open() or connect().";
                Err(errors::raise(env, &Error::new(ErrorKind::Closed, message)))
            }
            Err(error) => Err(errors::raise(env, &error)),
        }
    }

    pub(crate) fn add_sends(&self, sends: &Arc<Sends>) {
        let mut all = self.sends.lock();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(sends));
    }

    /// Sends the queued records of producers, then closes. Blocks.
    pub(crate) fn close_within(&self, timeout: Duration) -> headwater::Result<()> {
        if !self.engine.is_closed() {
            let all: Vec<_> = self.sends.lock().iter().filter_map(Weak::upgrade).collect();
            let handed_over = async {
                for sends in all {
                    sends.idle().await;
                }
            };
            let limited = async { tokio::time::timeout(timeout, handed_over).await };
            // Records that are still queued are counted by the producers, or fail when they are closed.
            let _ = self.runtime().block_on(limited);
        }
        self.engine.close_within(timeout)
    }
}

/// Closes the engines that an environment opened. Records that take longer than `EXIT` are lost: they were never
/// acknowledged.
pub(crate) fn close_all(environment: usize) {
    let mut open = OPEN.lock();
    let (ours, others) = std::mem::take(&mut *open)
        .into_iter()
        .partition(|(of, _)| *of == environment);
    *open = others;
    drop(open);
    let ours: Vec<(usize, Weak<EngineHandle>)> = ours;
    for embedded in ours.iter().filter_map(|(_, embedded)| embedded.upgrade()) {
        // The environment has ended, so the error cannot be reported.
        let _ = embedded.close_within(EXIT);
    }
}

/// Closes the engines that the environment of the caller opened, at the exit of the process.
#[napi_derive::napi(catch_unwind)]
pub fn close_all_engines(env: Env) {
    close_all(env.raw() as usize);
}

/// A promise, as the result of a method.
#[derive(Debug)]
pub struct Answer(sys::napi_value);

impl TypeName for Answer {
    fn type_name() -> &'static str {
        "Promise"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for Answer {
    unsafe fn to_napi_value(_: sys::napi_env, answer: Self) -> napi::Result<sys::napi_value> {
        Ok(answer.0)
    }
}

/// Settles a promise once, in the thread of the event loop. Dropping it rejects the promise.
pub(crate) struct PromiseSettler {
    deferred: Option<NapiDeferred>,
    event_loop: Arc<EventLoop>,
}

struct NapiDeferred(sys::napi_deferred);

// SAFETY: only the thread of the event loop uses it.
unsafe impl Send for NapiDeferred {}
// SAFETY: as above; a reference to it gives no access.
unsafe impl Sync for NapiDeferred {}

/// The reason for rejecting a promise.
pub(crate) enum Failure {
    Error(Error),
    /// The caller's `AbortSignal`. TypeScript has its reason.
    Aborted,
}

impl PromiseSettler {
    /// A promise, and the object that settles it.
    pub(crate) fn new(env: &Env) -> napi::Result<(Self, Answer)> {
        let environment = Environment::of(env)?;
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        check_status!(
            // SAFETY: this is the thread of the environment.
            unsafe { sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise) },
            "Cannot create a promise"
        )?;
        environment.add_pending();
        let pending = Self {
            deferred: Some(NapiDeferred(deferred)),
            event_loop: Arc::clone(&environment.event_loop),
        };
        Ok((pending, Answer(promise)))
    }

    /// Settles the promise. `convert` creates its value.
    pub(crate) fn settle<T: Send + 'static, R: ToNapiValue>(
        mut self,
        result: Result<T, Failure>,
        convert: impl FnOnce(&Env, T) -> napi::Result<R> + Send + 'static,
    ) {
        let Some(deferred) = self.deferred.take() else {
            return;
        };
        self.event_loop.push(Box::new(move |env| {
            match result.map(|value| converted(env, value, convert)) {
                Ok(Ok(value)) => deferred.resolve(env, value),
                Ok(Err(reason)) => deferred.reject(env, reason),
                Err(Failure::Error(error)) => deferred.reject(env, errors::to_js(env, &error)),
                Err(Failure::Aborted) => deferred.reject(env, errors::aborted(env)),
            }
        }));
    }
}

/// The JavaScript value, or the reason for the rejection.
fn converted<T, R: ToNapiValue>(
    env: &Env,
    value: T,
    convert: impl FnOnce(&Env, T) -> napi::Result<R>,
) -> Result<sys::napi_value, sys::napi_value> {
    let convert = || {
        let value = convert(env, value)?;
        // SAFETY: this is the thread of the environment.
        unsafe { R::to_napi_value(env.raw(), value) }
    };
    match std::panic::catch_unwind(AssertUnwindSafe(convert)) {
        Ok(converted) => converted.map_err(|error| errors::value_of(env, error)),
        Err(panic) => Err(errors::to_js(env, &errors::panicked(&*panic))),
    }
}

impl NapiDeferred {
    fn resolve(self, env: &Env, value: sys::napi_value) {
        // SAFETY: this is the thread of the environment, and a deferred is used once.
        unsafe { sys::napi_resolve_deferred(env.raw(), self.0, value) };
        settled(env);
    }

    fn reject(self, env: &Env, reason: sys::napi_value) {
        // SAFETY: as above.
        unsafe { sys::napi_reject_deferred(env.raw(), self.0, reason) };
        settled(env);
    }
}

fn settled(env: &Env) {
    if let Ok(environment) = Environment::of(env) {
        environment.remove_pending();
    }
}

impl Drop for PromiseSettler {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            let message = "The client was closed before the call ended: open it again.";
            let pending = Self {
                deferred: Some(deferred),
                event_loop: Arc::clone(&self.event_loop),
            };
            let failure = Failure::Error(Error::new(ErrorKind::Closed, message));
            pending.settle(Err::<(), _>(failure), |_, ()| Ok(()));
        }
    }
}

/// Runs a future of the core in the threads of its engine, for a promise.
pub(crate) fn promise<T: Send + 'static, R: ToNapiValue>(
    env: &Env,
    runtime: &Handle,
    abort: Option<&Abort>,
    work: impl Future<Output = headwater::Result<T>> + Send + 'static,
    convert: impl FnOnce(&Env, T) -> napi::Result<R> + Send + 'static,
) -> napi::Result<Answer> {
    let (pending, answer) = PromiseSettler::new(env)?;
    let aborted = abort.map(Abort::aborted);
    runtime.spawn(async move {
        let work = AssertUnwindSafe(work).catch_unwind();
        let result = match aborted {
            None => work.await,
            Some(aborted) => tokio::select! {
                biased;
                () = aborted => {
                    pending.settle(Err::<T, _>(Failure::Aborted), convert);
                    return;
                }
                result = work => result,
            },
        };
        pending.settle(flatten(result), convert);
    });
    Ok(answer)
}

/// Runs blocking work in its own thread, for a promise.
pub(crate) fn blocking<T: Send + 'static, R: ToNapiValue>(
    env: &Env,
    work: impl FnOnce() -> headwater::Result<T> + Send + 'static,
    convert: impl FnOnce(&Env, T) -> napi::Result<R> + Send + 'static,
) -> napi::Result<Answer> {
    let (pending, answer) = PromiseSettler::new(env)?;
    let run = move || {
        let result = std::panic::catch_unwind(AssertUnwindSafe(work));
        pending.settle(flatten(result), convert);
    };
    let thread = thread::Builder::new().name("headwater-call".to_owned());
    // Without a thread the work is dropped, which rejects the promise.
    let _ = thread.spawn(run);
    Ok(answer)
}

fn flatten<T>(result: thread::Result<headwater::Result<T>>) -> Result<T, Failure> {
    match result {
        Ok(result) => result.map_err(Failure::Error),
        Err(panic) => Err(Failure::Error(errors::panicked(&*panic))),
    }
}
