//! What a directory and a disk hold.

use std::fmt;
use std::io;

/// An open directory.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Makes the names in it durable. Needs no further file descriptor.
    fn sync(&self) -> io::Result<()>;
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The name without its directory. Names that are not UTF-8 are not ours and are left out of listings.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// The kinds of entries a data directory has. Anything else (a socket, a device) counts as a file and fails when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link. A data directory has none, and none is followed.
    Link,
}

/// How large a disk is, and how full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// All bytes; [`u64::MAX`] where there is no bound.
    pub total_bytes: u64,
}

/// Facts about one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Length in bytes; of no meaning for a directory.
    pub len: u64,
    /// What it is.
    pub kind: EntryKind,
    /// Last modification, milliseconds since the Unix epoch.
    pub modified_ms: i64,
}
