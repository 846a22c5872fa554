//! A server: its listeners, threads and shutdown.

use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::thread::available_parallelism;
use std::time::Duration;

use headwater_broker::{Listener, ListenerRegistration, RequestMemory};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::admission::Admission;
use crate::handler::Handler;
use crate::limits::Bounds;
use crate::listener::{BoundListener, ListenerTerms, ServerContext, Stage};
use crate::sasl::Decoy;
use crate::wake_policy;
use crate::{Exposure, ListenerOptions, SecurityProtocol, ServeOptions, TlsError};

/// The minimum number of threads: one may block on the disk.
const WORKERS_MIN: usize = 2;

/// Why a server did not start. Nothing is bound then.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There are no listeners.
    #[error("There is nothing to listen on: give at least one listener, such as 127.0.0.1:9092.")]
    NoListener,
    /// The host is unknown.
    #[error(
        "Cannot listen on {host}: the host is unknown ({source}). Use a name or an address of this machine, such as 127.0.0.1."
    )]
    UnknownHost {
        /// The host.
        host: String,
        /// The system's error.
        source: io::Error,
    },
    /// Other machines can reach the address, and the listener has no authentication or no encryption.
    #[error(
        "Refusing to listen on {address} with {protocol}: other machines can reach it, and the listener would let them in without both \
         encryption and a password. Listen on 127.0.0.1, make it a SASL_SSL listener, or insist with allow_insecure."
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
        /// The security protocol of the listener.
        protocol: SecurityProtocol,
    },
    /// The listener is bound to every address of the machine, and no advertised host is set.
    #[error(
        "A listener on {address} listens on every address of this machine, which cannot be advertised: set the advertised host to the name by which clients reach it."
    )]
    NothingToAdvertise {
        /// The address.
        address: SocketAddr,
    },
    /// The system refuses the address.
    #[error(
        "Cannot listen on {address} ({source}): another program may listen there; stop it, or use another port (0 takes a free one)."
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's error.
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
    /// A listener with SASL has no mechanism.
    #[error(
        "A {0} listener needs a mechanism to authenticate with: enable PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )]
    NoMechanism(SecurityProtocol),
    /// The system refuses threads.
    #[error(
        "Cannot start the server's threads ({0}): the system's limit of threads or memory is reached; raise it, or stop other programs."
    )]
    Threads(io::Error),
}

/// A running server. [`shutdown`](Self::shutdown) completes pending requests; dropping the server does not.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    advertised: Vec<Listener>,
    stage: Arc<watch::Sender<Stage>>,
    memory: Arc<RequestMemory>,
    drain_max: Duration,
    /// `None` after the shutdown.
    runtime: Mutex<Option<Runtime>>,
    /// Kept while the server listens.
    registration: Mutex<Option<ListenerRegistration>>,
}

impl Server {
    /// Binds the listeners of `options` and passes requests to `handler`. Returns when connections are accepted.
    pub fn start<H: Handler>(handler: H, options: ServeOptions) -> Result<Self, ServeError> {
        let ServeOptions {
            listeners,
            exposure,
            limits,
        } = options;
        if listeners.is_empty() {
            return Err(ServeError::NoListener);
        }
        let bound: Vec<BoundListener> = listeners
            .iter()
            .map(|listener| bind(listener, exposure))
            .collect::<Result<_, _>>()?;
        let runtime = runtime().map_err(ServeError::Threads)?;
        let (sender, stage) = watch::channel(Stage::Serving);
        let drain_max = limits.drain_max;
        let broker = handler.limits();
        let memory = handler.memory();
        let registration =
            handler.register_listeners(bound.iter().map(BoundListener::open).collect());
        let shared = ServerContext {
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

    /// The bound addresses, in the order of the options.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The advertised listeners, in the order of the options.
    pub fn advertised(&self) -> &[Listener] {
        &self.advertised
    }

    /// The bytes of requests and responses of all connections, without the free part of each.
    pub fn memory_used(&self) -> usize {
        self.memory.used()
    }

    /// Whether it was shut down.
    pub fn is_closed(&self) -> bool {
        *self.stage.borrow() != Stage::Serving
    }

    /// Stops accepting connections, completes pending requests up to a deadline, and closes all connections. Blocks
    /// until then. Idempotent.
    pub fn shutdown(&self) {
        // A concurrent second call returns when the shutdown is complete.
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
                tracing::warn!("some requests did not complete before the shutdown deadline");
            }
            let _ = done.send(());
        });
        // An error means that the task has ended with the runtime.
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
        .on_thread_park(wake_policy::before_sleep)
        .enable_io()
        .enable_time()
        .build()
}

/// Binds a listener to the first address that its host resolves to.
fn bind(options: &ListenerOptions, exposure: Exposure) -> Result<BoundListener, ServeError> {
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
) -> io::Result<BoundListener> {
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
    let terms = ListenerTerms {
        advertised,
        tls: tls.cloned(),
        mechanisms: options.protocol.uses_sasl().then(|| mechanisms.into()),
    };
    Ok(BoundListener {
        socket,
        address,
        terms,
    })
}
