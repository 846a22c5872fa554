//! Whether the threads that serve interrupt who runs, when they are woken.
//!
//! A producer has several requests on the way: served in turn they add up, and are received, written and answered together. A consumer, and
//! who asks for anything else, waits for one answer: it is served at once.

use std::cell::Cell;

use headwater_env::Wake;
use headwater_protocol::ApiKey;

thread_local! {
    static WANTED: Cell<Wake> = const { Cell::new(Wake::AtOnce) };
    static IN_FORCE: Cell<Wake> = const { Cell::new(Wake::AtOnce) };
}

/// The calling thread has begun a request of `api`; the next is likely to be another one.
pub(crate) fn note(api: ApiKey) {
    WANTED.set(match api {
        ApiKey::Produce => Wake::InTurn,
        _ => Wake::AtOnce,
    });
}

/// The calling thread has nothing to do for now: settles how it is woken.
pub(crate) fn before_sleep() {
    let wanted = WANTED.get();
    if wanted != IN_FORCE.replace(wanted)
        && let Err(error) = headwater_env::wake_this_thread(wanted)
    {
        tracing::debug!(%error, "a thread keeps its scheduling policy");
    }
}
