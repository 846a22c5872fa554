//! What all parts of one broker share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use headwater_env::{Env, forks};
use headwater_log::DataDirectory;
use headwater_metadata::{BrokerConfig, Image, Layer, NodeId, TopicConfig, Value, config};
use headwater_record::DecompressLimit;
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::Notify;

use crate::controller::Controller;
use crate::counters::Counters;
use crate::deletion::DeletedDirectories;
use crate::fetch_sessions::FetchSessions;
use crate::groups::Groups;
use crate::listeners::Listeners;
use crate::loss::DirectoryLost;
use crate::memory::{Held, Memory};
use crate::metadata_log::MetadataLog;
use crate::storage::Storage;
use crate::topics::Topics;

/// A broker's state. Locks are taken in the order of the fields: `controller` before all others.
#[derive(Debug)]
pub(crate) struct State<E: Env> {
    pub(crate) env: E,
    pub(crate) node_id: NodeId,
    pub(crate) cluster_id: String,
    data_dir: String,
    /// Where servers listen for it.
    pub(crate) listeners: Listeners,
    /// What the owner gave; topics stand over `config`, which has what was set while the broker ran on top.
    pub(crate) static_config: BrokerConfig,
    /// Changes of the cluster, one after the other.
    pub(crate) controller: Mutex<Controller>,
    /// The record of those changes.
    pub(crate) metadata_log: MetadataLog<E>,
    /// Writers of checkpoints take turns.
    pub(crate) checkpoint_turn: Mutex<()>,
    /// The configuration of logs changes in turns, so that an older one never replaces a newer one.
    pub(crate) log_config_turn: Mutex<()>,
    /// The data directory; `None` once closed.
    pub(crate) directory: RwLock<Option<DataDirectory<E>>>,
    config: RwLock<Arc<BrokerConfig>>,
    image: RwLock<Published>,
    pub(crate) topics: Topics<E>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) storage: Storage,
    pub(crate) counters: Counters,
    pub(crate) memory: Arc<Memory>,
    /// Held while a batch is decompressed that is much larger than it came.
    decompression_turn: Mutex<()>,
    pub(crate) groups: Groups,
    pub(crate) deleted: DeletedDirectories,
    pub(crate) closing: Arc<Notify>,
    pub(crate) lost: OnceLock<DirectoryLost>,
    /// When the directory was last looked at, in microseconds of the monotonic clock.
    pub(crate) directory_checked_us: AtomicU64,
    open: AtomicBool,
    forks: u32,
}

/// What a broker is made of once everything is open.
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

/// Permission to decompress a batch that is much larger than it came; its memory is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct DecompressionTurn<'a> {
    _held: Held,
    _turn: MutexGuard<'a, ()>,
}

/// An image with the end of the metadata log when it was published.
#[derive(Debug)]
struct Published {
    image: Arc<Image>,
    log_end_offset: i64,
}

impl<E: Env> State<E> {
    /// Waits until nobody else decompresses a batch that gives more than usual, and counts what this one may give.
    pub(crate) fn turn_to_decompress(&self, limit: DecompressLimit) -> DecompressionTurn<'_> {
        let turn = self.decompression_turn.lock();
        DecompressionTurn {
            _held: self.memory.hold(limit.get()),
            _turn: turn,
        }
    }

    /// The state of an open broker.
    pub(crate) fn new(parts: Parts<E>) -> Self {
        let meta = parts.directory.meta();
        let fetch_session_slots = parts.config.fetch_session_slots;
        let memory_bytes_max = parts.config.queued_request_bytes_max;
        Self {
            node_id: meta.node_id,
            cluster_id: meta.cluster_id.clone(),
            data_dir: parts.directory.path().display().to_string(),
            listeners: Listeners::default(),
            env: parts.env,
            static_config: parts.static_config,
            controller: Mutex::default(),
            image: RwLock::new(Published {
                image: Arc::new(parts.image),
                log_end_offset: parts.metadata_log.log_end_offset().get(),
            }),
            metadata_log: parts.metadata_log,
            checkpoint_turn: Mutex::new(()),
            log_config_turn: Mutex::new(()),
            directory: RwLock::new(Some(parts.directory)),
            config: RwLock::new(Arc::new(parts.config)),
            topics: parts.topics,
            fetch_sessions: FetchSessions::new(fetch_session_slots),
            storage: Storage::default(),
            counters: Counters::default(),
            memory: Arc::new(Memory::new(memory_bytes_max.unwrap_or(usize::MAX))),
            decompression_turn: Mutex::new(()),
            groups: Groups::default(),
            deleted: DeletedDirectories::default(),
            closing: Arc::default(),
            lost: OnceLock::new(),
            directory_checked_us: AtomicU64::new(0),
            open: AtomicBool::new(true),
            forks: forks(),
        }
    }

    /// Whether requests are answered: never in a child of `fork()`, where the directory is the parent's.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) && self.forks == forks()
    }

    /// Refuses requests from now on. Whether it was open.
    pub(crate) fn begin_close(&self) -> bool {
        self.is_open() && self.open.swap(false, Ordering::SeqCst)
    }

    /// The cluster now.
    pub(crate) fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.read().image)
    }

    /// The cluster now, and a number that grows with every image. The metadata log's own end does not do: it grows before the image is
    /// published.
    pub(crate) fn versioned_image(&self) -> (Arc<Image>, i64) {
        let published = self.image.read();
        (Arc::clone(&published.image), published.log_end_offset)
    }

    /// Publishes another image. Only the holder of `controller` may.
    pub(crate) fn publish(&self, image: Image) {
        let log_end_offset = self.metadata_log.log_end_offset().get();
        *self.image.write() = Published {
            image: Arc::new(image),
            log_end_offset,
        };
    }

    /// The broker's configuration now.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        Arc::clone(&self.config.read())
    }

    /// Replaces the broker's configuration. Only the holder of `controller` may.
    pub(crate) fn set_config(&self, config: BrokerConfig) {
        *self.config.write() = Arc::new(config);
    }

    /// What the owner gave, and what is so without being given: the broker's number, its directory, its listeners.
    pub(crate) fn stated_config(&self) -> Layer {
        let mut layer = self.static_config.layer().clone();
        layer.state("node.id", Value::Integer(i64::from(self.node_id)));
        layer.state("log.dirs", Value::List(vec![self.data_dir.clone()]));
        if let Some((listeners, advertised)) = self.listeners.values() {
            layer.state("listeners", listeners);
            layer.state("advertised.listeners", advertised);
        }
        layer
    }

    /// The configuration of a topic in `image`, over the broker's.
    pub(crate) fn topic_config(&self, image: &Image, name: &str) -> Arc<TopicConfig> {
        resolve_topic(image, name, &self.config())
    }
}

/// The configuration of a topic in `image` that stands over `broker`.
pub(crate) fn resolve_topic(image: &Image, name: &str, broker: &BrokerConfig) -> Arc<TopicConfig> {
    let resolved = match image.topic_config(name) {
        Some(layer) => TopicConfig::resolve(layer, broker.layer()),
        None => TopicConfig::resolve(&Layer::new(&config::TOPIC), broker.layer()),
    };
    Arc::new(resolved)
}

/// The broker's configuration with what the image says was set while it ran: for all brokers, then for this one.
pub(crate) fn resolve_broker(image: &Image, node_id: NodeId, given: &BrokerConfig) -> BrokerConfig {
    let mut config = given.clone();
    for layer in [
        image.broker_config(None),
        image.broker_config(Some(node_id)),
    ]
    .into_iter()
    .flatten()
    {
        config = config.overlaid(layer);
    }
    config
}
