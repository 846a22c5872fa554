//! The open listeners of the servers of a broker, as the broker's configuration shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_metadata::Value;
use parking_lot::Mutex;

use crate::Listener;

/// An open listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenListener {
    /// The bound address.
    pub bound: Listener,
    /// The advertised address.
    pub advertised: Listener,
}

type ByServer = BTreeMap<u64, Vec<OpenListener>>;

/// The listeners of all servers.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    by_server: Arc<Mutex<ByServer>>,
}

/// Keeps a server's listeners in the broker's configuration until it is dropped.
#[derive(Debug)]
pub struct ListenerRegistration {
    by_server: Arc<Mutex<ByServer>>,
    server: u64,
}

impl Listeners {
    /// Adds the listeners of a server.
    pub(crate) fn register(&self, listeners: Vec<OpenListener>) -> ListenerRegistration {
        let mut by_server = self.by_server.lock();
        let server = by_server.last_key_value().map_or(0, |(last, _)| last + 1);
        by_server.insert(server, listeners);
        ListenerRegistration {
            by_server: Arc::clone(&self.by_server),
            server,
        }
    }

    /// The values of `listeners` and `advertised.listeners`; `None` without a server.
    pub(crate) fn values(&self) -> Option<(Value, Value)> {
        let by_server = self.by_server.lock();
        if by_server.is_empty() {
            return None;
        }
        let all = || by_server.values().flatten();
        let bound = all().map(|listener| listener.bound.to_string());
        let advertised = all().map(|listener| listener.advertised.to_string());
        Some((
            Value::List(bound.collect()),
            Value::List(advertised.collect()),
        ))
    }
}

impl Drop for ListenerRegistration {
    fn drop(&mut self) {
        self.by_server.lock().remove(&self.server);
    }
}
