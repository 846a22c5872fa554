//! Whether a broker is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_env::forks;
use tokio::sync::Notify;

/// Whether a broker is open. It is closed once and stays closed.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    open: AtomicBool,
    forks: u32,
    closing: Arc<Notify>,
}

impl Lifecycle {
    /// The lifecycle of an open broker.
    pub(crate) fn new() -> Self {
        Self {
            open: AtomicBool::new(true),
            forks: forks(),
            closing: Arc::default(),
        }
    }

    /// Whether requests are handled. Never in a child of `fork()`, because the parent owns the directory.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) && self.forks == forks()
    }

    /// Refuses requests from now on and ends housekeeping. Returns whether the broker was open.
    pub(crate) fn begin_close(&self) -> bool {
        let was_open = self.is_open() && self.open.swap(false, Ordering::SeqCst);
        if was_open {
            self.closing.notify_one();
        }
        was_open
    }

    /// Notified when the broker begins to close.
    pub(crate) fn closing(&self) -> &Arc<Notify> {
        &self.closing
    }
}
