//! The components of an open broker.

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::DataDirectory;
use headwater_metadata::{BrokerConfig, Image};

use crate::controller::{Controller, LocalQuorum};
use crate::directory_watch::DirectoryWatch;
use crate::fetch_sessions::FetchSessions;
use crate::groups::Groups;
use crate::lifecycle::Lifecycle;
use crate::listeners::Listeners;
use crate::memory::RequestMemory;
use crate::metadata_log::MetadataLog;
use crate::node::Node;
use crate::partitions::{Partitions, Topics};
use crate::storage::Storage;

/// The components of an open broker. A handler takes those that it needs (see the table in `api`). Each component uses
/// only those before it, also while it holds a lock of its own. The turn to change the metadata comes before all other
/// locks.
#[derive(Debug)]
pub(crate) struct State<E: Env> {
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) memory: Arc<RequestMemory>,
    pub(crate) partitions: Arc<Partitions<E>>,
    pub(crate) controller: Arc<Controller<E>>,
    pub(crate) storage: Arc<Storage<E>>,
    pub(crate) groups: Arc<Groups<E>>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) directory_watch: DirectoryWatch<E>,
}

/// The opened files and configuration of a broker.
#[derive(Debug)]
pub(crate) struct Parts<E: Env> {
    pub(crate) env: E,
    pub(crate) static_config: BrokerConfig,
    pub(crate) config: BrokerConfig,
    pub(crate) directory: DataDirectory<E>,
    pub(crate) metadata_log: MetadataLog<E>,
    pub(crate) image: Image,
    pub(crate) topics: Topics<E>,
}

impl<E: Env> State<E> {
    /// Connects the components.
    pub(crate) fn new(parts: Parts<E>) -> Self {
        let Parts { env, config, .. } = parts;
        let node = Node {
            id: parts.directory.meta().node_id,
            cluster_id: parts.directory.meta().cluster_id.clone(),
            data_dir: parts.directory.path().display().to_string(),
            listeners: Listeners::default(),
            static_config: parts.static_config,
        };
        let fetch_sessions = FetchSessions::new(config.fetch_session_slots);
        let memory = RequestMemory::new(config.queued_request_bytes_max.unwrap_or(usize::MAX));
        let memory = Arc::new(memory);
        let lifecycle = Arc::new(Lifecycle::new());
        let metadata_log = Arc::new(parts.metadata_log);
        let partitions = Arc::new(Partitions::new(
            env.clone(),
            Arc::clone(&lifecycle),
            parts.directory,
            Arc::clone(&metadata_log),
            parts.topics,
        ));
        let quorum = LocalQuorum::new(env.clone(), metadata_log, parts.image);
        let controller = Controller::new(node, config, Box::new(quorum), Arc::clone(&partitions));
        let controller = Arc::new(controller);
        let storage = Storage::new(Arc::clone(&controller), Arc::clone(&partitions));
        let storage = Arc::new(storage);
        let groups = Arc::new(Groups::new(
            Arc::clone(&controller),
            Arc::clone(&partitions),
            Arc::clone(&storage),
            Arc::clone(&memory),
        ));
        Self {
            directory_watch: DirectoryWatch::new(Arc::clone(&partitions), Arc::clone(&groups)),
            lifecycle,
            memory,
            partitions,
            controller,
            storage,
            groups,
            fetch_sessions,
        }
    }
}
