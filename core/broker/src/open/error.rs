//! Errors of opening a data directory.

use std::io;
use std::path::{Path, PathBuf};

use headwater_log::{DataDirectoryError, FileError};

use crate::metadata_log::CheckError;
use crate::partition_files::PartitionError;

/// Why [`Broker::open`](crate::Broker::open) failed. All records are intact.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another engine in this process, has the directory open.
    #[error("{} is in use by {}: close it there, or open another directory", path.display(), holder(*pid))]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The process that has it open, if the lock file contains it.
        pid: Option<u32>,
    },
    /// The directory is not a data directory.
    #[error("{} is not a data directory: {reason}. Use an empty or a new directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// Its contents.
        reason: String,
    },
    /// Permission denied.
    #[error("no permission to use {}: {source}. Change its owner or mode, or open another directory", path.display())]
    Permission {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The data directory is inconsistent.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The damaged file or directory.
        path: PathBuf,
        /// The damage, and the remedy.
        reason: String,
    },
    /// The configuration does not match the directory.
    #[error(transparent)]
    Config(#[from] headwater_metadata::ConfigError),
    /// Any other I/O error.
    #[error("cannot open {}: {source}; {advice}, then open again", path.display(), advice = headwater_log::advice(.source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl OpenError {
    /// An I/O error at `path`.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { path, source }
            }
            io::ErrorKind::NotADirectory => Self::NotOurs {
                path,
                reason: "it is a file".to_owned(),
            },
            _ => Self::Io { path, source },
        }
    }

    /// The log in `path` could not be opened.
    pub(crate) fn log(path: &Path, error: headwater_log::OpenError) -> Self {
        match error {
            headwater_log::OpenError::File(FileError { path, source, .. }) => {
                Self::io(&path, source)
            }
            damaged @ headwater_log::OpenError::Damaged { .. } => Self::Damaged {
                path: path.to_owned(),
                reason: damaged.to_string(),
            },
        }
    }

    /// The metadata log in `path` is damaged.
    pub(crate) fn metadata(path: &Path, error: CheckError) -> Self {
        match error {
            CheckError::Io(source) => Self::io(path, source),
            CheckError::Damage {
                segment,
                position,
                what,
            } => Self::Damaged {
                path: segment,
                reason: format!("at byte {position}: {what}. Restore the directory from a copy"),
            },
            error @ CheckError::Short { .. } => Self::Damaged {
                path: path.to_owned(),
                reason: format!("{error}. Restore the directory from a copy"),
            },
        }
    }

    /// The partition in `path` could not be opened.
    pub(crate) fn partition(path: &Path, error: PartitionError) -> Self {
        match error {
            PartitionError::Log(error) => Self::log(path, error),
            PartitionError::Metadata(source) => Self::io(path, source),
            other @ (PartitionError::Owner { .. }
            | PartitionError::Taken { .. }
            | PartitionError::Directory(_)) => Self::Damaged {
                path: path.to_owned(),
                reason: other.to_string(),
            },
        }
    }
}

impl From<DataDirectoryError> for OpenError {
    fn from(error: DataDirectoryError) -> Self {
        match error {
            DataDirectoryError::Locked { path, pid } => Self::Locked { path, pid },
            DataDirectoryError::NotOurs { path, found } => Self::NotOurs {
                path,
                reason: format!("it holds {found:?} and no meta.properties"),
            },
            DataDirectoryError::Link { path } => Self::Damaged {
                path,
                reason:
                    "it is a symbolic link, which is not followed here. Put its target in its place"
                        .to_owned(),
            },
            DataDirectoryError::Damaged { path, what } => Self::Damaged {
                path,
                reason: format!("{what}. Restore it from a copy"),
            },
            DataDirectoryError::Replaced { path } => Self::Io {
                path,
                source: io::Error::new(
                    io::ErrorKind::NotFound,
                    "it was removed or replaced while it was being opened",
                ),
            },
            DataDirectoryError::File(FileError { path, source, .. }) => Self::io(&path, source),
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_open_files_names_the_limit() {
        let message = |code| {
            let source = io::Error::from_raw_os_error(code);
            OpenError::io(Path::new("data"), source).to_string()
        };
        let (mfile, nfile, io) = (24, 23, 5);
        for code in [mfile, nfile] {
            let message = message(code);
            assert!(
                message.contains("raise that limit (`ulimit -n`"),
                "{message}"
            );
            assert!(!message.contains("disk"), "{message}");
        }
        assert!(message(io).contains("check the disk"), "{}", message(io));
    }
}
