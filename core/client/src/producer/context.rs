//! The state that all partitions of a producer share.

use std::sync::Arc;

use headwater_record::{BatchOptions, TimestampType};

use super::ProducerConfig;
use super::expiry::Expiry;
use super::identity::IdentityCell;
use super::linger::Linger;
use super::memory::Memory;
use super::senders::Senders;
use crate::cluster::Cluster;

/// The state that all partitions of a producer share.
#[derive(Debug)]
pub(crate) struct ProducerContext {
    pub(crate) cluster: Cluster,
    pub(crate) config: ProducerConfig,
    pub(crate) memory: Memory,
    pub(crate) identity: IdentityCell,
    pub(super) senders: Senders,
    pub(crate) linger: Arc<Linger>,
    pub(crate) expiry: Arc<Expiry>,
}

impl ProducerContext {
    pub(crate) fn new(cluster: Cluster, config: ProducerConfig) -> Self {
        Self {
            cluster,
            memory: Memory::new(config.buffer_bytes),
            identity: IdentityCell::default(),
            senders: Senders::default(),
            linger: Arc::default(),
            expiry: Arc::default(),
            config,
        }
    }

    /// The options of batch builders. Batches are stamped when they are sent.
    pub(crate) fn batch_options(&self) -> BatchOptions {
        BatchOptions {
            compression: self.config.compression,
            compression_level: self.config.compression_level,
            timestamp_type: TimestampType::CreateTime,
            producer: None,
            transactional: false,
            capacity: self.config.batch_bytes,
        }
    }
}
