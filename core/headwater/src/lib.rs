//! Kafka as a library: open a directory, or connect to a cluster; produce, consume Arrow.
//!
//! ```
//! use headwater::{NO_CONFIG, NewTopic, Record, ScanOptions};
//!
//! # fn main() -> headwater::Result<()> {
//! // A directory instead of `None` keeps the data: `Some(Path::new("./data"))`.
//! let engine = headwater::open(None, NO_CONFIG)?;
//! engine.block_on(engine.admin().create_topic(NewTopic::new("flights").partitions(2)))?;
//!
//! let producer = engine.producer(headwater::ProducerConfig::default());
//! let sent = producer.send_blocking(&Record::new("flights", br#"{"carrier": "UA", "delay": 11}"#).key(b"UA"))?;
//! let place = sent.wait()?;
//! assert_eq!(place.offset, Some(headwater::Offset::ZERO));
//!
//! let scan = engine.topic("flights").scan(ScanOptions::default());
//! let table = engine.block_on(scan.collect())?;
//! assert_eq!(table.len(), 1);
//! assert_eq!(table.schema().field(1).name(), "offset");
//! # Ok(())
//! # }
//! ```
//!
//! # Threads
//!
//! Calls are futures. A call runs in the thread that polls it: `engine.block_on(..)` in a plain thread, `.await` in an
//! async one. No other thread is involved on the way to the disk. The engine's own runtime has two threads, for timers,
//! lingering batches and housekeeping.
//!
//! # Durability
//!
//! An acknowledged record is in the page cache: it survives the death of the process, but not a power cut, as in Kafka.
//! The topic keys `flush.messages` and `flush.ms` add fsync; `flush.messages=1` acknowledges only after it.
//! [`Engine::close`] sends and flushes all records.

mod blocking;
#[cfg(feature = "cli")]
pub mod cli;
mod connect;
mod connected;
mod engine;
mod engine_config;
mod handle;
mod in_process;
mod listener;
mod open_error;
mod registry;
mod serve;
mod worker_threads;

pub use blocking::block_on_for;
pub use connect::{
    ConnectOptions, connect, connect_on_demand, connect_on_demand_with, connect_with,
};
pub use engine::{Engine, NO_CONFIG, open};
pub use headwater_broker::{DeletionCounts, Deletions, OpenReport, RecoveredPartition};
pub use headwater_client::*;
pub use headwater_columnar as columnar;
pub use headwater_columnar::{Column, DecodeOptions, Format, OnError, Projection};
pub use headwater_env::{PerProcess, forks};
pub use headwater_metadata::config::canonical_key;
pub use headwater_net::{
    Address, CONNECTION, ConnectionConfig, InvalidAddress, OauthToken, TokenError, TokenFuture,
    TokenProvider,
};
pub use headwater_protocol::ErrorCode;
pub use headwater_record::{Offset, PartitionId};
pub use headwater_server::{
    Exposure, Limits, ListenerOptions, Mechanism, SecurityProtocol, ServeOptions, TlsError,
    TlsOptions, UnknownMechanism, UnknownProtocol, credential_for,
};
pub use listener::{InvalidListener, ListenerAddress, ListenerArguments, ListenerSecurity};
pub use serve::Server;
