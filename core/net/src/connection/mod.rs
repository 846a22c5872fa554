//! An open connection to a broker: pipelined requests and their responses.

mod pipeline;
mod reading;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use headwater_client::{NodeVersions, ShapedRequest, TransportError};
use headwater_protocol::codec::Str;
use headwater_protocol::frame::{decode_response, encode_request_sharing};
use headwater_protocol::{ProduceResponse, Request, Response};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::address::Address;
use crate::connect::ReadyStream;
use crate::error::ConnectionError;
use crate::frame_reader::FrameLimit;
use crate::meter::BrokerMeter;
use crate::stream::Stream;
use pipeline::{PendingResult, Pipeline};
use writing::Writer;

/// The maximum size of a fetch response besides the requested records.
const FETCH_OVERHEAD_BYTES: i32 = 1024 * 1024;
/// The interval at which an expired connection is checked for calls in flight.
const DRAIN_CHECK: Duration = Duration::from_millis(5);
/// A connection is replaced after this share of its authentication's lifetime, at the end of which the broker closes
/// it.
const LIFETIME_USED: f64 = 0.85;

/// The options of a connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionOptions {
    pub(crate) address: Address,
    /// Whether the client authenticates.
    pub(crate) is_authenticated: bool,
    pub(crate) client_id: Option<Str>,
    /// `request.timeout.ms`: the connection is closed if the broker does not answer for this long.
    pub(crate) request_timeout: Duration,
    /// `connections.max.idle.ms`
    pub(crate) max_idle: Option<Duration>,
    pub(crate) meter: Arc<BrokerMeter>,
}

/// A connection. Any number of calls may be in flight; Kafka answers them in order.
pub(crate) struct Connection {
    pipeline: Pipeline,
    writer: Writer,
    versions: NodeVersions,
    options: ConnectionOptions,
    frame_limit: FrameLimit,
    next_correlation_id: AtomicI32,
    /// Ends the reading task.
    lost: Notify,
    /// When a new connection must be opened, because the authentication of this one ends.
    expires: Option<Instant>,
}

impl Connection {
    /// Starts reading and writing in tasks of the current runtime.
    pub(crate) fn start(ready: ReadyStream, options: ConnectionOptions) -> Arc<Self> {
        let frame_limit = FrameLimit::default();
        let expires = ready
            .lifetime
            .map(|lifetime| Instant::now() + lifetime.mul_f64(LIFETIME_USED));
        let new = |writer| {
            Arc::new(Self {
                pipeline: Pipeline::new(Arc::clone(&options.meter)),
                writer,
                versions: ready.versions,
                options,
                frame_limit: frame_limit.clone(),
                next_correlation_id: AtomicI32::new(ready.correlation_id + 1),
                lost: Notify::new(),
                expires,
            })
        };
        match ready.stream {
            Stream::Plain(stream) => {
                let (read, write) = stream.into_split();
                let connection = new(Writer::plain(write));
                tokio::spawn(reading::run(Arc::clone(&connection), read, frame_limit));
                tokio::spawn(writing::run_plain(Arc::clone(&connection)));
                connection
            }
            Stream::Tls(stream) => {
                let (read, write) = tokio::io::split(*stream);
                let connection = new(Writer::tls());
                tokio::spawn(reading::run(Arc::clone(&connection), read, frame_limit));
                tokio::spawn(writing::run_tls(Arc::clone(&connection), write));
                connection
            }
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.options.address
    }

    /// Whether calls can be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.pipeline.is_open()
    }

    /// Whether it must be replaced after its calls in flight, because its authentication is about to expire.
    pub(crate) fn is_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| Instant::now() >= expires)
    }

    /// Prevents closing for idleness until the caller's next call. Returns whether it is open.
    pub(crate) fn reserve(&self) -> bool {
        self.pipeline.reserve()
    }

    /// When it was lost; `None` if it is open or was closed for idleness.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        self.pipeline.lost_at()
    }

    /// Waits until no call is in flight, at most for `request.timeout.ms`.
    pub(crate) async fn drained(&self) {
        let drained = async {
            while self.is_open() && self.pipeline.in_flight() > 0 {
                tokio::time::sleep(DRAIN_CHECK).await;
            }
        };
        let _ = tokio::time::timeout(self.options.request_timeout, drained).await;
    }

    /// Queues `request` in the newest version that the broker supports, after those of earlier calls.
    pub(crate) fn begin(self: &Arc<Self>, request: Request) -> Result<Exchange, TransportError> {
        let shaped = ShapedRequest::new(request, &self.versions)?;
        if let Request::Fetch(fetch) = &shaped.request {
            let most = fetch.max_bytes.saturating_add(FETCH_OVERHEAD_BYTES);
            self.frame_limit.raise(most.unsigned_abs());
        }
        let correlation_id = self.next_correlation_id.fetch_add(1, Ordering::Relaxed);
        let (version, client_id) = (shaped.version, self.options.client_id.as_ref());
        let frame = encode_request_sharing(&shaped.request, version, correlation_id, client_id)
            .map_err(|error| TransportError::unsupported(unencodable(&error, version)))?;
        let has_no_response =
            matches!(&shaped.request, Request::Produce(produce) if produce.acks == 0);
        let outcome = if has_no_response {
            RequestEnd::Written(self.pipeline.push_without_response(frame.into_pieces())?)
        } else {
            RequestEnd::Response(self.pipeline.push(frame.into_pieces(), correlation_id)?)
        };
        self.writer.write_now(self);
        Ok(Exchange {
            connection: Arc::clone(self),
            shaped,
            outcome,
        })
    }

    /// Closes the connection: calls in flight, and later ones, fail with `error`.
    pub(crate) fn lose(&self, error: &ConnectionError) {
        if self.pipeline.lose(error) {
            self.writer.shut_down();
            self.lost.notify_one();
        }
    }
}

/// A request that was written or queued.
pub(crate) struct Exchange {
    connection: Arc<Connection>,
    shaped: ShapedRequest,
    outcome: RequestEnd,
}

/// How a request ends.
enum RequestEnd {
    Response(PendingResult<Bytes>),
    /// It has no response (`acks=0`).
    Written(PendingResult<()>),
}

impl Exchange {
    /// The broker's address.
    pub(crate) fn address(&self) -> &Address {
        self.connection.address()
    }

    /// Waits for the response.
    pub(crate) async fn response(self) -> Result<Response, TransportError> {
        let pending = match self.outcome {
            RequestEnd::Response(pending) => pending,
            RequestEnd::Written(pending) => {
                pending.outcome().await?;
                return Ok(ProduceResponse::default().into());
            }
        };
        let mut silence = SilenceGuard {
            connection: &self.connection,
            since: Instant::now(),
            is_answered: false,
        };
        let frame = pending.outcome().await;
        silence.is_answered = true;
        let (api, version) = (self.shaped.request.api_key(), self.shaped.version);
        match decode_response(frame?, api, version) {
            Ok((_, response)) => Ok(self.shaped.restore(response)),
            Err(error) => {
                let error = ConnectionError::protocol(format!(
                    "The broker's response to {api} version {version} cannot be parsed ({error})"
                ));
                self.connection.lose(&error);
                Err(error.of_request(true))
            }
        }
    }
}

/// Closes the connection if a caller stops waiting after (nearly) `request.timeout.ms`: later responses cannot arrive
/// before the missing one. Kafka's clients do the same.
struct SilenceGuard<'a> {
    connection: &'a Connection,
    since: Instant,
    is_answered: bool,
}

impl Drop for SilenceGuard<'_> {
    fn drop(&mut self) {
        let limit = self.connection.options.request_timeout;
        // The caller's time limit started slightly earlier.
        if !self.is_answered && self.since.elapsed() >= limit.mul_f64(0.9) {
            self.connection.lose(&silent(limit));
        }
    }
}

fn silent(limit: Duration) -> ConnectionError {
    ConnectionError::unreachable(format!(
        "The broker did not answer within {} ms: raise request.timeout.ms, or check the broker",
        limit.as_millis()
    ))
}

fn unencodable(error: &dyn std::error::Error, version: i16) -> String {
    format!(
        "The broker is too old for this call ({error} in version {version}): use a newer broker"
    )
}
