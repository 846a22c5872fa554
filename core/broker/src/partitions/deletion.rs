//! Deletion of topics: clients lose access at once, the files are deleted after `file.delete.delay.ms`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_log::{DataDirectory, DataDirectoryError};
use headwater_record::PartitionId;
use parking_lot::Mutex;
use uuid::Uuid;

use super::Partitions;

/// Directories of deleted partitions that still exist.
#[derive(Debug, Default)]
pub(crate) struct DeletedDirectories {
    pending: Mutex<Vec<PendingDeletion>>,
}

#[derive(Debug)]
struct PendingDeletion {
    directory: DeletedDirectory,
    /// The time at which its files may be deleted.
    due: Duration,
}

/// The directory of a deleted partition.
#[derive(Debug)]
enum DeletedDirectory {
    /// It could not be renamed yet.
    Named { topic: Arc<str>, id: PartitionId },
    /// It was renamed to this path.
    Renamed(PathBuf),
}

impl<E: Env> Partitions<E> {
    /// Takes a topic out of service and renames the directories of its partitions. The deletion is durable already:
    /// after a crash the next open completes it, after a failure the next round of housekeeping.
    pub(crate) fn retire_topic(&self, id: Uuid) {
        let Some(topic) = self.topics.remove(id) else {
            return;
        };
        let directory = self.directory.read();
        for partition in topic.partitions() {
            partition.retire();
            partition.log().abandon();
            let Some(directory) = &*directory else { return };
            let delay = Duration::from_millis(partition.config().file_delete_delay_ms);
            let mut pending = PendingDeletion {
                directory: DeletedDirectory::Named {
                    topic: Arc::clone(&topic.name),
                    id: partition.id,
                },
                due: self.env.monotonic().saturating_add(delay),
            };
            if let Err(error) = pending.rename(directory) {
                tracing::error!(topic = %topic.name, partition = %partition.id, %error, "the directory of a deleted partition cannot be renamed; the next round tries again");
            }
            self.deleted.pending.lock().push(pending);
        }
    }

    /// Renames the directory of a deleted partition if this failed before, so that a new partition can use the name.
    pub(super) fn finish_deletion(
        &self,
        directory: &DataDirectory<E>,
        topic: &str,
        id: PartitionId,
    ) -> Result<(), DataDirectoryError> {
        let mut pending = self.deleted.pending.lock();
        pending
            .iter_mut()
            .filter(|pending| pending.is_named(topic, id))
            .try_for_each(|pending| match pending.rename(directory) {
                Err(error) if is_missing(&error) => Ok(()),
                result => result,
            })
    }

    /// Deletes the directories that are due, or all of them with `Urgency::Now`. Failures are retried later.
    pub(crate) fn remove_deleted_directories(&self, urgency: Urgency) {
        let now = self.env.monotonic();
        let directory = self.directory.read();
        let Some(directory) = &*directory else { return };
        self.deleted.pending.lock().retain_mut(|pending| {
            let is_due = urgency == Urgency::Now || pending.due <= now;
            match pending.remove(directory, is_due) {
                Ok(is_gone) => !is_gone,
                Err(error) if is_missing(&error) => false,
                Err(error) => {
                    tracing::error!(%error, "the directory of a deleted partition cannot be removed; the next round tries again");
                    true
                }
            }
        });
    }
}

impl PendingDeletion {
    fn is_named(&self, topic: &str, id: PartitionId) -> bool {
        matches!(&self.directory, DeletedDirectory::Named { topic: name, id: other } if **name == *topic && *other == id)
    }

    /// Renames the directory, unless it has been renamed.
    fn rename<E: Env>(&mut self, directory: &DataDirectory<E>) -> Result<(), DataDirectoryError> {
        if let DeletedDirectory::Named { topic, id } = &self.directory {
            let path = directory.mark_deleted(topic, id.get())?;
            self.directory = DeletedDirectory::Renamed(path);
        }
        Ok(())
    }

    /// Deletes the directory if it is due. Returns whether it is gone.
    fn remove<E: Env>(
        &mut self,
        directory: &DataDirectory<E>,
        is_due: bool,
    ) -> Result<bool, DataDirectoryError> {
        self.rename(directory)?;
        if let (DeletedDirectory::Renamed(path), true) = (&self.directory, is_due) {
            directory.remove_deleted(path)?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether the directory does not exist any more.
fn is_missing(error: &DataDirectoryError) -> bool {
    matches!(error, DataDirectoryError::File(error) if error.source.kind() == io::ErrorKind::NotFound)
}

/// Whether the delay of delayed deletions applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Readers may still use the files.
    WhenDue,
    /// The space is needed.
    Now,
}
