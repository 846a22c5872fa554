//! The event loop of a Node environment: the thread where promises are created and settled.
//!
//! An environment is a JavaScript thread: the main one, or a worker. Threads of the core push jobs; the first one wakes
//! the loop, which runs all queued jobs. While promises are pending the loop stays alive; otherwise it may end.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{FunctionCallContext, Object, retain_current_module_for_unload_safety};
use napi::{Env, check_status, sys};
use napi_derive::napi;
use parking_lot::Mutex;

use crate::runtime;

/// Work for the thread of the event loop.
pub(crate) type Job = Box<dyn FnOnce(&Env) + Send>;

/// The queue of an event loop. Any thread may push.
#[derive(Default)]
pub(crate) struct EventLoop {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// Wakes the loop. `None` before its start and after its end.
    function: Option<Function>,
    is_woken: bool,
}

/// A thread-safe function of Node-API: any thread may call it until it is finalised.
struct Function(sys::napi_threadsafe_function);

// SAFETY: Node-API allows calls from any thread; `Queue` drops it when it is finalised.
unsafe impl Send for Function {}

impl EventLoop {
    /// Passes a job to the loop. A loop that has ended drops it.
    pub(crate) fn push(&self, job: Job) {
        let mut queue = self.queue.lock();
        let Some(Function(function)) = queue.function else {
            return;
        };
        queue.jobs.push(job);
        if !queue.is_woken {
            // SAFETY: the function is alive: its finaliser removes it from the queue, under the same lock.
            let status = unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
            queue.is_woken = status == sys::Status::napi_ok;
        }
    }

    fn take(&self) -> Vec<Job> {
        let mut queue = self.queue.lock();
        queue.is_woken = false;
        std::mem::take(&mut queue.jobs)
    }
}

/// The state of an environment's thread.
pub(crate) struct Environment {
    env: sys::napi_env,
    pub(crate) event_loop: Arc<EventLoop>,
    function: sys::napi_threadsafe_function,
    /// Creates the errors of TypeScript.
    pub(crate) make_error: Cell<sys::napi_ref>,
    pending: Cell<usize>,
}

thread_local! {
    static ENVIRONMENTS: RefCell<Vec<Rc<Environment>>> = const { RefCell::new(Vec::new()) };
}

impl Environment {
    /// The environment of a call.
    pub(crate) fn of(env: &Env) -> napi::Result<Rc<Self>> {
        let found = ENVIRONMENTS.with_borrow(|all| {
            let this = all.iter().find(|known| known.env == env.raw());
            this.map(Rc::clone)
        });
        found.ok_or_else(|| napi::Error::from_reason("initialise() was not called."))
    }

    /// Counts a pending promise: the first one keeps the loop alive.
    pub(crate) fn add_pending(&self) {
        self.pending.set(self.pending.get() + 1);
        if self.pending.get() == 1 {
            // SAFETY: this is the thread of the environment, whose function is alive.
            unsafe { sys::napi_ref_threadsafe_function(self.env, self.function) };
        }
    }

    /// Counts a settled promise: after the last one the loop may end.
    pub(crate) fn remove_pending(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
        if self.pending.get() == 0 {
            // SAFETY: as above.
            unsafe { sys::napi_unref_threadsafe_function(self.env, self.function) };
        }
    }
}

/// Prepares the environment of the caller. `makeError` creates errors from fields. Call it once, before all else.
#[napi(catch_unwind)]
pub fn initialise(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] make_error: napi::Unknown<'_>,
) -> napi::Result<()> {
    // Threads of the core run code of this module, which must not be unloaded when a worker ends.
    retain_current_module_for_unload_safety();
    let mut reference = ptr::null_mut();
    check_status!(
        // SAFETY: the value belongs to this environment.
        unsafe {
            sys::napi_create_reference(
                env.raw(),
                napi::JsValue::raw(&make_error),
                1,
                &raw mut reference,
            )
        },
        "Cannot keep the function that creates errors"
    )?;
    if let Ok(known) = Environment::of(&env) {
        known.make_error.set(reference);
        return Ok(());
    }
    let event_loop = Arc::new(EventLoop::default());
    let function = wake_function(&env, &event_loop)?;
    let environment = Rc::new(Environment {
        env: env.raw(),
        event_loop,
        function,
        make_error: Cell::new(reference),
        pending: Cell::new(0),
    });
    ENVIRONMENTS.with_borrow_mut(|all| all.push(environment));
    check_status!(
        // SAFETY: the hook gets the environment to which it is added.
        unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(ended), env.raw().cast()) },
        "Cannot watch the end of the environment"
    )
}

/// Runs when an environment ends, also after `worker.terminate()`.
unsafe extern "C" fn ended(env: *mut std::ffi::c_void) {
    let env: sys::napi_env = env.cast();
    let _ = catch_unwind(|| runtime::close_all(env as usize));
    ENVIRONMENTS.with_borrow_mut(|all| all.retain(|known| known.env != env));
}

/// The function that wakes the loop. It does not keep the loop alive.
fn wake_function(
    env: &Env,
    event_loop: &Arc<EventLoop>,
) -> napi::Result<sys::napi_threadsafe_function> {
    let name = env.create_string("headwater")?;
    let resource = async_resource(env)?;
    let context = Arc::into_raw(Arc::clone(event_loop));
    let mut function = ptr::null_mut();
    check_status!(
        // SAFETY: the context is alive until `finalised` has run.
        unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                napi::JsValue::raw(&resource),
                napi::JsValue::raw(&name),
                0,
                1,
                context.cast_mut().cast(),
                Some(finalised),
                context.cast_mut().cast(),
                Some(run_jobs),
                &raw mut function,
            )
        },
        "Cannot reach the event loop"
    )?;
    // SAFETY: this is the thread of the environment, and the function was just created.
    unsafe { sys::napi_unref_threadsafe_function(env.raw(), function) };
    event_loop.queue.lock().function = Some(Function(function));
    Ok(function)
}

/// The object for async hooks. Its `hasRef()` returns whether the function keeps the event loop alive, as that of Node's
/// own handles: for tools that list open handles.
fn async_resource(env: &Env) -> napi::Result<Object<'_>> {
    let mut resource = Object::new(env)?;
    let has_ref = env.create_function_from_closure::<(), bool, _>(
        "hasRef",
        |call: FunctionCallContext<'_>| {
            let environment = Environment::of(call.env);
            Ok(environment.is_ok_and(|environment| environment.pending.get() > 0))
        },
    )?;
    resource.set("hasRef", has_ref)?;
    Ok(resource)
}

unsafe extern "C" fn finalised(
    _: sys::napi_env,
    event_loop: *mut std::ffi::c_void,
    _: *mut std::ffi::c_void,
) {
    // SAFETY: this is the reference created in `wake_function`.
    let event_loop = unsafe { Arc::from_raw(event_loop.cast::<EventLoop>().cast_const()) };
    let mut queue = event_loop.queue.lock();
    queue.function = None;
    let jobs = std::mem::take(&mut queue.jobs);
    drop(queue);
    drop(jobs);
}

unsafe extern "C" fn run_jobs(
    env: sys::napi_env,
    _: sys::napi_value,
    event_loop: *mut std::ffi::c_void,
    _: *mut std::ffi::c_void,
) {
    if env.is_null() {
        return; // The environment ends.
    }
    // SAFETY: `finalised` runs later in this thread.
    let event_loop = unsafe { &*event_loop.cast::<EventLoop>().cast_const() };
    let environment = Env::from_raw(env);
    for job in event_loop.take() {
        let mut scope = ptr::null_mut();
        // SAFETY: opened and closed in this thread, in order.
        unsafe { sys::napi_open_handle_scope(env, &raw mut scope) };
        // A panic must not cross into Node. The promises of the job are rejected when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&environment)));
        // SAFETY: as above.
        unsafe { sys::napi_close_handle_scope(env, scope) };
    }
}
