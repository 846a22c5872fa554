//! Why a lock was not given.

use std::io;

use thiserror::Error;

/// Why [`Env::lock`](crate::Env::lock) failed.
#[derive(Debug, Error)]
pub enum LockError {
    /// Someone else has it: another process, or another owner in this one.
    #[error("the lock is held by {}", holder(*pid))]
    Held {
        /// The owner as it wrote itself into the file; `None` if it had not yet done so.
        pid: Option<u32>,
    },
    /// The lock file could not be opened, locked or written.
    #[error("the lock file cannot be used: {0}")]
    Io(#[from] io::Error),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}
