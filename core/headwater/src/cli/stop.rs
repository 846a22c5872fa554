//! The signals that stop a command.

use std::io;
use std::process;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Exit, Failure};

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
        let (terminate, interrupt) = signals(&runtime)?;
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

    /// Waits for the first signal, on any runtime. From then on, another signal ends the process at once.
    pub(crate) async fn asked(&mut self) -> Failure {
        let exit = asked(&mut self.terminate, &mut self.interrupt).await;
        if let Ok((mut terminate, mut interrupt)) = signals(&self.runtime) {
            self.runtime.spawn(async move {
                let exit = asked(&mut terminate, &mut interrupt).await;
                process::exit(exit.code().into());
            });
        }
        Failure::Stopped(exit)
    }
}

fn signals(runtime: &Runtime) -> io::Result<(Signal, Signal)> {
    let _context = runtime.enter();
    Ok((
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ))
}

async fn asked(terminate: &mut Signal, interrupt: &mut Signal) -> Exit {
    tokio::select! {
        _ = terminate.recv() => Exit::Terminated,
        _ = interrupt.recv() => Exit::Interrupted,
    }
}
