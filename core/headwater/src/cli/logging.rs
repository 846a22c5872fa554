//! The log of a command, on standard error.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use super::exit::Failure;

/// Logs the events that `filter` selects. Does nothing in a process that already has a logger.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let filter: Targets = filter.parse().map_err(|error| {
        Failure::Usage(format!(
            "--log {filter} is not a filter ({error}): use a level such as info, or directives such as headwater_server=debug,warn."
        ))
    })?;
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(filter);
    let _ = tracing_subscriber::registry().with(log).try_init();
    Ok(())
}
