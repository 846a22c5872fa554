//! The signals that stop a command.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Failure;

/// Catches `SIGTERM` and `SIGINT` from its creation on, so that they do not kill the process.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// Drives the signals, independently of the command's own runtime.
    runtime: Runtime,
}

impl Stop {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::try_listen().map_err(|error| {
            Failure::Failed(format!(
                "Cannot wait for signals ({error}): the system's limit of threads or file descriptors is reached; raise it, or end \
                 something."
            ))
        })
    }

    fn try_listen() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("headwater-stop")
            .enable_io()
            .build()?;
        let context = runtime.enter();
        let (terminate, interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        drop(context);
        Ok(Self {
            terminate,
            interrupt,
            runtime,
        })
    }

    /// Waits in this thread for the first signal.
    pub(crate) fn wait(mut self) {
        let asked = asked(&mut self.terminate, &mut self.interrupt);
        self.runtime.block_on(asked);
    }

    /// Waits for the first signal, on any runtime.
    pub(crate) async fn asked(&mut self) {
        asked(&mut self.terminate, &mut self.interrupt).await;
    }
}

async fn asked(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
