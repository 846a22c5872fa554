//! From a frame to work: what it asks, whether it may, and how it is answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use headwater_broker::{Listener, RequestContext};
use headwater_metadata::ScramMechanism;
use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::codec::Rope;
use headwater_protocol::frame::{
    LENGTH_BYTES, RequestError, RequestFrame, RequestHeader, decode_request,
    encode_response_sharing,
};
use headwater_protocol::{
    ApiKey, ApiVersionsResponse, EncodeError, ErrorCode, Request, Response, Str,
};
use headwater_record::ByteSource;

use crate::connection::pipeline::{Answer, Size, Work};
use crate::handler::Handler;
use crate::memory::Memory;
use crate::pace::Pace;
use crate::sasl::{SaslStep, Session};

/// The most that a fetch takes of the memory that is left.
const FETCH_PART: usize = 4;
/// How long a client that was not let in waits for its answer (`connection.failed.authentication.delay.ms`), so that guessing is slow.
const DENIAL_DELAY: Duration = Duration::from_millis(100);
/// What a fetch gets however short memory is.
const FETCH_BYTES_MIN: usize = 64 * 1024;

/// What a frame leads to.
pub(crate) enum Step {
    /// A request begins.
    Begin(Begun),
    /// A request begins, and no other one after it.
    Last(Begun),
    /// The connection ends; why was logged.
    End,
}

/// A request that was read.
pub(crate) struct Begun {
    pub(crate) api: ApiKey,
    pub(crate) work: Work,
    pub(crate) size: Size,
}

/// Reads the requests of one connection and hands them to the broker.
#[derive(Debug)]
pub(crate) struct Dispatch<H> {
    handler: H,
    memory: Arc<Memory>,
    listener: Listener,
    client_host: Arc<str>,
    /// The last client id, so that a client that always gives the same one costs nothing.
    client_id: Option<(Str, Arc<str>)>,
    session: Session,
    is_proven: bool,
}

/// How far a client is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It must authenticate first.
    Stranger,
    /// It has sent nothing valid yet.
    Unproven,
    /// It speaks Kafka's protocol, and is who it must be.
    Proven,
}

impl<H: Handler> Dispatch<H> {
    pub(crate) fn new(
        handler: H,
        memory: Arc<Memory>,
        listener: Listener,
        client_host: Arc<str>,
        session: Session,
    ) -> Self {
        Self {
            handler,
            memory,
            listener,
            client_host,
            client_id: None,
            session,
            is_proven: false,
        }
    }

    /// How far its client is trusted.
    pub(crate) fn trust(&self) -> Trust {
        match (self.session.is_open(), self.is_proven) {
            (false, _) => Trust::Stranger,
            (true, false) => Trust::Unproven,
            (true, true) => Trust::Proven,
        }
    }

    /// What `frame` leads to. Passwords are checked here, at the `pace` of the connection.
    pub(crate) fn read(&mut self, frame: Bytes, pace: &mut Pace) -> Step {
        if self.session.expects_bare() {
            return self.read_bare(&frame, pace);
        }
        let RequestFrame { header, request } = match decode_request(frame) {
            Ok(read) => read,
            Err(error) => return self.refuse(&error),
        };
        let api = request.api_key();
        if !self.serves(api) {
            tracing::warn!(client = %self.client_host, %api, "a connection ends: the API is not served");
            return Step::End;
        }
        let reply = Reply::to(&header, &request);
        match &request {
            Request::SaslHandshake(handshake) => {
                return reply.sasl(api, self.session.handshake(handshake, reply.version));
            }
            Request::SaslAuthenticate(message) => {
                let (handler, session) = (&self.handler, &mut self.session);
                let find = |user: &str, mechanism| handler.scram_credential(user, mechanism);
                return reply.sasl(api, pace.run(api, || session.authenticate(message, &find)));
            }
            Request::ApiVersions(_) => {}
            _ if !self.session.is_open() => {
                tracing::warn!(client = %self.client_host, %api, "a connection ends: its client asks before it has authenticated");
                return Step::End;
            }
            _ => {}
        }
        self.is_proven = true;
        Step::Begin(self.begin(reply, &header, request))
    }

    /// A message of the client's mechanism without a request around it.
    fn read_bare(&mut self, message: &Bytes, pace: &mut Pace) -> Step {
        let api = ApiKey::SaslAuthenticate;
        let (handler, session) = (&self.handler, &mut self.session);
        let find =
            |user: &str, mechanism: ScramMechanism| handler.scram_credential(user, mechanism);
        let Some(answer) = pace.run(api, || session.bare(message, &find)) else {
            return Step::End;
        };
        let mut frame = BytesMut::with_capacity(LENGTH_BYTES + answer.len());
        frame.put_i32(answer.len() as i32);
        frame.put_slice(&answer);
        let work = Box::pin(std::future::ready(Answer::Send(Rope::from(frame))));
        Step::Begin(Begun {
            api,
            work,
            size: Size::Small,
        })
    }

    fn serves(&self, api: ApiKey) -> bool {
        self.handler.served().contains(&api) || SASL_APIS.contains(&api)
    }

    fn begin(&mut self, reply: Reply, header: &RequestHeader, request: Request) -> Begun {
        let api = request.api_key();
        let context = self.context(header);
        let request = self.within_memory(request);
        let size = match api {
            ApiKey::Fetch => Size::Large,
            _ => Size::Small,
        };
        let response = self.handler.handle(context, request);
        let work = Box::pin(async move { reply.answer(response.await) });
        Begun { api, work, size }
    }

    fn context(&mut self, header: &RequestHeader) -> RequestContext {
        RequestContext {
            client_id: header.client_id.as_ref().map(|id| self.client_id(id)),
            client_host: Some(Arc::clone(&self.client_host)),
            api_version: Some(header.api_version),
            bytes: ByteSource::Outside,
            listener: self.listener.clone(),
        }
    }

    fn client_id(&mut self, id: &Str) -> Arc<str> {
        if let Some((known, shared)) = &self.client_id
            && known == id
        {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = Arc::from(&**id);
        // A copy, because the header's string keeps its whole frame.
        self.client_id = Some((Str::from(&*shared), Arc::clone(&shared)));
        shared
    }

    /// What the memory makes of a request.
    fn within_memory(&self, mut request: Request) -> Request {
        if let Request::Fetch(fetch) = &mut request {
            let most = (self.memory.left() / FETCH_PART).max(FETCH_BYTES_MIN);
            let most = i32::try_from(most).unwrap_or(i32::MAX);
            fetch.max_bytes = fetch.max_bytes.min(most);
        }
        request
    }

    fn refuse(&mut self, error: &RequestError) -> Step {
        if let RequestError::UnsupportedVersion {
            api: ApiKey::ApiVersions,
            header,
        } = error
        {
            self.is_proven = true;
            let reply = Reply {
                version: 0,
                correlation_id: header.correlation_id,
                is_wanted: true,
            };
            let work = reply.at_once(&self.unsupported_version().into());
            return Step::Begin(Begun {
                api: ApiKey::ApiVersions,
                work,
                size: Size::Small,
            });
        }
        tracing::warn!(client = %self.client_host, %error, "a connection ends: its request cannot be served");
        Step::End
    }

    /// The versions from which a client chooses anew.
    fn unsupported_version(&self) -> ApiVersionsResponse {
        let mut response = ApiVersionsResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            api_keys: self
                .handler
                .served()
                .iter()
                .copied()
                .map(advertised)
                .collect(),
            ..ApiVersionsResponse::default()
        };
        advertise_sasl(&mut response);
        response
    }
}

/// The APIs that the server answers itself.
const SASL_APIS: [ApiKey; 2] = [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];

fn advertised(api: ApiKey) -> ApiVersion {
    let range = api.advertised();
    ApiVersion {
        api_key: api.code(),
        min_version: range.lowest,
        max_version: range.highest,
        ..ApiVersion::default()
    }
}

/// Adds what the server answers to what the broker does.
fn advertise_sasl(response: &mut ApiVersionsResponse) {
    response.api_keys.extend(SASL_APIS.map(advertised));
    response.api_keys.sort_by_key(|api| api.api_key);
}

/// How a request wants to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    version: i16,
    correlation_id: i32,
    is_wanted: bool,
}

impl Reply {
    fn to(header: &RequestHeader, request: &Request) -> Self {
        Self {
            version: header.api_version,
            correlation_id: header.correlation_id,
            is_wanted: !matches!(request, Request::Produce(produce) if produce.acks == 0),
        }
    }

    /// The bytes of `response`.
    fn answer(self, mut response: Response) -> Answer {
        if let Response::ApiVersions(response) = &mut response {
            advertise_sasl(response);
        }
        if !self.is_wanted {
            return after_unwanted(&response);
        }
        match self.encode(&response) {
            Ok(rope) => Answer::Send(rope),
            Err(error) => {
                tracing::error!(api = %response.api_key(), version = self.version, %error, "a connection ends: its answer has no bytes");
                Answer::Close
            }
        }
    }

    fn encode(self, response: &Response) -> Result<Rope, EncodeError> {
        encode_response_sharing(response, self.version, self.correlation_id)
    }

    /// The answer to a request of the authentication.
    fn sasl<T: Into<Response>>(self, api: ApiKey, step: SaslStep<T>) -> Step {
        let size = Size::Small;
        match step {
            SaslStep::Continue(response) => Step::Begin(Begun {
                api,
                work: self.at_once(&response.into()),
                size,
            }),
            SaslStep::Deny(response) => {
                let response = response.into();
                let work = Box::pin(async move {
                    tokio::time::sleep(DENIAL_DELAY).await;
                    self.answer(response)
                });
                Step::Last(Begun { api, work, size })
            }
        }
    }

    fn at_once(self, response: &Response) -> Work {
        let answer = match self.encode(response) {
            Ok(rope) => Answer::Send(rope),
            Err(_) => Answer::Close,
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A producer that wants no acknowledgement learns of an error by the end of its connection, as with Kafka.
fn after_unwanted(response: &Response) -> Answer {
    let Response::Produce(response) = response else {
        return Answer::Nothing;
    };
    let mut partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    match partitions.find(|partition| partition.error_code != 0) {
        None => Answer::Nothing,
        Some(failed) => {
            let code = ErrorCode::from_code(failed.error_code);
            tracing::info!(
                ?code,
                "a connection ends: a produce without acknowledgement failed"
            );
            Answer::Close
        }
    }
}
