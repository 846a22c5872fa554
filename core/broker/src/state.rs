//! The shared state of a broker.

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
use crate::memory::{MemoryReservation, RequestMemory};
use crate::metadata_log::MetadataLog;
use crate::storage::Storage;
use crate::topics::Topics;

/// The state of a broker. Locks are taken in the order of the fields, `controller` first.
#[derive(Debug)]
pub(crate) struct State<E: Env> {
    pub(crate) env: E,
    pub(crate) node_id: NodeId,
    pub(crate) cluster_id: String,
    data_dir: String,
    /// The listeners of the broker's servers.
    pub(crate) listeners: Listeners,
    /// The configuration passed to `open`. `config` also has the dynamic changes; topic configurations build on it.
    pub(crate) static_config: BrokerConfig,
    /// Serialises metadata changes.
    pub(crate) controller: Mutex<Controller>,
    /// The log of the metadata changes.
    pub(crate) metadata_log: MetadataLog<E>,
    /// Serialises checkpoint writers.
    pub(crate) checkpoint_turn: Mutex<()>,
    /// Serialises changes of log configurations, so that an older one never replaces a newer one.
    pub(crate) log_config_turn: Mutex<()>,
    /// The data directory; `None` once closed.
    pub(crate) directory: RwLock<Option<DataDirectory<E>>>,
    config: RwLock<Arc<BrokerConfig>>,
    image: RwLock<PublishedImage>,
    pub(crate) topics: Topics<E>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) storage: Storage,
    pub(crate) counters: Counters,
    pub(crate) memory: Arc<RequestMemory>,
    /// Serialises the decompression of batches larger than usual.
    decompression_turn: Mutex<()>,
    pub(crate) groups: Groups,
    pub(crate) deleted: DeletedDirectories,
    pub(crate) closing: Arc<Notify>,
    pub(crate) lost: OnceLock<DirectoryLost>,
    /// When the directory was checked last, in microseconds of the monotonic clock.
    pub(crate) directory_checked_us: AtomicU64,
    open: AtomicBool,
    forks: u32,
}

/// The components of an open broker.
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

/// Permission to decompress a batch larger than usual. Its memory is reserved until this is dropped.
#[derive(Debug)]
pub(crate) struct DecompressionTurn<'a> {
    _reservation: MemoryReservation,
    _turn: MutexGuard<'a, ()>,
}

/// An image with the end of the metadata log when it was published.
#[derive(Debug)]
struct PublishedImage {
    image: Arc<Image>,
    log_end_offset: i64,
}

impl<E: Env> State<E> {
    /// Waits for other decompressions larger than usual, and reserves the memory for this one.
    pub(crate) fn turn_to_decompress(&self, limit: DecompressLimit) -> DecompressionTurn<'_> {
        let turn = self.decompression_turn.lock();
        DecompressionTurn {
            _reservation: self.memory.reserve(limit.get()),
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
            image: RwLock::new(PublishedImage {
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
            memory: Arc::new(RequestMemory::new(memory_bytes_max.unwrap_or(usize::MAX))),
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

    /// Whether requests are handled. Never in a child of `fork()`, because the parent owns the directory.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) && self.forks == forks()
    }

    /// Refuses requests from now on. Returns whether the broker was open.
    pub(crate) fn begin_close(&self) -> bool {
        self.is_open() && self.open.swap(false, Ordering::SeqCst)
    }

    /// The current metadata image.
    pub(crate) fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.read().image)
    }

    /// The current metadata image, and a number that grows with every published image. The end of the metadata log
    /// cannot be that number, because it grows before the image is published.
    pub(crate) fn versioned_image(&self) -> (Arc<Image>, i64) {
        let published = self.image.read();
        (Arc::clone(&published.image), published.log_end_offset)
    }

    /// Publishes an image. The caller holds `controller`.
    pub(crate) fn publish(&self, image: Image) {
        let log_end_offset = self.metadata_log.log_end_offset().get();
        *self.image.write() = PublishedImage {
            image: Arc::new(image),
            log_end_offset,
        };
    }

    /// The current configuration of the broker.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        Arc::clone(&self.config.read())
    }

    /// Replaces the configuration of the broker. The caller holds `controller`.
    pub(crate) fn set_config(&self, config: BrokerConfig) {
        *self.config.write() = Arc::new(config);
    }

    /// The configuration passed to `open`, with the actual node id, directory and listeners.
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

    /// The configuration of a topic in `image`.
    pub(crate) fn topic_config(&self, image: &Image, name: &str) -> Arc<TopicConfig> {
        resolve_topic(image, name, &self.config())
    }
}

/// The configuration of a topic in `image`, on top of `broker`.
pub(crate) fn resolve_topic(image: &Image, name: &str, broker: &BrokerConfig) -> Arc<TopicConfig> {
    let resolved = match image.topic_config(name) {
        Some(layer) => TopicConfig::resolve(layer, broker.layer()),
        None => TopicConfig::resolve(&Layer::new(&config::TOPIC), broker.layer()),
    };
    Arc::new(resolved)
}

/// The configuration of the broker with the dynamic changes of the image: for all brokers, then for this one.
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
