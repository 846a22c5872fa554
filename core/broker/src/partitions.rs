//! The partitions of this broker: their topics, their directories and their checkpoints.

mod checkpoints;
mod creation;
mod deletion;
mod topics;

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{DataDirectory, LogConfig};
use headwater_metadata::{NodeId, TopicConfig};
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use uuid::Uuid;

use crate::counters::Counters;
use crate::lifecycle::Lifecycle;
use crate::metadata_log::MetadataLog;
use crate::partition::Partition;
use deletion::DeletedDirectories;

pub(crate) use creation::NewPartitions;
pub(crate) use deletion::Urgency;
pub(crate) use topics::{Topic, Topics};

/// All partitions of this broker, over one data directory. Locks are taken in the order of the fields.
#[derive(Debug)]
pub(crate) struct Partitions<E: Env> {
    pub(crate) env: E,
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// The deleted segments.
    pub(crate) counters: Counters,
    node_id: NodeId,
    /// Its recovery point is in the same checkpoint as those of the partitions.
    metadata_log: Arc<MetadataLog<E>>,
    /// Serialises checkpoint writers.
    checkpoint_turn: Mutex<()>,
    /// Serialises changes of log configurations, so that an older one never replaces a newer one.
    log_config_turn: Mutex<()>,
    /// The data directory; `None` once closed.
    directory: RwLock<Option<DataDirectory<E>>>,
    topics: Topics<E>,
    deleted: DeletedDirectories,
}

impl<E: Env> Partitions<E> {
    /// The open partitions `topics` of `directory`.
    pub(crate) fn new(
        env: E,
        lifecycle: Arc<Lifecycle>,
        directory: DataDirectory<E>,
        metadata_log: Arc<MetadataLog<E>>,
        topics: Topics<E>,
    ) -> Self {
        Self {
            env,
            lifecycle,
            counters: Counters::default(),
            node_id: directory.meta().node_id,
            metadata_log,
            checkpoint_turn: Mutex::new(()),
            log_config_turn: Mutex::new(()),
            directory: RwLock::new(Some(directory)),
            topics,
            deleted: DeletedDirectories::default(),
        }
    }

    /// Whether the broker is open.
    pub(crate) fn is_open(&self) -> bool {
        self.lifecycle.is_open()
    }

    /// The topic with this name.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic<E>>> {
        self.topics.by_name(name)
    }

    /// The topic with this id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic<E>>> {
        self.topics.by_id(id)
    }

    /// All topics, in no order.
    pub(crate) fn topics(&self) -> Vec<Arc<Topic<E>>> {
        self.topics.all()
    }

    /// All partitions of all topics, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Partition<E>>> {
        self.topics.partitions()
    }

    /// The data directory; `None` once closed.
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Option<DataDirectory<E>>> {
        self.directory.read()
    }

    /// Takes the data directory, so that nothing is written any more. Dropping it releases its lock.
    pub(crate) fn take_directory(&self) -> Option<DataDirectory<E>> {
        self.directory.write().take()
    }

    /// Excludes changes of log configurations.
    pub(crate) fn log_config_turn(&self) -> MutexGuard<'_, ()> {
        self.log_config_turn.lock()
    }

    /// Applies a configuration to all partitions of a topic. `current` is called when no other change is in progress.
    pub(crate) fn reconfigure(
        &self,
        topic: &Topic<E>,
        current: impl FnOnce() -> (Arc<TopicConfig>, LogConfig),
    ) {
        let _turn = self.log_config_turn();
        let (config, log) = current();
        topic.update_config(&config);
        for partition in topic.partitions() {
            partition.log().update_config(log.clone());
        }
    }
}
