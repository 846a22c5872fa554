//! The broker on the network: listeners, frames, TLS and SASL around [`headwater_broker::Broker::handle`].
//!
//! [`Server::start`] binds the listeners of [`ServeOptions`] and serves them on threads of its own until [`Server::shutdown`].
//!
//! # The way of a request
//!
//! `listener` accepts; `connection` reads frames, begins each request in the order of arrival and in the thread that read it, and sends
//! the answers in that order whatever ends first; `dispatch` decodes, knows who may ask what (`sasl`), and calls the broker. Nothing is
//! handed to another thread on the way to the log and back. The records of a produce request are a slice of the bytes that were read,
//! and those of a fetch leave as the log gave them: sent by the system from their file, or in a vectored write.
//!
//! # Memory
//!
//! Every queue has a bound in [`Limits`]. A connection reads only while it may begin requests, and begins them only while its client
//! takes the answers; all connections share one account of bytes.

mod admission;
mod connection;
mod dispatch;
mod handler;
mod limits;
mod listener;
mod manners;
mod options;
mod pace;
mod produce_run;
mod reply;
mod sasl;
mod server;
mod socket;
mod tls;

pub use handler::Handler;
pub use limits::{BrokerLimits, Limits};
pub use options::{Exposure, ListenerOptions, SecurityProtocol, ServeOptions, UnknownProtocol};
pub use sasl::{Mechanism, UnknownMechanism, credential_for};
pub use server::{ServeError, Server};
pub use tls::{TlsError, TlsOptions};
