//! A data directory: its lock, `meta.properties`, the checkpoints, the clean shutdown marker and the partitions'
//! directories.

mod boot;
mod error;
mod file_names;
mod meta;
mod offset_checkpoint;
mod partition_directory;
mod presence;

use std::io;
use std::path::{Path, PathBuf};

use headwater_env::{DirEntry, EntryKind, Env, LockError};

use crate::error::FileError;
pub use error::DataDirectoryError;
use file_names::{BOOT, CLEAN_SHUTDOWN, LOCK, META_PROPERTIES};
pub use meta::MetaProperties;
use meta::{random_uuid, read_or_make_meta};
pub use offset_checkpoint::{CheckpointKind, Offsets};
use offset_checkpoint::{format_offsets, parse_offsets};
pub use partition_directory::PartitionDirectory;
use partition_directory::{deleted_name, is_deleted_partition, partition, partition_of};

/// Kafka stores the epoch of the broker's registration in the clean shutdown marker, or -1 without one.
const CLEAN_SHUTDOWN_TEXT: &str = r#"{"version":0,"brokerEpoch":-1}"#;

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
        self.replace(kind.file_name(), &format_offsets(offsets))
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
        BOOT,
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

#[cfg(test)]
mod tests;
