//! Fetch sessions (KIP-227): a client sends its partitions once, then only changes; the broker returns only changed
//! partitions.
//!
//! A full fetch (epoch 0) creates a session if there is a slot ([`slots`]). Fetches with its id and the next epoch
//! continue it. A session stores the client's partitions and the last response for each of them ([`session`]). A fetch
//! without a session (epoch -1) is not changed here; it closes the session that it names.
//!
//! The limits are `max.incremental.fetch.session.cache.slots` sessions and [`PARTITIONS_MAX`] partitions in all
//! sessions together. A client without a session gets full responses, which every client supports.

mod session;
mod session_id;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::fetch_response::FetchableTopicResponse;
use headwater_protocol::{ErrorCode, FetchRequest};
use parking_lot::Mutex;

use session::Session;
pub(crate) use session::TopicReference;
use session_id::{SessionEpoch, SessionId, SessionRequest};
use slots::Slots;

/// The maximum number of partitions in all sessions together.
const PARTITIONS_MAX: usize = 1 << 20;

/// The fetch sessions of a broker.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    slots: Mutex<Slots<Arc<Mutex<Session>>>>,
}

/// How a fetch is answered. Only session fetches read the clock or need random numbers.
#[derive(Debug)]
pub(crate) enum ResponseMode {
    /// With a full response.
    Sessionless,
    /// With a full response that creates a session if there is a slot for it.
    New(Box<Session>),
    /// With the changed partitions of a session.
    Incremental {
        id: SessionId,
        session: Arc<Mutex<Session>>,
        /// The epoch of the session if no concurrent fetch uses it.
        epoch: SessionEpoch,
    },
}

/// The response to a session fetch.
#[derive(Debug, Default)]
pub(crate) struct SessionResponse {
    pub(crate) session_id: i32,
    pub(crate) responses: Vec<FetchableTopicResponse>,
}

impl FetchSessions {
    /// An empty cache of at most `slots` sessions.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: Mutex::new(Slots::new(slots, PARTITIONS_MAX)),
        }
    }

    /// Starts a fetch: replaces the request's topics by the full list, and returns how to answer it.
    pub(crate) fn begin(
        &self,
        request: &mut FetchRequest,
        topic_reference: TopicReference,
        clock: impl Fn() -> Duration,
    ) -> Result<ResponseMode, ErrorCode> {
        match SessionRequest::of(request.session_id, request.session_epoch) {
            SessionRequest::Sessionless { closes } => {
                if let Some(id) = closes {
                    self.slots.lock().remove(id);
                }
                Ok(ResponseMode::Sessionless)
            }
            SessionRequest::New { closes } => {
                if let Some(id) = closes {
                    self.slots.lock().remove(id);
                }
                let mut session = Session::new(topic_reference);
                session.update(&request.topics, &[]);
                request.topics = session.topics();
                Ok(ResponseMode::New(Box::new(session)))
            }
            SessionRequest::Next { id, epoch } => {
                self.continue_session((id, epoch), request, topic_reference, clock())
            }
        }
    }

    fn continue_session(
        &self,
        (id, epoch): (SessionId, SessionEpoch),
        request: &mut FetchRequest,
        topic_reference: TopicReference,
        now: Duration,
    ) -> Result<ResponseMode, ErrorCode> {
        let held = self.slots.lock().get(id).cloned();
        let session = held.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut locked = session.lock();
        locked.check(epoch, topic_reference)?;
        locked.update(&request.topics, &request.forgotten_topics_data);
        if locked.is_empty() {
            self.slots.lock().remove(id);
            return Ok(ResponseMode::Sessionless);
        }
        let epoch = locked.begin_next();
        let topics = locked.topics();
        if !self.slots.lock().touch(id, locked.len(), now) {
            // The session exceeded a limit or was evicted: the client starts a new one.
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        drop(locked);
        request.topics = topics;
        Ok(ResponseMode::Incremental { id, session, epoch })
    }

    /// Completes a fetch: reduces its full response to the changed partitions. `random` generates ids of new sessions.
    pub(crate) fn finish(
        &self,
        mode: ResponseMode,
        responses: Vec<FetchableTopicResponse>,
        clock: impl Fn() -> Duration,
        random: impl FnMut() -> u32,
    ) -> Result<SessionResponse, ErrorCode> {
        match mode {
            ResponseMode::Sessionless => Ok(SessionResponse {
                session_id: SessionId::NONE,
                responses,
            }),
            ResponseMode::New(mut session) => {
                let responses = session.changes(responses);
                let len = session.len();
                let entry = || Arc::new(Mutex::new(*session));
                let id = self.slots.lock().insert(len, clock(), entry, random);
                Ok(SessionResponse {
                    session_id: id.map_or(SessionId::NONE, SessionId::get),
                    responses,
                })
            }
            ResponseMode::Incremental { id, session, epoch } => {
                let mut session = session.lock();
                if session.epoch() != epoch {
                    return Err(ErrorCode::InvalidFetchSessionEpoch);
                }
                Ok(SessionResponse {
                    session_id: id.get(),
                    responses: session.changes(responses),
                })
            }
        }
    }
}
