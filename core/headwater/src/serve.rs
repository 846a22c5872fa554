//! Serves the engine on the network.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use headwater_client::{Error, ErrorKind, Result};
use headwater_server::{ServeError, ServeOptions};

use crate::engine::{Engine, Host};
use headwater_net::Address;

/// A server for Kafka clients. It keeps the engine open, and stops at [`shutdown`](Self::shutdown), when it is dropped,
/// or when the engine is closed.
pub struct Server {
    listening: Arc<headwater_server::Server>,
    /// Declared after `listening`, so that it is dropped later.
    _host: Arc<dyn Host>,
}

impl Engine {
    /// Serves the engine at the listeners of `options`. Returns when connections are accepted.
    pub fn serve(&self, options: ServeOptions) -> Result<Server> {
        Ok(Server {
            listening: self.host().serve(options)?,
            _host: Arc::clone(self.host()),
        })
    }
}

impl Server {
    /// The bound addresses, in the order of the options, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.listening.addresses()
    }

    /// The advertised addresses, in the order of the options.
    pub fn advertised(&self) -> impl Iterator<Item = Address> {
        self.listening.advertised().iter().map(|listener| Address {
            host: listener.host.to_string(),
            port: listener.port,
        })
    }

    /// Whether it was shut down, or its engine was closed.
    pub fn is_closed(&self) -> bool {
        self.listening.is_closed()
    }

    /// Stops accepting connections, completes pending requests up to a deadline, and closes all connections. Blocks
    /// until then; the engine stays open. Idempotent.
    pub fn shutdown(&self) {
        self.listening.shutdown();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

/// Converts the error of a server to the public error.
pub(crate) fn refused(error: ServeError) -> Error {
    let kind = match &error {
        ServeError::Bind { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            ErrorKind::Permission
        }
        ServeError::Bind { .. } => ErrorKind::Transport,
        ServeError::Threads(_) => ErrorKind::Storage,
        _ => ErrorKind::InvalidArgument,
    };
    Error::new(kind, error.to_string()).caused_by(error)
}
