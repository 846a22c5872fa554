//! Deleted topics: gone for clients at once, gone from the disk after `file.delete.delay.ms`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_log::{DataDirectory, DataDirectoryError};
use headwater_record::PartitionId;
use parking_lot::Mutex;

use crate::state::State;
use crate::topics::Topic;

/// Directories of deleted partitions that are still on the disk.
#[derive(Debug, Default)]
pub(crate) struct DeletedDirectories {
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    directory: Deleted,
    /// When its files may be removed.
    due: Duration,
}

/// The directory of a deleted partition.
#[derive(Debug)]
enum Deleted {
    /// It could not be renamed yet.
    Named { topic: Arc<str>, id: PartitionId },
    /// It was renamed to this.
    Renamed(PathBuf),
}

impl<E: Env> State<E> {
    /// Takes the partitions of a topic out of service and renames their directories. The removal of the topic is durable already, so the next
    /// open finishes after a crash; the next round of housekeeping tries again after a failure.
    pub(crate) fn retire_topic(&self, topic: &Topic<E>) {
        let directory = self.directory.read();
        for partition in topic.partitions() {
            partition.retire();
            partition.log().abandon();
            let Some(directory) = &*directory else { return };
            let delay = Duration::from_millis(partition.config().file_delete_delay_ms);
            let mut waiting = Waiting {
                directory: Deleted::Named {
                    topic: Arc::clone(&topic.name),
                    id: partition.id,
                },
                due: self.env.monotonic().saturating_add(delay),
            };
            if let Err(error) = waiting.rename(directory) {
                tracing::error!(topic = %topic.name, partition = %partition.id, %error, "the directory of a deleted partition cannot be renamed; it is tried again");
            }
            self.deleted.waiting.lock().push(waiting);
        }
    }

    /// Renames the directory of a deleted partition, if it is not renamed yet, so that a new partition can use the name.
    pub(crate) fn finish_deletion(
        &self,
        directory: &DataDirectory<E>,
        topic: &str,
        id: PartitionId,
    ) -> Result<(), DataDirectoryError> {
        let mut waiting = self.deleted.waiting.lock();
        waiting
            .iter_mut()
            .filter(|waiting| waiting.is_named(topic, id))
            .try_for_each(|waiting| match waiting.rename(directory) {
                Err(error) if is_missing(&error) => Ok(()),
                result => result,
            })
    }

    /// Removes the directories that are due, or all with `Urgency::Now`. A removal that fails is tried again later.
    pub(crate) fn remove_deleted_directories(&self, urgency: Urgency) {
        let now = self.env.monotonic();
        let directory = self.directory.read();
        let Some(directory) = &*directory else { return };
        self.deleted.waiting.lock().retain_mut(|waiting| {
            let is_due = urgency == Urgency::Now || waiting.due <= now;
            match waiting.remove(directory, is_due) {
                Ok(is_gone) => !is_gone,
                Err(error) if is_missing(&error) => false,
                Err(error) => {
                    tracing::error!(%error, "the directory of a deleted partition cannot be removed; it is tried again");
                    true
                }
            }
        });
    }
}

impl Waiting {
    fn is_named(&self, topic: &str, id: PartitionId) -> bool {
        matches!(&self.directory, Deleted::Named { topic: name, id: other } if **name == *topic && *other == id)
    }

    /// Renames the directory as deleted, unless it is renamed already.
    fn rename<E: Env>(&mut self, directory: &DataDirectory<E>) -> Result<(), DataDirectoryError> {
        if let Deleted::Named { topic, id } = &self.directory {
            let path = directory.mark_deleted(topic, id.get())?;
            self.directory = Deleted::Renamed(path);
        }
        Ok(())
    }

    /// Removes the directory if it is due; returns whether it is gone.
    fn remove<E: Env>(
        &mut self,
        directory: &DataDirectory<E>,
        is_due: bool,
    ) -> Result<bool, DataDirectoryError> {
        self.rename(directory)?;
        if let (Deleted::Renamed(path), true) = (&self.directory, is_due) {
            directory.remove_deleted(path)?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether somebody else has removed the directory.
fn is_missing(error: &DataDirectoryError) -> bool {
    matches!(error, DataDirectoryError::File(error) if error.source.kind() == io::ErrorKind::NotFound)
}

/// Whether files that wait for their time may wait on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Readers may still hold them.
    WhenDue,
    /// Their space is needed.
    Now,
}
