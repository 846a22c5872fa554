//! From a frame to work: what it asks, and whether it may.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use headwater_broker::{Listener, Memory, RequestContext};
use headwater_metadata::ScramMechanism;
use headwater_protocol::codec::Rope;
use headwater_protocol::frame::{
    LENGTH_BYTES, RequestError, RequestFrame, RequestHeader, decode_request,
};
use headwater_protocol::{ApiKey, ApiVersionsResponse, ErrorCode, Request, Str};
use headwater_record::ByteSource;

use crate::connection::pipeline::{Answer, Size, Work};
use crate::handler::Handler;
use crate::pace::Pace;
use crate::produce_run::{Produce, ProduceRun};
use crate::reply::{Reply, SASL_APIS, advertise_sasl, advertised};
use crate::sasl::Session;

/// The most that a fetch takes of the memory that is left.
const FETCH_PART: usize = 4;
/// What a fetch gets however short memory is.
const FETCH_BYTES_MIN: usize = 64 * 1024;

/// What a frame leads to.
pub(crate) enum Step {
    /// A request begins.
    Begin(Begun),
    /// A request that may be served with those after it.
    Produce(Produce),
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
        match request {
            Request::Produce(request) => Step::Produce(Produce {
                header,
                reply,
                request,
            }),
            request => Step::Begin(self.begin(reply, &header, request)),
        }
    }

    /// Serves a run of requests; returns their answers in order.
    pub(crate) fn produce(&mut self, run: ProduceRun) -> impl Iterator<Item = Answer> + use<H> {
        let context = self.context(&run.header);
        let responses = self.handler.produce(&context, run.requests);
        let answered = run.replies.into_iter().zip(responses);
        answered.map(|(reply, response)| reply.answer(response.into()))
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
            let reply = Reply::in_version(0, header);
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
