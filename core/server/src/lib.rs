//! The broker on the network: listeners, frames, TLS and SASL around [`headwater_broker::Broker::handle`].
//!
//! [`Server::start`] binds the listeners of [`ServeOptions`] and serves them on threads of its own until
//! [`Server::shutdown`].
//!
//! # The path of a request
//!
//! `listener` accepts connections. `connection` reads frames, starts each request in the order of arrival on the thread
//! that read it, and sends the responses in that order. `dispatch` decodes, checks the authentication (`sasl`) and
//! calls the broker. No request changes threads between the socket and the log. The records of a Produce request are a
//! slice of the receive buffer. Fetched records are sent from their file by the system, or by a vectored write.
//!
//! # Memory
//!
//! Every queue is bounded by [`Limits`]. A connection reads only while it may start requests, and starts them only
//! while its client receives the responses. All connections share one memory limit.

mod admission;
mod connection;
mod dispatch;
mod handler;
mod limits;
mod listener;
mod offload;
mod options;
mod produce_run;
mod reply;
mod sasl;
mod server;
mod socket;
mod tls;
mod wake_policy;

pub use handler::Handler;
pub use limits::{BrokerLimits, Limits};
pub use options::{Exposure, ListenerOptions, SecurityProtocol, ServeOptions, UnknownProtocol};
pub use sasl::{Mechanism, UnknownMechanism, credential_for};
pub use server::{ServeError, Server};
pub use tls::{TlsError, TlsOptions};
