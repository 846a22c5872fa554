//! Deleted topics: gone for clients at once, gone from the disk after `file.delete.delay.ms`.

use std::path::PathBuf;
use std::time::Duration;

use headwater_env::Env;
use parking_lot::Mutex;

use crate::state::State;
use crate::topics::Topic;

/// Directories that were renamed out of the way and wait to be removed.
#[derive(Debug, Default)]
pub(crate) struct DeletedDirectories {
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    path: PathBuf,
    due: Duration,
}

impl<E: Env> State<E> {
    /// Takes the partitions of a topic out of service and their directories out of the way. The topic's removal is durable already, so
    /// a crash in here is healed by the next open; a failure is logged and healed there too.
    pub(crate) fn retire_topic(&self, topic: &Topic<E>) {
        for partition in topic.partitions() {
            partition.retire();
            partition.log().abandon();
            let delay = Duration::from_millis(partition.config().file_delete_delay_ms);
            let renamed = match &*self.directory.read() {
                Some(directory) => directory.mark_deleted(&topic.name, partition.id.get()),
                None => return,
            };
            match renamed {
                Ok(path) => self
                    .deleted
                    .add(path, self.env.monotonic().saturating_add(delay)),
                Err(error) => {
                    tracing::error!(topic = %topic.name, partition = %partition.id, %error, "a deleted partition stays on the disk until the next open");
                }
            }
        }
    }

    /// Removes the directories whose time has come; with `all`, those whose time has not come too.
    pub(crate) fn remove_deleted_directories(&self, all: Urgency) {
        let now = self.env.monotonic();
        let directory = self.directory.read();
        let Some(directory) = &*directory else { return };
        for path in self.deleted.take(now, all) {
            if let Err(error) = directory.remove_deleted(&path) {
                tracing::error!(path = %path.display(), %error, "a deleted partition cannot be removed; remove it by hand");
            }
        }
    }
}

/// Whether files that wait for their time may wait on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Readers may still hold them.
    WhenDue,
    /// Their space is needed.
    Now,
}

impl DeletedDirectories {
    fn add(&self, path: PathBuf, due: Duration) {
        self.waiting.lock().push(Waiting { path, due });
    }

    fn take(&self, now: Duration, urgency: Urgency) -> Vec<PathBuf> {
        let mut waiting = self.waiting.lock();
        let (due, later) = waiting
            .drain(..)
            .partition(|entry| urgency == Urgency::Now || entry.due <= now);
        *waiting = later;
        due.into_iter().map(|entry: Waiting| entry.path).collect()
    }
}
