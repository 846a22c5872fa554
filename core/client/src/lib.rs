//! Producer, consumer, scan and administration over typed Kafka requests.
//!
//! The client talks to brokers through a [`Transport`]. In process, it calls the broker's handlers in the caller's
//! thread; over a network, it encodes requests. Nothing above the transport depends on which one it is.
//!
//! - [`Client`] is a factory for everything else.
//! - [`Admin`] creates, lists, alters and deletes topics, groups and users.
//! - [`Producer`] sends records one by one ([`Producer::send`]) or as tables ([`Producer::send_batch`]).
//! - [`Consumer`] reads partitions, alone or as a member of a group.
//! - [`Error`] is the error of every call.
//!
//! Modules import in one direction: `transport`, `config`, `metrics` and `error` at the bottom, then `cluster`, then
//! `fetch` and `list_offsets`, then `producer`, `consumer`, `scan` and `admin`, then `topic`, then `client`.
//!
//! All calls are futures; a thread without a runtime blocks on them with [`tokio::runtime::Handle::block_on`] on
//! [`Client::runtime`].

mod admin;
mod batch;
mod chance;
mod choice;
mod client;
mod clock;
mod cluster;
pub mod config;
mod consumer;
mod decode;
mod decode_batch;
pub mod duration;
mod error;
mod error_codes;
mod fetch;
mod isolation;
mod list_offsets;
mod metrics;
mod mutants;
mod node_versions;
mod places;
mod position;
mod producer;
mod reporting;
mod request_shapes;
mod scan;
mod skipped;
pub mod timestamp;
mod topic;
mod transport;

pub use admin::{
    Admin, ClusterDescription, ConfigEntry, GroupDescription, GroupInfo, GroupMember, GroupOffset,
    IfExists, NewTopic, TopicChanges, TopicInfo, UserInfo,
};
pub use batch::{Batch, TopicPartition};
pub use client::Client;
pub use config::consumer::OffsetReset;
pub use config::producer::Acks;
pub use config::{
    Assignor, ClassicConfig, ClientConfig, ConsumerProtocolConfig, GroupConfig, GroupProtocol,
};
pub use consumer::{
    BatchOptions, BatchStream, CommitMetadata, Consumer, ConsumerConfig, ConsumerGauge, Event,
    Finishing, GroupMetadata, MessageRow, Operation, Rebalance, Subscription, Until, WakeupHandle,
};
pub use error::{Error, ErrorKind, Result, sentence};
pub use headwater_columnar::DecodeOptions;
pub use headwater_metadata::ScramMechanism;
pub use isolation::IsolationLevel;
pub use metrics::{
    BrokerMetrics, ClientMetrics, ConsumerMetrics, LatencySummary, LatencyWindow, ProducerMetrics,
    RequestMetrics,
};
pub use node_versions::NodeVersions;
pub use position::Position;
pub use producer::{
    BatchResult, BulkOptions, Producer, ProducerConfig, Record, RecordMetadata, SendHandle,
    TableSender, TrySendError, ValueFormat,
};
pub use request_shapes::ShapedRequest;
pub use scan::{Bounds, Progress, Scan, ScanOptions, ScanProgress, ScanReader};
pub use skipped::SkippedRecords;
pub use topic::{PartitionDescription, Topic, TopicDescription};
pub use transport::{
    BrokerAddress, CallFuture, ClosedFuture, Lane, Node, Purpose, Transport, TransportError,
    TransportErrorKind,
};
