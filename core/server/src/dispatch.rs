//! Decodes requests, checks the authentication and starts the handlers.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use headwater_broker::{Listener, RequestContext, RequestMemory};
use headwater_metadata::ScramMechanism;
use headwater_protocol::codec::Rope;
use headwater_protocol::frame::{
    LENGTH_BYTES, RequestError, RequestFrame, RequestHeader, decode_request,
};
use headwater_protocol::{ApiKey, ApiVersionsResponse, ErrorCode, Request, Str};
use headwater_record::ByteSource;

use crate::connection::pipeline::{Answer, Size, Work};
use crate::handler::Handler;
use crate::offload::Offload;
use crate::produce_run::{Produce, ProduceRun};
use crate::reply::{Reply, SASL_APIS, advertise_sasl, advertised};
use crate::sasl::Session;

/// A fetch may use one part in this many of the available memory.
const FETCH_PART: usize = 4;
/// The bytes that a fetch may always return.
const FETCH_BYTES_MIN: usize = 64 * 1024;

/// The result of reading a frame.
pub(crate) enum Step {
    /// A request has started.
    Begin(StartedRequest),
    /// A Produce request that may be handled together with the following ones.
    Produce(Produce),
    /// A request has started, and no other one may follow.
    Last(StartedRequest),
    /// The connection ends; the reason has been logged.
    End,
}

/// A decoded request whose handler has not been polled yet.
pub(crate) struct StartedRequest {
    pub(crate) api: ApiKey,
    pub(crate) work: Work,
    pub(crate) size: Size,
}

/// Decodes the requests of one connection and passes them to the broker.
#[derive(Debug)]
pub(crate) struct Dispatch<H> {
    handler: H,
    memory: Arc<RequestMemory>,
    listener: Listener,
    client_host: Arc<str>,
    /// The last client id: clients usually send the same one.
    client_id: Option<(Str, Arc<str>)>,
    session: Session,
    is_verified: bool,
}

/// The verification of a client, which limits the size of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The client has not authenticated.
    Unauthenticated,
    /// The client has not sent a valid request.
    Unverified,
    /// The client has sent a valid request and, if required, has authenticated.
    Verified,
}

impl<H: Handler> Dispatch<H> {
    pub(crate) fn new(
        handler: H,
        memory: Arc<RequestMemory>,
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
            is_verified: false,
        }
    }

    /// The verification of the client.
    pub(crate) fn trust(&self) -> Trust {
        match (self.session.is_open(), self.is_verified) {
            (false, _) => Trust::Unauthenticated,
            (true, false) => Trust::Unverified,
            (true, true) => Trust::Verified,
        }
    }

    /// Decodes `frame` and starts its request. Passwords are checked here, offloaded if this takes long.
    pub(crate) fn read(&mut self, frame: Bytes, offload: &mut Offload) -> Step {
        if self.session.expects_bare() {
            return self.read_bare(&frame, offload);
        }
        let RequestFrame { header, request } = match decode_request(frame) {
            Ok(read) => read,
            Err(error) => return self.refuse(&error),
        };
        let api = request.api_key();
        if !self.serves(api) {
            tracing::warn!(client = %self.client_host, %api, "a connection ends: the API is not supported");
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
                return reply.sasl(
                    api,
                    offload.run(api, || session.authenticate(message, &find)),
                );
            }
            Request::ApiVersions(_) => {}
            _ if !self.session.is_open() => {
                tracing::warn!(client = %self.client_host, %api, "a connection ends: its client sent a request before it authenticated");
                return Step::End;
            }
            _ => {}
        }
        self.is_verified = true;
        match request {
            Request::Produce(request) => Step::Produce(Produce {
                header,
                reply,
                request,
            }),
            request => Step::Begin(self.begin(reply, &header, request)),
        }
    }

    /// Handles a run of requests; returns their responses in order.
    pub(crate) fn produce(&mut self, run: ProduceRun) -> impl Iterator<Item = Answer> + use<H> {
        let context = self.context(&run.header);
        let responses = self.handler.produce(&context, run.requests);
        let answered = run.replies.into_iter().zip(responses);
        answered.map(|(reply, response)| reply.answer(response.into()))
    }

    /// Handles a bare message of the client's mechanism.
    fn read_bare(&mut self, message: &Bytes, offload: &mut Offload) -> Step {
        let api = ApiKey::SaslAuthenticate;
        let (handler, session) = (&self.handler, &mut self.session);
        let find =
            |user: &str, mechanism: ScramMechanism| handler.scram_credential(user, mechanism);
        let Some(answer) = offload.run(api, || session.bare(message, &find)) else {
            return Step::End;
        };
        let mut frame = BytesMut::with_capacity(LENGTH_BYTES + answer.len());
        frame.put_i32(answer.len() as i32);
        frame.put_slice(&answer);
        let work = Box::pin(std::future::ready(Answer::Send(Rope::from(frame))));
        Step::Begin(StartedRequest {
            api,
            work,
            size: Size::Small,
        })
    }

    fn serves(&self, api: ApiKey) -> bool {
        self.handler.served().contains(&api) || SASL_APIS.contains(&api)
    }

    fn begin(&mut self, reply: Reply, header: &RequestHeader, request: Request) -> StartedRequest {
        let api = request.api_key();
        let context = self.context(header);
        let request = self.within_memory(request);
        let size = match api {
            ApiKey::Fetch => Size::Large,
            _ => Size::Small,
        };
        let response = self.handler.handle(context, request);
        let work = Box::pin(async move { reply.answer(response.await) });
        StartedRequest { api, work, size }
    }

    fn context(&mut self, header: &RequestHeader) -> RequestContext {
        RequestContext {
            client_id: header.client_id.as_ref().map(|id| self.client_id(id)),
            client_host: Some(Arc::clone(&self.client_host)),
            api_version: Some(header.api_version),
            bytes: ByteSource::Outside,
            principal: self.session.principal().clone(),
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
        // A copy, because the header's string keeps its whole frame in memory.
        self.client_id = Some((Str::from(&*shared), Arc::clone(&shared)));
        shared
    }

    /// Limits a fetch to the available memory.
    fn within_memory(&self, mut request: Request) -> Request {
        if let Request::Fetch(fetch) = &mut request {
            let most = (self.memory.available() / FETCH_PART).max(FETCH_BYTES_MIN);
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
            self.is_verified = true;
            let reply = Reply::in_version(0, header);
            let work = reply.ready(&self.unsupported_version().into());
            return Step::Begin(StartedRequest {
                api: ApiKey::ApiVersions,
                work,
                size: Size::Small,
            });
        }
        tracing::warn!(client = %self.client_host, %error, "a connection ends: its request is not supported");
        Step::End
    }

    /// The supported versions, from which the client chooses another one.
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
