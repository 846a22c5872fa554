//! The client's transport over TCP: connections to the brokers of a Kafka cluster.
//!
//! [`TcpTransport`] implements [`headwater_client::Transport`]. Each lane opens its own connection to each broker, at
//! its first call to it:
//!
//! ```text
//!   transport   bootstrap addresses, the cluster's brokers, the lanes
//!     lane      one purpose of one client; one slot for each broker
//!       slot    the connection to one broker: opened on demand, again after a backoff
//!         connection   pipelined requests, responses matched by correlation id
//! ```
//!
//! Opening a connection resolves the name, connects, starts TLS, requests the supported versions and authenticates
//! (`connect`).

mod address;
mod brokers;
mod config;
mod connect;
mod connection;
mod error;
mod frame_reader;
mod lane;
mod meter;
mod race;
mod recovery;
mod sasl;
mod slot;
mod socket;
mod stream;
mod tls;
mod transport;

pub use address::{Address, InvalidAddress};
pub use config::{CONNECTION, ConnectionConfig};
pub use recovery::RecoveryStrategy;
pub use sasl::{OauthToken, TokenError, TokenFuture, TokenProvider};
pub use transport::TcpTransport;
