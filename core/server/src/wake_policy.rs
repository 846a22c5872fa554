//! The wake-up policy of server threads: whether a thread preempts the running one when it is woken.
//!
//! A producer has several requests in flight. If its thread is woken without preemption, requests add up and are
//! received, written and answered together. Other clients wait for single responses, so their threads are woken at
//! once.

use std::cell::Cell;

use headwater_env::Wake;
use headwater_protocol::ApiKey;

thread_local! {
    static NEXT: Cell<Wake> = const { Cell::new(Wake::AtOnce) };
    static CURRENT: Cell<Wake> = const { Cell::new(Wake::AtOnce) };
}

/// Records that the calling thread has started a request of `api`; the next one is likely the same.
pub(crate) fn note(api: ApiKey) {
    NEXT.set(match api {
        ApiKey::Produce => Wake::InTurn,
        _ => Wake::AtOnce,
    });
}

/// Applies the policy of the calling thread before it sleeps.
pub(crate) fn before_sleep() {
    let wanted = NEXT.get();
    if wanted != CURRENT.replace(wanted)
        && let Err(error) = headwater_env::wake_this_thread(wanted)
    {
        tracing::debug!(%error, "a thread keeps its scheduling policy");
    }
}
