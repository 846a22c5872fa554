//! The cluster image and its records: topics, configs, assignments. Pure.
//!
//! Nothing here touches a disk, a clock or a network: the broker reads records, hands them to [`Image::apply`], and asks
//! the image. The [`config`] module holds the tables of configuration keys and the machinery that checks, layers and documents them.

pub mod config;
mod image;
mod records;
mod scram;
mod topic_name;

pub use config::{
    BrokerConfig, ConfigError, Definition, Kind, Layer, OnStorageFull, Source, Table, TopicConfig,
    Unit, Value,
};
pub use image::{ApplyError, BrokerImage, Image, NodeId, PartitionImage, TopicImage};
pub use records::{MetadataRecord, MetadataRecordError, RESOURCE_BROKER, RESOURCE_TOPIC};
pub use scram::{SCRAM_ITERATIONS_MIN, ScramCredential, ScramMechanism};
pub use topic_name::{TOPIC_NAME_LEN_MAX, TopicNameError, is_internal_topic, validate_topic_name};
