//! A proxy between clients and a broker that disturbs their connections.
//!
//! It changes no byte. Brokers advertise the ports of their proxies, so that clients reach them only through these.
//! Each connection is read frame by frame in both directions: a [`Rule`] selects frames by direction, API and chance,
//! and a [`Fault`] delays, stalls, repeats or cuts there, also in the middle of a frame. If a response is cut, the
//! broker has handled the request, and the client must send it again. [`Proxy::hold`] stops all connections in one
//! direction or both until [`Proxy::release`]; a frame that arrives meanwhile is stopped in the middle.

mod connection;
mod frame;
mod rule;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use rule::{CutAt, CutHow, Direction, Fault, Rule};

use connection::Connection;

/// The settings of all connections of a proxy.
#[derive(Debug, Clone, Default)]
struct Settings {
    rules: Arc<[Rule]>,
    holds_requests: bool,
    holds_responses: bool,
    /// The number of times that all connections were cut.
    cuts: u64,
}

#[derive(Debug)]
struct ProxyState {
    seed: u64,
    broker: SocketAddr,
    settings: watch::Sender<Settings>,
    /// The number of faults of each kind so far.
    happened: Mutex<BTreeMap<&'static str, u64>>,
}

/// A proxy in front of one broker. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<ProxyState>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Passes the connections of a listener on to a broker, which need not be running yet. Faults are drawn from the
    /// seed.
    pub fn start(
        runtime: &Handle,
        listener: TcpListener,
        broker: SocketAddr,
        seed: u64,
    ) -> io::Result<Self> {
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let _guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let shared = Arc::new(ProxyState {
            seed,
            broker,
            settings: watch::Sender::default(),
            happened: Mutex::default(),
        });
        let accepting = runtime.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            port,
            shared,
            accepting,
        })
    }

    /// The address on which it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Replaces the rules, also for existing connections.
    pub fn set_rules(&self, rules: impl Into<Arc<[Rule]>>) {
        let rules = rules.into();
        self.shared
            .settings
            .send_modify(|settings| settings.rules = rules);
    }

    /// Stops this direction of all present and future connections.
    pub fn hold(&self, direction: Direction) {
        self.count("hold");
        self.set_hold(direction, true);
    }

    /// Lets both directions continue.
    pub fn release(&self) {
        self.set_hold(Direction::Request, false);
        self.set_hold(Direction::Response, false);
    }

    /// Resets all connections.
    pub fn cut_all(&self) {
        self.count("cut all");
        self.shared
            .settings
            .send_modify(|settings| settings.cuts += 1);
    }

    /// The number of faults of each kind so far.
    pub fn happened(&self) -> BTreeMap<&'static str, u64> {
        self.shared.happened.lock().clone()
    }

    fn set_hold(&self, direction: Direction, holds: bool) {
        self.shared
            .settings
            .send_modify(|settings| match direction {
                Direction::Request => settings.holds_requests = holds,
                Direction::Response => settings.holds_responses = holds,
            });
    }

    fn count(&self, fault: &'static str) {
        self.shared.count(fault);
    }
}

impl ProxyState {
    fn count(&self, fault: &'static str) {
        *self.happened.lock().entry(fault).or_default() += 1;
    }
}

impl Settings {
    fn holds(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.holds_requests,
            Direction::Response => self.holds_responses,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves each connection in its own task; all of them end with this one.
async fn accept(listener: tokio::net::TcpListener, shared: Arc<ProxyState>) {
    let mut connections = tokio::task::JoinSet::new();
    for number in 0.. {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A stopped broker refuses the connection; the client sees one that ends at once.
            if let Ok(broker) = tokio::net::TcpStream::connect(shared.broker).await {
                Connection::new(shared, number).serve(client, broker).await;
            }
        });
    }
}
