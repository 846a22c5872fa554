//! The threads behind an engine or a connected client: timers, background work, connections.

use headwater_client::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Runtime};

/// Requests run in their callers' threads.
const WORKERS: usize = 2;

/// Starts a runtime with the features that `enable` enables. Errors contain `owner`.
pub(crate) fn start(
    owner: &str,
    enable: impl FnOnce(&mut Builder) -> &mut Builder,
) -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_name("headwater");
    enable(&mut builder).build().map_err(|error| {
        Error::new(
            ErrorKind::Storage,
            format!("Cannot start the {owner}'s threads ({error}): the system's limit of threads or memory is reached; raise it, or stop other programs."),
        )
        .caused_by(error)
    })
}
