//! A data directory: its lock, `meta.properties`, the checkpoints, the clean shutdown marker and the partitions'
//! directories.

mod boot;
mod meta;
mod names;
mod presence;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use headwater_env::{DirEntry, EntryKind, Env, LockError};
use headwater_record::Offset;
use thiserror::Error;

use crate::checkpoint;
use crate::error::FileError;
pub use meta::MetaProperties;
use meta::{META_PROPERTIES, random_uuid, read_or_make_meta};
use names::{deleted_name, is_deleted_partition, partition, partition_of};

const LOCK: &str = ".lock";
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// Kafka stores the epoch of the broker's registration here, or -1 without one.
const CLEAN_SHUTDOWN_TEXT: &str = r#"{"version":0,"brokerEpoch":-1}"#;

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

/// The directory of one partition, named `<topic>-<partition>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionDirectory {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// Its path.
    pub path: PathBuf,
}

/// The checkpoint files of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckpointKind {
    /// `recovery-point-offset-checkpoint`
    RecoveryPoint,
    /// `log-start-offset-checkpoint`
    LogStartOffset,
    /// `cleaner-offset-checkpoint`
    Cleaner,
}

impl CheckpointKind {
    const fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::LogStartOffset => "log-start-offset-checkpoint",
            Self::Cleaner => "cleaner-offset-checkpoint",
        }
    }
}

/// A data directory, locked for this process until dropped.
#[derive(Debug)]
pub struct DataDirectory<E: Env> {
    env: E,
    path: PathBuf,
    /// Locks the directory until it is dropped.
    lock: E::Lock,
    meta: MetaProperties,
    partitions: Vec<PartitionDirectory>,
    clean_shutdown: bool,
}

/// Offsets by topic and partition: the content of a checkpoint.
pub type Offsets = BTreeMap<(String, i32), Offset>;

impl<E: Env> DataDirectory<E> {
    /// Locks the directory and reads it. Creates the directory and `meta.properties` (with this node id) if missing.
    /// Removes the clean shutdown marker durably, so that a later crash is recognised. Leaves a directory that is not a
    /// data directory unchanged.
    pub fn open(env: E, path: &Path, node_id: i32) -> Result<Self, DataDirectoryError> {
        let failed = |action| move |source| FileError::new(action, path, source);
        env.create_dir_durably(path).map_err(failed("create"))?;
        let entries = env.read_dir(path).map_err(failed("list"))?;
        check_ours(path, &entries)?;
        check_links(path, &entries)?;
        let lock = env.lock(&path.join(LOCK)).map_err(|error| match error {
            LockError::Held { pid } => DataDirectoryError::Locked {
                path: path.to_path_buf(),
                pid,
            },
            LockError::Io(source) => FileError::new("lock", path.join(LOCK), source).into(),
        })?;
        let meta = read_or_make_meta(&env, path, node_id)?;
        // List it only now: while this process waited for the lock, the last owner may have changed it.
        let entries = env.read_dir(path).map_err(failed("list"))?;
        let mut directory = Self {
            env,
            path: path.to_path_buf(),
            lock,
            meta,
            partitions: entries
                .iter()
                .filter_map(|entry| partition(path, entry))
                .collect(),
            clean_shutdown: false,
        };
        directory.partitions.sort();
        for entry in entries.iter().filter(|entry| is_deleted_partition(entry)) {
            directory.remove_deleted(&path.join(&entry.name))?;
        }
        directory.clean_shutdown = directory.take_clean_shutdown()?;
        Ok(directory)
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster, node and directory ids.
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Whether the last owner shut down in order.
    pub fn clean_shutdown(&self) -> bool {
        self.clean_shutdown
    }

    /// The partitions found by the open, by topic and number.
    pub fn partitions(&self) -> &[PartitionDirectory] {
        &self.partitions
    }

    /// The path of a partition. The topic name becomes part of the path, so it must be validated before.
    pub fn partition_path(&self, topic: &str, partition: i32) -> PathBuf {
        self.path.join(format!("{topic}-{partition}"))
    }

    /// Reads a checkpoint; a missing one is empty. A damaged one is an error. Every log can be checked from its start
    /// instead: to do so, use an empty checkpoint and treat the last shutdown as unclean.
    pub fn read_checkpoint(&self, kind: CheckpointKind) -> Result<Offsets, DataDirectoryError> {
        let path = self.path.join(kind.file_name());
        let bytes = self
            .env
            .read_file(&path)
            .map_err(|source| FileError::new("read", &path, source))?;
        let Some(bytes) = bytes else {
            return Ok(Offsets::new());
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string());
        text.and_then(parse_offsets)
            .map_err(|what| DataDirectoryError::Damaged { path, what })
    }

    /// Replaces a checkpoint durably. At most one caller at a time for each kind.
    pub fn write_checkpoint(
        &self,
        kind: CheckpointKind,
        offsets: &Offsets,
    ) -> Result<(), DataDirectoryError> {
        let lines = offsets
            .iter()
            .map(|((topic, partition), offset)| format!("{topic} {partition} {offset}"));
        self.replace(kind.file_name(), &checkpoint::format(lines))
    }

    /// Renames the directory of a deleted partition, so that its name is free at once. Returns the new path. Remove it
    /// with [`remove_deleted`](Self::remove_deleted), or the next open does.
    pub fn mark_deleted(&self, topic: &str, partition: i32) -> Result<PathBuf, DataDirectoryError> {
        self.check_in_place()?;
        let from = self.partition_path(topic, partition);
        let to = self
            .path
            .join(deleted_name(topic, partition, random_uuid(&self.env)));
        self.env
            .rename(&from, &to)
            .map_err(|source| FileError::new("rename", from, source))?;
        if let Err(error) = self.sync() {
            tracing::warn!(%error, "the renaming of a deleted partition was not synced; if a crash undoes it, the next open removes the partition");
        }
        Ok(to)
    }

    /// Removes a directory that [`mark_deleted`](Self::mark_deleted) renamed.
    pub fn remove_deleted(&self, path: &Path) -> Result<(), DataDirectoryError> {
        match self.env.remove_dir_all(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FileError::new("remove", path, source).into())
            }
            _ => Ok(()),
        }
    }

    /// Syncs the whole disk of the directory; see [`Env::sync_disk`].
    pub(crate) fn sync_disk(&self) -> io::Result<()> {
        self.env.sync_disk(&self.lock)
    }

    /// Writes the clean shutdown marker. Call it last, after every log was closed without an error and the checkpoints
    /// were written.
    pub fn mark_clean_shutdown(&self) -> Result<(), DataDirectoryError> {
        self.replace(CLEAN_SHUTDOWN, CLEAN_SHUTDOWN_TEXT)
    }

    fn take_clean_shutdown(&self) -> Result<bool, DataDirectoryError> {
        let path = self.path.join(CLEAN_SHUTDOWN);
        match self.env.remove_file(&path) {
            Ok(()) => {
                // If the marker came back after a crash, the next open would skip recovery.
                self.sync()?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(FileError::new("remove", path, source).into()),
        }
    }

    fn replace(&self, name: &str, text: &str) -> Result<(), DataDirectoryError> {
        self.check_in_place()?;
        let path = self.path.join(name);
        self.env
            .replace_file(&path, text.as_bytes())
            .map_err(|source| FileError::new("replace", path, source).into())
    }

    fn sync(&self) -> Result<(), DataDirectoryError> {
        self.env
            .sync_dir(&self.path)
            .map_err(|source| FileError::new("sync", &self.path, source).into())
    }
}

/// Accepts a directory that has `meta.properties` or is empty.
fn check_ours(path: &Path, entries: &[DirEntry]) -> Result<(), DataDirectoryError> {
    if entries.iter().any(|entry| entry.name == META_PROPERTIES) {
        return Ok(());
    }
    // `rm -rf data/*` leaves files whose names begin with a dot.
    let may_be_there = [
        LOCK,
        boot::BOOT,
        CLEAN_SHUTDOWN,
        "meta.properties.tmp",
        "lost+found",
    ];
    match entries
        .iter()
        .find(|entry| !may_be_there.contains(&&*entry.name))
    {
        None => Ok(()),
        Some(stranger) => Err(DataDirectoryError::NotOurs {
            path: path.to_path_buf(),
            found: stranger.name.clone(),
        }),
    }
}

/// Refuses symbolic links in place of partitions: writes and removals would follow them anywhere.
fn check_links(path: &Path, entries: &[DirEntry]) -> Result<(), DataDirectoryError> {
    let is_link =
        |entry: &&DirEntry| entry.kind == EntryKind::Link && partition_of(&entry.name).is_some();
    match entries.iter().find(is_link) {
        None => Ok(()),
        Some(link) => Err(DataDirectoryError::Link {
            path: path.join(&link.name),
        }),
    }
}

fn parse_offsets(text: &str) -> Result<Offsets, String> {
    let mut offsets = Offsets::new();
    for line in checkpoint::parse(text)? {
        let words: Vec<&str> = line.split(' ').collect();
        let parsed = match words.as_slice() {
            [topic, partition, offset] => partition.parse().ok().zip(offset.parse().ok()).map(
                |(partition, offset): (i32, i64)| {
                    (((*topic).to_owned(), partition), Offset::new(offset))
                },
            ),
            _ => None,
        };
        let (partition, offset) = parsed.ok_or_else(|| {
            format!("the line {line:?} is not a topic, a partition and an offset")
        })?;
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}

#[cfg(test)]
#[path = "data_directory_tests.rs"]
mod tests;
