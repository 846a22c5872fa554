//! A server: its listeners, its threads and its end.

use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::thread::available_parallelism;
use std::time::Duration;

use headwater_broker::{Listener, ListenerRegistration, Memory};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::admission::Admission;
use crate::handler::Handler;
use crate::limits::Bounds;
use crate::listener::{Bound, Shared, Stage, Terms};
use crate::manners;
use crate::sasl::Decoy;
use crate::{Exposure, ListenerOptions, SecurityProtocol, ServeOptions, TlsError};

/// A server has at least so many threads: while one waits for a disk the other serves.
const WORKERS_MIN: usize = 2;

/// Why a server did not start. Nothing is bound then.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No listener was asked for.
    #[error("There is nothing to listen on: give at least one listener, such as 127.0.0.1:9092.")]
    NoListener,
    /// The host is no address of anything.
    #[error(
        "Cannot listen on {host}: it is not known ({source}). Use a name or an address of this machine, such as 127.0.0.1."
    )]
    UnknownHost {
        /// What was asked for.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The address is reached from other machines, and the listener lets everybody in.
    #[error(
        "Refusing to listen on {address} with {protocol}: other machines can reach it, and the listener would let them in without both \
         encryption and a password. Listen on 127.0.0.1, make it a SASL_SSL listener, or insist with allow_insecure."
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
        /// What clients would have to speak there.
        protocol: SecurityProtocol,
    },
    /// Every address of the machine was asked for, and none to tell clients.
    #[error(
        "A listener on {address} listens on every address of this machine, none of which is what clients should be told: set the advertised host to the name by which they reach it."
    )]
    NothingToAdvertise {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not give the address.
    #[error(
        "Cannot listen on {address} ({source}): another program may listen there; stop it, or use another port (0 takes a free one)."
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A listener with TLS has no certificate.
    #[error(
        "A {0} listener needs a certificate and its private key in PEM: give both, or use a protocol without TLS."
    )]
    NoTls(SecurityProtocol),
    /// The certificate cannot be used.
    #[error("Cannot listen with TLS: {0}.")]
    Tls(#[from] TlsError),
    /// A listener asks for passwords and takes none.
    #[error(
        "A {0} listener needs a mechanism to authenticate with: enable PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )]
    NoMechanism(SecurityProtocol),
    /// The system does not give threads.
    #[error(
        "Cannot start the server's threads ({0}): the system's limit of threads or memory is reached; raise it, or end something."
    )]
    Threads(io::Error),
}

/// A server that listens. It stops at [`shutdown`](Self::shutdown), which lets requests finish, or when it is dropped, which does not.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    advertised: Vec<Listener>,
    stage: Arc<watch::Sender<Stage>>,
    memory: Arc<Memory>,
    drain_max: Duration,
    /// `None` once shut down.
    runtime: Mutex<Option<Runtime>>,
    /// As long as it listens.
    registration: Mutex<Option<ListenerRegistration>>,
}

impl Server {
    /// Listens as `options` say and hands requests to `handler`. Returns when connections are accepted.
    pub fn start<H: Handler>(handler: H, options: ServeOptions) -> Result<Self, ServeError> {
        let ServeOptions {
            listeners,
            exposure,
            limits,
        } = options;
        if listeners.is_empty() {
            return Err(ServeError::NoListener);
        }
        let bound: Vec<Bound> = listeners
            .iter()
            .map(|listener| bind(listener, exposure))
            .collect::<Result<_, _>>()?;
        let runtime = runtime().map_err(ServeError::Threads)?;
        let (sender, stage) = watch::channel(Stage::Serving);
        let drain_max = limits.drain_max;
        let broker = handler.limits();
        let memory = handler.memory();
        let registration = handler.register_listeners(bound.iter().map(Bound::open).collect());
        let shared = Shared {
            admission: Arc::new(Admission::new(&broker)),
            handler,
            memory: Arc::clone(&memory),
            decoy: Arc::new(Decoy::new()),
            bounds: Arc::new(Bounds { limits, broker }),
            stage,
        };
        let addresses = bound.iter().map(|bound| bound.address).collect();
        let advertised = bound
            .iter()
            .map(|bound| bound.terms.advertised.clone())
            .collect();
        for bound in bound {
            runtime.spawn(shared.clone().listen(bound));
        }
        Ok(Self {
            addresses,
            advertised,
            stage: Arc::new(sender),
            memory,
            drain_max,
            runtime: Mutex::new(Some(runtime)),
            registration: Mutex::new(registration),
        })
    }

    /// Where it listens, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What clients are told to connect to, in the order of the options.
    pub fn advertised(&self) -> &[Listener] {
        &self.advertised
    }

    /// How many bytes of requests and answers its connections hold beyond what each has free.
    pub fn memory_used(&self) -> usize {
        self.memory.used()
    }

    /// Accepts nothing more, answers the requests that were begun, up to a deadline, and closes all connections. Blocks until then.
    /// Idempotent.
    pub fn shutdown(&self) {
        // Whoever comes second returns when it is done, not before.
        let mut slot = self.runtime.lock();
        let Some(runtime) = slot.take() else {
            return;
        };
        drop(self.registration.lock().take());
        self.stage.send_replace(Stage::Draining);
        let (stage, drain_max) = (Arc::clone(&self.stage), self.drain_max);
        let (done, is_done) = mpsc::channel();
        runtime.spawn(async move {
            // Every listener and connection holds a receiver.
            if timeout(drain_max, stage.closed()).await.is_err() {
                tracing::warn!(
                    "some requests took too long for the shutdown and were not answered"
                );
            }
            let _ = done.send(());
        });
        // An error means that the task is gone, and with it what it waited for.
        let _ = is_done.recv();
        runtime.shutdown_background();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stage.send_replace(Stage::Draining);
        if let Some(runtime) = self.runtime.get_mut().take() {
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    let workers = available_parallelism().map_or(WORKERS_MIN, usize::from);
    Builder::new_multi_thread()
        .worker_threads(workers.max(WORKERS_MIN))
        .thread_name("headwater-net")
        .on_thread_park(manners::before_sleep)
        .enable_io()
        .enable_time()
        .build()
}

/// Binds a listener at the first address of its host that the system gives.
fn bind(options: &ListenerOptions, exposure: Exposure) -> Result<Bound, ServeError> {
    let host = options.host.as_str();
    let unknown = |source| ServeError::UnknownHost {
        host: host.to_owned(),
        source,
    };
    let tls = tls(options)?;
    if options.protocol.uses_sasl() && options.mechanisms.is_empty() {
        return Err(ServeError::NoMechanism(options.protocol));
    }
    let mut last = unknown(io::ErrorKind::NotFound.into());
    for address in (host, options.port).to_socket_addrs().map_err(unknown)? {
        check_exposure(address, options, exposure)?;
        match bind_at(address, options, tls.as_ref()) {
            Ok(bound) => return Ok(bound),
            Err(source) => last = ServeError::Bind { address, source },
        }
    }
    Err(last)
}

fn check_exposure(
    address: SocketAddr,
    options: &ListenerOptions,
    exposure: Exposure,
) -> Result<(), ServeError> {
    let protocol = options.protocol;
    let is_guarded = protocol == SecurityProtocol::SaslSsl || address.ip().is_loopback();
    if exposure == Exposure::Loopback && !is_guarded {
        return Err(ServeError::Exposed { address, protocol });
    }
    if address.ip().is_unspecified() && options.advertised_host.is_none() {
        return Err(ServeError::NothingToAdvertise { address });
    }
    Ok(())
}

fn tls(options: &ListenerOptions) -> Result<Option<TlsAcceptor>, ServeError> {
    let protocol = options.protocol;
    if !protocol.uses_tls() {
        return Ok(None);
    }
    let tls = options.tls.as_ref().ok_or(ServeError::NoTls(protocol))?;
    Ok(Some(tls.acceptor()?))
}

fn bind_at(
    address: SocketAddr,
    options: &ListenerOptions,
    tls: Option<&TlsAcceptor>,
) -> io::Result<Bound> {
    let socket = net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let host = options.advertised_host.as_deref().unwrap_or(&options.host);
    let name: Arc<str> = Arc::from(options.protocol.to_string());
    let advertised = Listener {
        name,
        host: Arc::from(host),
        port: options.advertised_port.unwrap_or(address.port()),
    };
    let mechanisms = options.mechanisms.as_slice();
    let terms = Terms {
        advertised,
        tls: tls.cloned(),
        mechanisms: options.protocol.uses_sasl().then(|| mechanisms.into()),
    };
    Ok(Bound {
        socket,
        address,
        terms,
    })
}
