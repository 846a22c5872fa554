//! The errors of a data directory.

use std::path::PathBuf;

use thiserror::Error;

use crate::error::FileError;

/// Why a data directory could not be opened.
#[derive(Debug, Error)]
pub enum DataDirectoryError {
    /// Another process, or another engine in this process, has the directory open.
    #[error("{} is in use by {}; close it there first, or open another directory", path.display(), pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The process that holds the lock, if known.
        pid: Option<u32>,
    },
    /// A directory without `meta.properties` that contains other files.
    #[error("{} is not a data directory: it contains {found:?} and no meta.properties; use an empty or a new directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// The name of such a file.
        found: String,
    },
    /// A symbolic link in the directory. Following it would write outside the directory.
    #[error("{} is a symbolic link, and links in a data directory are not followed; replace it by its target", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A file with invalid content.
    #[error("{} is damaged: {what}; restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// The path leads to another directory than the opened one, or nowhere.
    #[error("{} was removed or replaced while it was open; close the engine, then open it again", path.display())]
    Replaced {
        /// The path.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("the data directory cannot be used: {0}; {advice}", advice = .0.advice())]
    File(#[from] FileError),
}
