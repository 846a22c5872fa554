//! Producer, consumer and admin over typed Kafka requests.
//!
//! One [`Client`] over one seam, the [`Transport`]: in process it hands requests to the broker's handlers in the caller's thread, over a
//! network it will encode them. Nothing here knows which one it has.
//!
//! - [`Client`] makes, lists, alters and deletes topics, and gives out everything else.
//! - [`Topic`] reads a topic as tables ([`Topic::scan`], [`Topic::head`], [`Topic::tail`], [`Topic::rate`]) and knows its offsets.
//! - [`Producer`] sends records one by one ([`Producer::send`]) or as tables ([`Producer::send_batch`]).
//! - [`Consumer`] follows partitions, alone or as a member of a group.
//! - [`Error`] is the one error.
//!
//! All calls are futures; a thread without a runtime waits for them with [`tokio::runtime::Handle::block_on`] on [`Client::runtime`].

mod admin;
mod admin_groups;
mod admin_users;
mod batch;
mod call;
mod chunk;
mod client;
mod clock;
pub mod config;
mod consumer;
mod decode;
pub mod duration;
mod error;
mod error_codes;
mod fetch;
mod list_offsets;
mod metadata_cache;
mod position;
mod producer;
mod scan;
mod topic;
mod transport;

pub use admin::{ConfigEntry, IfExists, NewTopic, TopicChanges, TopicInfo};
pub use admin_groups::{GroupDescription, GroupInfo, GroupMember, GroupOffset};
pub use admin_users::UserInfo;
pub use batch::{Batch, TopicPartition};
pub use client::Client;
pub use config::consumer::OffsetReset;
pub use config::producer::Acks;
pub use config::{ClientConfig, GroupConfig};
pub use consumer::{
    Announce, Assignor, BatchOptions, BatchStream, Consumer, ConsumerConfig, Finishing, Rebalance,
    Subscription, Until, WakeupHandle,
};
pub use error::{Error, ErrorKind, Result};
pub use headwater_columnar::DecodeOptions;
pub use headwater_metadata::ScramMechanism;
pub use position::Position;
pub use producer::{
    BatchResult, BulkOptions, Producer, ProducerConfig, Record, RecordMetadata, SendHandle,
    TableSender, TrySendError,
};
pub use scan::{IsolationLevel, Progress, Scan, ScanOptions, ScanProgress, ScanReader};
pub use topic::{PartitionDescription, Topic, TopicDescription};
pub use transport::{CallFuture, ClosedFuture, Node, Transport, TransportError};
