//! The metadata image and its records: topics, configurations, assignments. Pure.
//!
//! This crate uses no disk, clock or network: the broker reads records and applies them with [`Image::apply`]. The
//! [`config`] module has the tables of configuration keys, with validation, layers and documentation.

pub mod config;
mod image;
mod nearest;
mod records;
mod scram;
mod topic_name;

pub use config::{
    BrokerConfig, ConfigError, Definition, Kind, Layer, OnStorageFull, Source, Table, TopicConfig,
    Unit, Value,
};
pub use image::{ApplyError, BrokerImage, Image, NodeId, PartitionImage, TopicImage};
pub use nearest::nearest;
pub use records::{MetadataRecord, MetadataRecordError, RESOURCE_BROKER, RESOURCE_TOPIC};
pub use scram::{SCRAM_ITERATIONS_MIN, ScramCredential, ScramMechanism};
pub use topic_name::{TOPIC_NAME_LEN_MAX, TopicNameError, is_internal_topic, validate_topic_name};
