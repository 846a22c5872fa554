//! Accepts connections.

use std::fmt;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use headwater_broker::{Listener, OpenListener, RequestMemory};
use tokio::io::AsyncRead;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::admission::{Admission, ConnectionPermit};
use crate::connection::{Connection, Drain, End, Sink};
use crate::dispatch::Dispatch;
use crate::handler::Handler;
use crate::limits::Bounds;
use crate::sasl::{Decoy, Mechanism, Session};
use crate::socket;

/// The pause after a failed accept: the process lacks file descriptors or memory, which may be released soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The state of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Serving,
    /// No new requests are started.
    Draining,
}

/// The state that the listeners of a server share.
#[derive(Debug, Clone)]
pub(crate) struct ServerContext<H> {
    pub(crate) handler: H,
    pub(crate) bounds: Arc<Bounds>,
    pub(crate) memory: Arc<RequestMemory>,
    pub(crate) decoy: Arc<Decoy>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) stage: watch::Receiver<Stage>,
}

/// A bound listener.
#[derive(Debug)]
pub(crate) struct BoundListener {
    pub(crate) socket: net::TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) terms: ListenerTerms,
}

/// The settings of one listener's connections.
#[derive(Clone)]
pub(crate) struct ListenerTerms {
    pub(crate) advertised: Listener,
    pub(crate) tls: Option<TlsAcceptor>,
    /// The mechanisms, if authentication is required.
    pub(crate) mechanisms: Option<Arc<[Mechanism]>>,
}

impl BoundListener {
    /// The listener as the broker's configuration shows it.
    pub(crate) fn open(&self) -> OpenListener {
        let advertised = self.terms.advertised.clone();
        OpenListener {
            bound: Listener {
                name: Arc::clone(&advertised.name),
                host: Arc::from(self.address.ip().to_string()),
                port: self.address.port(),
            },
            advertised,
        }
    }
}

impl fmt::Debug for ListenerTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("advertised", &self.advertised)
            .field("mechanisms", &self.mechanisms)
            .finish_non_exhaustive()
    }
}

impl<H: Handler> ServerContext<H> {
    /// Accepts connections until the server drains.
    pub(crate) async fn listen(self, bound: BoundListener) {
        let socket = match TcpListener::from_std(bound.socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(address = %bound.address, %error, "a listener cannot be served");
                return;
            }
        };
        let mut drain = self.drain();
        loop {
            let accepted = tokio::select! {
                () = &mut drain => return,
                accepted = accept(&socket, &self.admission) => accepted,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let Some(admitted) = self.admission.admit(peer.ip()) else {
                        tracing::info!(%peer, "a connection is closed: its address has reached max.connections.per.ip");
                        continue;
                    };
                    let serving = self.clone().serve(stream, peer, bound.terms.clone());
                    tokio::spawn(async move {
                        serving.await;
                        drop((admitted, permit));
                    });
                }
                Err(error) => {
                    tracing::warn!(address = %bound.address, %error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn drain(&self) -> Drain {
        let mut stage = self.stage.clone();
        Box::pin(async move {
            // An error means that the server is gone, which ends connections too.
            let _ = stage.wait_for(|stage| *stage == Stage::Draining).await;
        })
    }

    async fn serve(self, stream: TcpStream, peer: SocketAddr, terms: ListenerTerms) {
        if let Err(error) = socket::prepare(&stream, peer) {
            tracing::debug!(%peer, %error, "a connection ended during its setup");
            return;
        }
        let Some(tls) = terms.tls.clone() else {
            return self.serve_stream(stream, peer, terms).await;
        };
        match timeout(self.bounds.limits.handshake_max, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve_stream(stream, peer, terms).await,
            Ok(Err(error)) => tracing::warn!(%peer, %error, "a TLS handshake failed"),
            Err(_) => tracing::warn!(%peer, "a TLS handshake took too long"),
        }
    }

    async fn serve_stream<S: AsyncRead + Sink>(
        self,
        stream: S,
        peer: SocketAddr,
        terms: ListenerTerms,
    ) {
        let drain = self.drain();
        let session = match terms.mechanisms {
            None => Session::not_required(self.decoy),
            Some(offered) => Session::required(offered, self.decoy),
        };
        let dispatch = Dispatch::new(
            self.handler,
            Arc::clone(&self.memory),
            terms.advertised,
            Arc::from(peer.ip().to_string()),
            session,
        );
        let end = Connection::new(stream, dispatch, self.bounds, self.memory, drain)
            .run()
            .await;
        match end {
            End::Frame(error) => tracing::warn!(%peer, %error, "a connection ended"),
            end => tracing::debug!(%peer, reason = %end, "a connection ended"),
        }
    }
}

/// Accepts the next connection, once max.connections allows it.
async fn accept(
    socket: &TcpListener,
    admission: &Admission,
) -> std::io::Result<(TcpStream, SocketAddr, ConnectionPermit)> {
    let permit = admission.acquire().await;
    let (stream, peer) = socket.accept().await?;
    Ok((stream, peer, permit))
}
