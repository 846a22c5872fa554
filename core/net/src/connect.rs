//! Opens a connection: TCP, TLS, supported versions, authentication.

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use headwater_client::{NodeVersions, ShapedRequest};
use headwater_protocol::codec::Str;
use headwater_protocol::frame::{decode_response, encode_request};
use headwater_protocol::{
    ApiKey, ApiRequest, ApiVersionsRequest, ApiVersionsResponse, ErrorCode, Request, Response,
};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::address::Address;
use crate::config::ConnectionConfig;
use crate::error::{ConnectionError, ConnectionErrorKind};
use crate::frame_reader::{FrameLimit, FrameReader, out_of_order, response_id};
use crate::stream::Stream;
use crate::{sasl, socket, tls};

/// The client's name in the brokers' metrics and logs (KIP-511).
const SOFTWARE_NAME: &str = "headwater";
const SOFTWARE_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of the `ApiVersions` request. A broker before Kafka 2.4 answers it with an error in version 0.
const API_VERSIONS_VERSION: i16 = 3;
const FIRST_CORRELATION_ID: i32 = 1;

/// A connection that is ready for requests.
pub(crate) struct ReadyStream {
    pub(crate) stream: Stream,
    pub(crate) versions: NodeVersions,
    /// The lifetime of the authentication; `None`: unlimited.
    pub(crate) lifetime: Option<Duration>,
    /// The correlation id of the last request. Later requests have higher ones, so that a response that arrives twice
    /// is never taken for another request's.
    pub(crate) correlation_id: i32,
}

/// Connects to `address` within `socket.connection.setup.timeout.ms`.
pub(crate) async fn connect(
    address: &Address,
    config: &ConnectionConfig,
    client_id: Option<&Str>,
) -> Result<ReadyStream, ConnectionError> {
    let mut step = "connecting";
    let opening = async {
        match open(address, config, client_id, &mut step).await {
            Err(error) if error.kind == ConnectionErrorKind::StaleToken => {
                open(address, config, client_id, &mut step).await
            }
            opened => opened,
        }
    };
    match tokio::time::timeout(config.setup_timeout, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(timed_out(step, config)),
    }
}

fn timed_out(step: &str, config: &ConnectionConfig) -> ConnectionError {
    let limit_ms = config.setup_timeout.as_millis();
    let advice = match step {
        "connecting" => "check the address and the firewall",
        "waiting for the OAUTHBEARER token" => "check the source of the token",
        _ => "check that it is a Kafka broker and that security.protocol fits its listener",
    };
    ConnectionError::unreachable(format!(
        "No answer within {limit_ms} ms while {step}: {advice}, or raise socket.connection.setup.timeout.ms"
    ))
}

async fn open(
    address: &Address,
    config: &ConnectionConfig,
    client_id: Option<&Str>,
    step: &mut &'static str,
) -> Result<ReadyStream, ConnectionError> {
    *step = "connecting";
    let tcp = socket::open(address).await?;
    let stream = match &config.tls {
        None => Stream::Plain(tcp),
        Some(tls) => {
            *step = "starting TLS";
            let name = ServerName::try_from(address.host.clone()).map_err(|_| {
                ConnectionError::protocol(format!(
                    "{} is not a valid host name for TLS",
                    address.host
                ))
            })?;
            let started = tls.connector().connect(name, tcp).await;
            Stream::Tls(Box::new(
                started.map_err(|error| tls::handshake_failure(&error, &address.host))?,
            ))
        }
    };
    *step = "asking for the supported versions";
    let mut handshake = Handshake::new(stream, client_id.cloned());
    handshake.ask_versions().await?;
    let lifetime = match &config.credentials {
        None => None,
        Some(credentials) => sasl::authenticate(&mut handshake, credentials, step).await?,
    };
    handshake.finish(lifetime)
}

/// Sends the first requests of a connection, one after the other.
pub(crate) struct Handshake {
    reader: FrameReader<Stream>,
    client_id: Option<Str>,
    versions: NodeVersions,
    correlation_id: i32,
}

impl Handshake {
    fn new(stream: Stream, client_id: Option<Str>) -> Self {
        Self {
            reader: FrameReader::new(stream, FrameLimit::default()),
            client_id,
            versions: NodeVersions::new([]),
            correlation_id: FIRST_CORRELATION_ID - 1,
        }
    }

    fn finish(self, lifetime: Option<Duration>) -> Result<ReadyStream, ConnectionError> {
        Ok(ReadyStream {
            stream: self.reader.into_stream()?,
            versions: self.versions,
            lifetime,
            correlation_id: self.correlation_id,
        })
    }

    pub(crate) fn versions(&self) -> &NodeVersions {
        &self.versions
    }

    /// Calls the broker in the highest common version.
    pub(crate) async fn call<R: ApiRequest>(
        &mut self,
        request: R,
    ) -> Result<R::Response, ConnectionError> {
        let shaped = ShapedRequest::new(request.into(), &self.versions)
            .map_err(|error| ConnectionError::protocol(error.reason))?;
        let response = self
            .call_at(R::API, &shaped.request, shaped.version)
            .await?;
        typed::<R>(shaped.restore(response))
    }

    async fn call_at(
        &mut self,
        api: ApiKey,
        request: &Request,
        version: i16,
    ) -> Result<Response, ConnectionError> {
        self.correlation_id += 1;
        let mut bytes = BytesMut::new();
        encode_request(
            &mut bytes,
            request,
            version,
            self.correlation_id,
            self.client_id.as_ref(),
        )
        .map_err(|error| {
            ConnectionError::protocol(format!("A request cannot be encoded ({error})"))
        })?;
        let stream = self.reader.stream_mut();
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        written.await.map_err(|_| closed_in_handshake(api))?;
        let frame = match self.reader.next().await {
            Ok(Some(frame)) => frame,
            Err(error) if error.kind != ConnectionErrorKind::Unreachable => return Err(error),
            Ok(None) | Err(_) => return Err(closed_in_handshake(api)),
        };
        self.check_order(&frame)?;
        let (_, response) = decode_response(frame, api, version).map_err(not_a_broker)?;
        Ok(response)
    }

    /// Checks that `frame` is the response to the last request.
    fn check_order(&self, frame: &[u8]) -> Result<(), ConnectionError> {
        match response_id(frame) {
            Some(id) if id == self.correlation_id => Ok(()),
            _ if self.correlation_id > FIRST_CORRELATION_ID => Err(out_of_order()),
            _ => Err(not_a_broker(
                "its first response has a wrong correlation id",
            )),
        }
    }

    async fn ask_versions_at(
        &mut self,
        request: ApiVersionsRequest,
        version: i16,
    ) -> Result<ApiVersionsResponse, ConnectionError> {
        let response = self
            .call_at(ApiKey::ApiVersions, &request.into(), version)
            .await?;
        typed::<ApiVersionsRequest>(response)
    }

    async fn ask_versions(&mut self) -> Result<(), ConnectionError> {
        let request = ApiVersionsRequest {
            client_software_name: SOFTWARE_NAME.into(),
            client_software_version: SOFTWARE_VERSION.into(),
            ..ApiVersionsRequest::default()
        };
        let mut response = self.ask_versions_at(request, API_VERSIONS_VERSION).await?;
        if ErrorCode::from_code(response.error_code) == ErrorCode::UnsupportedVersion {
            response = self
                .ask_versions_at(ApiVersionsRequest::default(), 0)
                .await?;
        }
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {
                self.versions = NodeVersions::of(&response);
                Ok(())
            }
            code => Err(ConnectionError::protocol(format!(
                "The broker refused the request for its supported versions ({}): use a newer broker",
                code.message().trim_end_matches('.')
            ))),
        }
    }
}

fn typed<R: ApiRequest>(response: Response) -> Result<R::Response, ConnectionError> {
    R::Response::try_from(response).map_err(|error| {
        ConnectionError::protocol(format!("The broker's response cannot be decoded ({error})"))
    })
}

fn not_a_broker(reason: impl fmt::Display) -> ConnectionError {
    ConnectionError::protocol(format!("The server is not a Kafka broker ({reason})"))
}

/// The broker closed the connection instead of answering.
fn closed_in_handshake(api: ApiKey) -> ConnectionError {
    ConnectionError::unreachable(match api {
        ApiKey::ApiVersions => {
            "The server closed the connection at the first request: check that it is a Kafka broker and that security.protocol fits its listener (a TLS listener closes plain connections)"
        }
        _ => {
            "The broker closed the connection during authentication: check sasl.mechanism and the user and password, or the token"
        }
    })
}
