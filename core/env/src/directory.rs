//! Directories and disk space.

use std::fmt;
use std::io;

/// An open directory.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Makes the names in the directory durable. Needs no other file descriptor.
    fn sync(&self) -> io::Result<()>;
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The name without its directory. Names that are not UTF-8 are left out of listings.
    pub name: String,
    /// The kind of entry.
    pub kind: EntryKind,
}

/// The kinds of entries. Others (sockets, devices) count as files and fail when they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link. Links are not followed.
    Link,
}

/// The size and the free space of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// The bytes that this user may still write.
    pub free_bytes: u64,
    /// The total bytes; [`u64::MAX`] if unlimited.
    pub total_bytes: u64,
}

/// The metadata of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The length in bytes; undefined for a directory.
    pub len: u64,
    /// The kind of entry.
    pub kind: EntryKind,
    /// The last modification in milliseconds since the Unix epoch.
    pub modified_ms: i64,
}
