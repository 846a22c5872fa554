//! What stands around the partitions: the lock, `meta.properties`, the checkpoints, the mark of an orderly end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headwater_env::{Env, LockError};
use headwater_record::Offset;
use thiserror::Error;

use crate::error::FileError;

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
    /// A file that cannot be understood.
    #[error("{} cannot be understood: {what}; restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file could not be read or written.
    #[error("the data directory cannot be used: {0}; check the disk and the permissions")]
    File(#[from] FileError),
}

/// `meta.properties`: whose directory it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaProperties {
    /// `cluster.id`: 22 characters, a random UUID in base64.
    pub cluster_id: String,
    /// `node.id`
    pub node_id: i32,
    /// `directory.id`: as `cluster.id`.
    pub directory_id: String,
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

/// The two checkpoint files of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckpointKind {
    /// `recovery-point-offset-checkpoint`
    RecoveryPoint,
    /// `log-start-offset-checkpoint`
    LogStartOffset,
}

/// A data directory, locked for this process until dropped.
#[derive(Debug)]
pub struct DataDirectory<E: Env> {
    env: E,
    path: PathBuf,
    _lock: E::Lock,
    meta: MetaProperties,
    partitions: Vec<PartitionDirectory>,
    clean_shutdown: bool,
}

/// Offsets by topic and partition, the content of a checkpoint.
pub type Offsets = BTreeMap<(String, i32), Offset>;

impl<E: Env> DataDirectory<E> {
    /// Takes the lock and reads what is there; makes the directory and `meta.properties` where missing. Removes the mark of an orderly
    /// end, durably, so that a crash from here on is known as one.
    pub fn open(env: E, path: &Path, node_id: i32) -> Result<Self, DataDirectoryError> {
        let _ = (env, path, node_id);
        todo!()
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

    /// Reads a checkpoint; a missing one is empty.
    pub fn read_checkpoint(&self, kind: CheckpointKind) -> Result<Offsets, DataDirectoryError> {
        let _ = (kind, &self.env);
        todo!()
    }

    /// Replaces a checkpoint, durably.
    pub fn write_checkpoint(
        &self,
        kind: CheckpointKind,
        offsets: &Offsets,
    ) -> Result<(), DataDirectoryError> {
        let _ = (kind, offsets);
        todo!()
    }

    /// Renames a partition's directory out of the way, so that its name is free at once; returns where it is now. Remove it with
    /// [`remove_deleted`](Self::remove_deleted).
    pub fn mark_deleted(&self, topic: &str, partition: i32) -> Result<PathBuf, DataDirectoryError> {
        let _ = (topic, partition);
        todo!()
    }

    /// Removes a directory that [`mark_deleted`](Self::mark_deleted) renamed.
    pub fn remove_deleted(&self, path: &Path) -> Result<(), DataDirectoryError> {
        let _ = path;
        todo!()
    }

    /// Writes the mark of an orderly end. Call it last, after every log was closed without an error and the checkpoints were written.
    pub fn mark_clean_shutdown(&self) -> Result<(), DataDirectoryError> {
        todo!()
    }
}
