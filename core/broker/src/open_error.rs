//! Why a data directory was not opened.

use std::io;
use std::path::PathBuf;

/// Why [`Broker::open`](crate::Broker::open) refused a directory. Nothing in the directory was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another engine in this one, has the directory open.
    #[error("{} is in use by {}: close it there, or open another directory", path.display(), holder(*pid))]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The process that holds it, if its lock file tells.
        pid: Option<u32>,
    },
    /// The directory holds something else.
    #[error("{} is not a data directory: {reason}. Give an empty or a new directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// What was found in it.
        reason: String,
    },
    /// The operating system does not let us.
    #[error("no permission to use {}: {source}. Change its owner or mode, or open another directory", path.display())]
    Permission {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The directory is ours, and what it holds contradicts itself.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file or directory that is damaged.
        path: PathBuf,
        /// What is wrong, and what can be done.
        reason: String,
    },
    /// The configuration does not go with the directory.
    #[error(transparent)]
    Config(#[from] headwater_metadata::ConfigError),
    /// Any other failure of the disk.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}
