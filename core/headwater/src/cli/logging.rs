//! The log of a command, on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use super::exit::Failure;

/// Logs what `filter` lets through. A process that logs already goes on as it does.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::Usage(format!(
            "--log {filter} is no filter ({error}): give a level such as info, or directives such as headwater_server=debug,warn."
        ))
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false);
    let _ = log.try_init();
    Ok(())
}
