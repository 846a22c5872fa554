//! What stands around the partitions: the lock, `meta.properties`, the checkpoints, the mark of an orderly end.

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
/// Kafka writes the epoch under which a broker was registered; one that never was writes -1.
const CLEAN_SHUTDOWN_TEXT: &str = r#"{"version":0,"brokerEpoch":-1}"#;

/// Why a data directory could not be opened.
#[derive(Debug, Error)]
pub enum DataDirectoryError {
    /// Another process, or another engine of this one, writes it.
    #[error("{} is in use by {}; close it there first, or open another directory", path.display(), pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Who holds it, where known.
        pid: Option<u32>,
    },
    /// A directory with files in it that no data directory has.
    #[error("{} is not a data directory: it holds {found:?} and no meta.properties; give an empty or a new directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// A name that is not ours.
        found: String,
    },
    /// A symbolic link in the directory: what is written there would go elsewhere.
    #[error("{} is a symbolic link, and links in a data directory are not followed; put what it points to in its place", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A file that cannot be understood.
    #[error("{} cannot be understood: {what}; restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The path leads to another directory than the one that was opened, or to none.
    #[error("{} was removed or replaced while it was open; close the engine, then open it again", path.display())]
    Replaced {
        /// The path.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("the data directory cannot be used: {0}; {advice}", advice = .0.advice())]
    File(#[from] FileError),
}

/// The directory of one partition, by its name `<topic>-<partition>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionDirectory {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// Where it is.
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
    /// Held until it is dropped.
    lock: E::Lock,
    meta: MetaProperties,
    partitions: Vec<PartitionDirectory>,
    clean_shutdown: bool,
}

/// Offsets by topic and partition, the content of a checkpoint.
pub type Offsets = BTreeMap<(String, i32), Offset>;

impl<E: Env> DataDirectory<E> {
    /// Takes the lock and reads what is there; makes the directory and `meta.properties` (with this node id) where missing. Removes the
    /// mark of an orderly end, durably, so that a crash from here on is known as one. A directory that is not ours is left as it is.
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
        // What the last owner did while we waited for the lock counts.
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Did the last user close it in order?
    pub fn clean_shutdown(&self) -> bool {
        self.clean_shutdown
    }

    /// The partitions found when it was opened, by topic and number.
    pub fn partitions(&self) -> &[PartitionDirectory] {
        &self.partitions
    }

    /// The path of a partition. The topic name must have been checked: it becomes a part of the path.
    pub fn partition_path(&self, topic: &str, partition: i32) -> PathBuf {
        self.path.join(format!("{topic}-{partition}"))
    }

    /// Reads a checkpoint; a missing one is empty. A damaged one is an error: without it every log can be checked from its start, so a
    /// caller who wants that goes on with an empty one and an unclean start.
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

    /// Replaces a checkpoint, durably. One caller at a time for each kind.
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

    /// Renames a partition's directory out of the way, so that its name is free at once; returns where it is now. Remove it with
    /// [`remove_deleted`](Self::remove_deleted); the next open does so otherwise.
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
            tracing::warn!(%error, "a crash may bring the name of a deleted partition back; the next open removes it");
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

    /// Makes durable all that was written to the disk of the directory; see [`Env::sync_disk`].
    pub(crate) fn sync_disk(&self) -> io::Result<()> {
        self.env.sync_disk(&self.lock)
    }

    /// Writes the mark of an orderly end. Call it last, after every log was closed without an error and the checkpoints were written.
    pub fn mark_clean_shutdown(&self) -> Result<(), DataDirectoryError> {
        self.replace(CLEAN_SHUTDOWN, CLEAN_SHUTDOWN_TEXT)
    }

    fn take_clean_shutdown(&self) -> Result<bool, DataDirectoryError> {
        let path = self.path.join(CLEAN_SHUTDOWN);
        match self.env.remove_file(&path) {
            Ok(()) => {
                // If the mark came back after a crash, nobody would look for what the crash did.
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

/// A directory is ours when it has `meta.properties`, or nothing yet.
fn check_ours(path: &Path, entries: &[DirEntry]) -> Result<(), DataDirectoryError> {
    if entries.iter().any(|entry| entry.name == META_PROPERTIES) {
        return Ok(());
    }
    // `rm -rf data/*` leaves the files whose names begin with a dot.
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

/// A link in the place of a partition could lead our writes and removals anywhere.
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
