//! Scripted brokers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use headwater_client::{
    BrokerAddress, ClientConfig, Lane, Node, Purpose, Transport as _, TransportError,
};
use headwater_net::{ConnectionConfig, TcpTransport};
use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::frame::{RequestFrame, decode_request, encode_response, take_frame};
use headwater_protocol::{
    ApiKey, ApiVersionsResponse, MetadataRequest, MetadataResponse, Request, Response,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A listener whose connections are handled by a script.
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Peer {
    /// Runs `script` for each connection.
    pub(crate) async fn start<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Broker, usize) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(Broker::new(stream), number));
            }
        });
        Self {
            address: format!("127.0.0.1:{port}"),
            port,
            accepted,
        }
    }

    /// Runs `script` for each connection after a TLS handshake. Connections whose handshake fails are dropped.
    pub(crate) async fn start_tls<F: Future<Output = ()> + Send + 'static>(
        acceptor: TlsAcceptor,
        script: impl Fn(Broker, usize) -> F + Send + Sync + 'static,
    ) -> Self {
        let script = Arc::new(script);
        Self::start(move |broker, number| {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            async move {
                if let Ok(stream) = acceptor.accept(broker.stream).await {
                    script(Broker::new(stream), number).await;
                }
            }
        })
        .await
    }

    /// A broker that answers every request with the default response.
    pub(crate) async fn obliging() -> Self {
        Self::start(|mut broker, _| async move {
            while let Some(request) = broker.next().await {
                broker.answer(&request).await;
            }
        })
        .await
    }

    /// The number of accepted connections.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn broker(&self, id: i32) -> BrokerAddress {
        BrokerAddress {
            id,
            host: "127.0.0.1".to_owned(),
            port: self.port,
            rack: None,
        }
    }
}

/// A stream of bytes in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// The broker's side of a connection.
pub(crate) struct Broker {
    pub(crate) stream: Box<dyn Duplex>,
    received: BytesMut,
}

impl Broker {
    fn new(stream: impl Duplex + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            received: BytesMut::new(),
        }
    }

    /// The next request; `None` if the client closed the connection.
    pub(crate) async fn next(&mut self) -> Option<RequestFrame> {
        loop {
            if let Some(frame) = take_frame(&mut self.received, u32::MAX).unwrap() {
                return Some(decode_request(frame).unwrap());
            }
            if self.stream.read_buf(&mut self.received).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Answers the request for the supported versions, the first one of every connection.
    pub(crate) async fn greet(&mut self) {
        let request = self.next().await.unwrap();
        assert!(matches!(request.request, Request::ApiVersions(_)));
        self.answer(&request).await;
    }

    /// Answers with this response.
    pub(crate) async fn reply(&mut self, request: &RequestFrame, response: impl Into<Response>) {
        self.reply_at(request, response, request.header.api_version)
            .await;
    }

    /// Answers with this response in another version than the request's.
    pub(crate) async fn reply_at(
        &mut self,
        request: &RequestFrame,
        response: impl Into<Response>,
        version: i16,
    ) {
        let mut bytes = BytesMut::new();
        let id = request.header.correlation_id;
        encode_response(&mut bytes, &response.into(), version, id).unwrap();
        self.write(&bytes).await;
    }

    /// Answers all requests with the default response until the client closes the connection.
    pub(crate) async fn oblige(mut self) {
        while let Some(request) = self.next().await {
            self.answer(&request).await;
        }
    }

    /// Answers with the default response.
    pub(crate) async fn answer(&mut self, request: &RequestFrame) {
        let bytes = response_bytes(request, request.header.correlation_id);
        self.write(&bytes).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The client may have closed the connection.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }
}

/// A whole response to `request`.
pub(crate) fn response_bytes(request: &RequestFrame, correlation_id: i32) -> BytesMut {
    let response = match &request.request {
        Request::ApiVersions(_) => versions().into(),
        Request::Metadata(_) => MetadataResponse::default().into(),
        other => panic!("no script for {:?}", other.api_key()),
    };
    let mut bytes = BytesMut::new();
    let response: Response = response;
    encode_response(
        &mut bytes,
        &response,
        request.header.api_version,
        correlation_id,
    )
    .unwrap();
    bytes
}

fn versions() -> ApiVersionsResponse {
    let listed = |api: &ApiKey| ApiVersion {
        api_key: api.code(),
        min_version: api.supported().lowest,
        max_version: api.supported().highest,
        ..ApiVersion::default()
    };
    ApiVersionsResponse {
        api_keys: ApiKey::ALL.iter().map(listed).collect(),
        ..ApiVersionsResponse::default()
    }
}

/// Separates the keys of clients from those of connections.
fn split<'a>(pairs: &[(&'a str, &'a str)]) -> (ClientConfig, Vec<(&'a str, &'a str)>) {
    let pairs = pairs.iter().copied();
    let (client, connection): (Vec<_>, Vec<_>) =
        pairs.partition(|pair| ClientConfig::parse([*pair]).is_ok());
    (ClientConfig::parse(client).unwrap(), connection)
}

/// A transport to these addresses with these keys of connections.
pub(crate) fn transport(addresses: &[&str], pairs: &[(&str, &str)]) -> Arc<TcpTransport> {
    let (_, connection) = split(pairs);
    let bootstrap = addresses.iter().map(|address| address.parse().unwrap());
    TcpTransport::new(
        bootstrap.collect(),
        ConnectionConfig::parse(connection).unwrap(),
        tokio::runtime::Handle::current(),
    )
    .unwrap()
}

/// A lane of a transport to these addresses, with these keys of connections and clients.
pub(crate) fn lane(addresses: &[&str], pairs: &[(&str, &str)]) -> Arc<dyn Lane> {
    transport(addresses, pairs).lane(Purpose::Admin, &split(pairs).0)
}

/// A lane of a transport, with the defaults.
pub(crate) fn lane_of(transport: &Arc<TcpTransport>, purpose: Purpose) -> Arc<dyn Lane> {
    Arc::clone(transport).lane(purpose, &ClientConfig::default())
}

/// Requests metadata from any broker.
pub(crate) async fn ask(lane: &dyn Lane) -> Result<Response, TransportError> {
    ask_node(lane, Node::Any).await
}

pub(crate) async fn ask_node(lane: &dyn Lane, node: Node) -> Result<Response, TransportError> {
    lane.call(node, MetadataRequest::default().into()).await
}
