//! Fetch sessions (KIP-227): a client tells its partitions once, then only what changes, and is answered only with news.
//!
//! A session is made by a full fetch (epoch 0) if there is a slot for it ([`slots`]), and lives on by fetches with its id and the next
//! epoch. It holds what the client wants of each partition and what it was told last ([`session`]). A fetch without a session (epoch -1)
//! passes through here untouched, and closes the session that it names.
//!
//! At most `max.incremental.fetch.session.cache.slots` sessions are held, and [`PARTITIONS_MAX`] partitions in all of them together: who
//! gets no session is answered in full, as every client understands.

mod session;
mod session_id;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::fetch_response::FetchableTopicResponse;
use headwater_protocol::{ErrorCode, FetchRequest};
use parking_lot::Mutex;

pub(crate) use session::Naming;
use session::Session;
use session_id::{Ask, SessionEpoch, SessionId};
use slots::Slots;

/// The most partitions in all sessions together.
const PARTITIONS_MAX: usize = 1 << 20;

/// The sessions of a broker.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    slots: Mutex<Slots<Arc<Mutex<Session>>>>,
}

/// How a fetch is answered. A clock is read and chance is asked only where there is a session.
#[derive(Debug)]
pub(crate) enum Answering {
    /// In full.
    Sessionless,
    /// In full; after that the client has a session, if there is a slot for it.
    New(Box<Session>),
    /// With the news of a session.
    Incremental {
        id: SessionId,
        session: Arc<Mutex<Session>>,
        /// The epoch that the session has while nobody else uses it.
        epoch: SessionEpoch,
    },
}

/// What the client of a session is told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) session_id: i32,
    pub(crate) responses: Vec<FetchableTopicResponse>,
}

impl FetchSessions {
    /// No sessions, at most `slots`.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: Mutex::new(Slots::new(slots, PARTITIONS_MAX)),
        }
    }

    /// Begins a fetch: puts the partitions that it stands for into the request's topics, and says how it is answered.
    pub(crate) fn begin(
        &self,
        request: &mut FetchRequest,
        naming: Naming,
        clock: impl Fn() -> Duration,
    ) -> Result<Answering, ErrorCode> {
        match Ask::of(request.session_id, request.session_epoch) {
            Ask::Sessionless { closes } => {
                if let Some(id) = closes {
                    self.slots.lock().remove(id);
                }
                Ok(Answering::Sessionless)
            }
            Ask::New { closes } => {
                if let Some(id) = closes {
                    self.slots.lock().remove(id);
                }
                let mut session = Session::new(naming);
                session.update(&request.topics, &[]);
                request.topics = session.topics();
                Ok(Answering::New(Box::new(session)))
            }
            Ask::Next { id, epoch } => self.go_on((id, epoch), request, naming, clock()),
        }
    }

    fn go_on(
        &self,
        (id, epoch): (SessionId, SessionEpoch),
        request: &mut FetchRequest,
        naming: Naming,
        now: Duration,
    ) -> Result<Answering, ErrorCode> {
        let held = self.slots.lock().get(id).cloned();
        let session = held.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut locked = session.lock();
        locked.check(epoch, naming)?;
        locked.update(&request.topics, &request.forgotten_topics_data);
        if locked.is_empty() {
            self.slots.lock().remove(id);
            return Ok(Answering::Sessionless);
        }
        let epoch = locked.begin_next();
        let topics = locked.topics();
        if !self.slots.lock().touch(id, locked.len(), now) {
            // It grew out of bounds, or went to make room: the client begins again.
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        drop(locked);
        request.topics = topics;
        Ok(Answering::Incremental { id, session, epoch })
    }

    /// Ends a fetch: what of its full answer the client is told. `random` gives ids for new sessions.
    pub(crate) fn finish(
        &self,
        answering: Answering,
        responses: Vec<FetchableTopicResponse>,
        clock: impl Fn() -> Duration,
        random: impl FnMut() -> u32,
    ) -> Result<Told, ErrorCode> {
        match answering {
            Answering::Sessionless => Ok(Told {
                session_id: SessionId::NONE,
                responses,
            }),
            Answering::New(mut session) => {
                let responses = session.news(responses);
                let len = session.len();
                let entry = || Arc::new(Mutex::new(*session));
                let id = self.slots.lock().insert(len, clock(), entry, random);
                Ok(Told {
                    session_id: id.map_or(SessionId::NONE, SessionId::get),
                    responses,
                })
            }
            Answering::Incremental { id, session, epoch } => {
                let mut session = session.lock();
                if session.epoch() != epoch {
                    return Err(ErrorCode::InvalidFetchSessionEpoch);
                }
                Ok(Told {
                    session_id: id.get(),
                    responses: session.news(responses),
                })
            }
        }
    }
}
