//! The topics of this broker and their partitions, by name and by id.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater_env::Env;
use headwater_metadata::TopicConfig;
use headwater_record::PartitionId;
use parking_lot::RwLock;
use uuid::Uuid;

use crate::partition::Partition;

/// A topic with its partitions on this broker.
#[derive(Debug)]
pub(crate) struct Topic<E: Env> {
    pub(crate) id: Uuid,
    pub(crate) name: Arc<str>,
    partitions: RwLock<Vec<Arc<Partition<E>>>>,
    /// Whether the warning about expired records was logged.
    expired_reported: AtomicBool,
}

impl<E: Env> Topic<E> {
    /// A topic with the partitions 0, 1, ...
    pub(crate) fn new(id: Uuid, name: Arc<str>, partitions: Vec<Arc<Partition<E>>>) -> Self {
        Self {
            id,
            name,
            partitions: RwLock::new(partitions),
            expired_reported: AtomicBool::new(false),
        }
    }

    /// Whether this is the first batch of expired records since the configuration changed.
    pub(crate) fn mark_expired_reported(&self) -> bool {
        !self.expired_reported.swap(true, Ordering::Relaxed)
    }

    /// The partition with this index.
    pub(crate) fn partition(&self, id: PartitionId) -> Option<Arc<Partition<E>>> {
        self.partitions
            .read()
            .get(usize::try_from(id.get()).ok()?)
            .cloned()
    }

    /// All partitions, by index.
    pub(crate) fn partitions(&self) -> Vec<Arc<Partition<E>>> {
        self.partitions.read().clone()
    }

    /// Appends partitions.
    pub(crate) fn extend(&self, partitions: Vec<Arc<Partition<E>>>) {
        self.partitions.write().extend(partitions);
    }

    /// Sets the configuration of all partitions.
    pub(crate) fn update_config(&self, config: &Arc<TopicConfig>) {
        self.expired_reported.store(false, Ordering::Relaxed);
        for partition in self.partitions.read().iter() {
            partition.update_config(Arc::clone(config));
        }
    }
}

/// All topics. A lookup holds a read lock while it computes a hash.
#[derive(Debug)]
pub(crate) struct Topics<E: Env> {
    maps: RwLock<Maps<E>>,
}

#[derive(Debug)]
struct Maps<E: Env> {
    by_name: HashMap<Arc<str>, Arc<Topic<E>>>,
    by_id: HashMap<Uuid, Arc<Topic<E>>>,
}

impl<E: Env> Topics<E> {
    /// A map without topics.
    pub(crate) fn new() -> Self {
        Self {
            maps: RwLock::new(Maps {
                by_name: HashMap::new(),
                by_id: HashMap::new(),
            }),
        }
    }

    /// The topic with this name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Topic<E>>> {
        self.maps.read().by_name.get(name).cloned()
    }

    /// The topic with this id.
    pub(crate) fn by_id(&self, id: Uuid) -> Option<Arc<Topic<E>>> {
        self.maps.read().by_id.get(&id).cloned()
    }

    /// All topics, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Topic<E>>> {
        self.maps.read().by_id.values().cloned().collect()
    }

    /// All partitions of all topics, in no order.
    pub(crate) fn partitions(&self) -> Vec<Arc<Partition<E>>> {
        self.all()
            .iter()
            .flat_map(|topic| topic.partitions())
            .collect()
    }

    /// Inserts a topic; replaces one of the same name.
    pub(crate) fn insert(&self, topic: Arc<Topic<E>>) {
        let mut maps = self.maps.write();
        maps.by_id.insert(topic.id, Arc::clone(&topic));
        maps.by_name.insert(Arc::clone(&topic.name), topic);
    }

    /// Removes a topic.
    pub(crate) fn remove(&self, id: Uuid) -> Option<Arc<Topic<E>>> {
        let mut maps = self.maps.write();
        let topic = maps.by_id.remove(&id)?;
        maps.by_name.remove(&topic.name);
        Some(topic)
    }
}
