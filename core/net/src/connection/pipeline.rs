//! Requests of a connection: those to be written, and those that wait for their response.
//!
//! Invariant: responses arrive in the order in which requests were written, so the oldest waiting request is answered next.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf as _, Bytes};
use headwater_client::TransportError;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::ConnectionError;

/// How many pieces one write takes.
const PIECES_MAX: usize = 64;

/// The requests of a connection. May be used concurrently.
pub(super) struct Pipeline(Mutex<State>);

struct State {
    /// Pieces to be written.
    outbox: VecDeque<Bytes>,
    /// The bytes that were put into the outbox since the connection was opened.
    pushed: u64,
    /// The bytes of those that were written.
    written: u64,
    waiting: VecDeque<WaitingRequest>,
    /// Requests without a response, which end when they are written.
    unanswered: VecDeque<(u64, oneshot::Sender<Result<(), TransportError>>)>,
    last_used: Instant,
    /// Whether the broker has answered a request.
    has_answered: bool,
    loss: Option<Loss>,
}

/// Why the connection is closed.
struct Loss {
    error: ConnectionError,
    was_idle: bool,
}

struct WaitingRequest {
    correlation_id: i32,
    /// The position of its first byte among all bytes that were pushed.
    start: u64,
    response: oneshot::Sender<Result<Bytes, TransportError>>,
}

impl Pipeline {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            outbox: VecDeque::new(),
            pushed: 0,
            written: 0,
            waiting: VecDeque::new(),
            unanswered: VecDeque::new(),
            last_used: Instant::now(),
            has_answered: false,
            loss: None,
        }))
    }

    /// Queues a request. It ends with its response.
    pub(super) fn push(
        &self,
        pieces: impl Iterator<Item = Bytes>,
        correlation_id: i32,
    ) -> Result<Pending<Bytes>, TransportError> {
        let mut state = self.0.lock();
        state.check()?;
        let (response, answered) = oneshot::channel();
        let start = state.pushed;
        state.push(pieces);
        state.waiting.push_back(WaitingRequest {
            correlation_id,
            start,
            response,
        });
        Ok(Pending(answered))
    }

    /// Queues a request without a response. It ends when it is written.
    pub(super) fn push_without_response(
        &self,
        pieces: impl Iterator<Item = Bytes>,
    ) -> Result<Pending<()>, TransportError> {
        let mut state = self.0.lock();
        state.check()?;
        let (done, written) = oneshot::channel();
        state.push(pieces);
        let end = state.pushed;
        state.unanswered.push_back((end, done));
        Ok(Pending(written))
    }

    /// Calls `write` with the first pieces to be written until all are written, or it fails. `write` returns how many bytes it took.
    pub(super) fn write<E>(
        &self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let mut state = self.0.lock();
        while !state.outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); PIECES_MAX];
            let count = state.outbox.len().min(PIECES_MAX);
            for (slice, piece) in slices.iter_mut().zip(&state.outbox) {
                *slice = IoSlice::new(piece);
            }
            let taken = write(&slices[..count])?;
            state.advance(taken);
        }
        Ok(())
    }

    /// Takes the pieces to be written out. The caller reports them with [`Pipeline::written`].
    pub(super) fn take_outbox(&self) -> VecDeque<Bytes> {
        std::mem::take(&mut self.0.lock().outbox)
    }

    /// Reports bytes that were taken out and are written, or given to the stream to be written.
    pub(super) fn written(&self, bytes: usize) {
        self.0.lock().count_written(bytes);
    }

    /// Hands a response to the request that waits for it.
    pub(super) fn answer(&self, frame: Bytes) -> Result<(), ConnectionError> {
        let Some(correlation_id) = frame.first_chunk().map(|id| i32::from_be_bytes(*id)) else {
            return Err(ConnectionError::protocol(
                "The broker sent an empty response",
            ));
        };
        let mut state = self.0.lock();
        state.last_used = Instant::now();
        state.has_answered = true;
        let expected = state.waiting.front().map(|request| request.correlation_id);
        if expected != Some(correlation_id) {
            return Err(ConnectionError::protocol(
                "The broker answered a request that was not sent, or not in order",
            ));
        }
        let request = state.waiting.pop_front();
        drop(state);
        if let Some(request) = request {
            // Its caller may have stopped waiting.
            let _ = request.response.send(Ok(frame));
        }
        Ok(())
    }

    /// Fails all requests, and later ones, with `error`. Returns whether the connection was open.
    pub(super) fn lose(&self, error: &ConnectionError) -> bool {
        self.close(error, false)
    }

    /// Closes the connection if it has not been used since `before` and nothing is in flight.
    pub(super) fn close_if_idle_since(&self, before: Instant) -> bool {
        let is_idle = {
            let state = self.0.lock();
            state.waiting.is_empty()
                && state.unanswered.is_empty()
                && state.outbox.is_empty()
                && state.last_used <= before
        };
        is_idle
            && self.close(
                &ConnectionError::unreachable("The connection was idle"),
                true,
            )
    }

    fn close(&self, error: &ConnectionError, was_idle: bool) -> bool {
        let mut state = self.0.lock();
        if state.loss.is_some() {
            return false;
        }
        state.loss = Some(Loss {
            error: error.clone(),
            was_idle,
        });
        let waiting = std::mem::take(&mut state.waiting);
        let unanswered = std::mem::take(&mut state.unanswered);
        let written = state.written;
        state.outbox.clear();
        drop(state);
        for request in waiting {
            let is_sent = request.start < written;
            let _ = request.response.send(Err(error.of_request(is_sent)));
        }
        for (_, done) in unanswered {
            let _ = done.send(Err(error.of_request(true)));
        }
        true
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.lock().loss.is_none()
    }

    pub(super) fn was_idle(&self) -> bool {
        let state = self.0.lock();
        state.loss.as_ref().is_some_and(|loss| loss.was_idle)
    }

    pub(super) fn has_answered(&self) -> bool {
        self.0.lock().has_answered
    }

    pub(super) fn in_flight(&self) -> usize {
        let state = self.0.lock();
        state.waiting.len() + state.unanswered.len()
    }

    pub(super) fn last_used(&self) -> Instant {
        self.0.lock().last_used
    }
}

/// What a request ends with.
pub(super) struct Pending<T>(oneshot::Receiver<Result<T, TransportError>>);

impl<T> Pending<T> {
    pub(super) async fn outcome(self) -> Result<T, TransportError> {
        self.0.await.unwrap_or_else(|_| {
            Err(ConnectionError::unreachable("The connection was dropped").of_request(true))
        })
    }
}

impl State {
    fn check(&self) -> Result<(), TransportError> {
        match &self.loss {
            None => Ok(()),
            Some(loss) => Err(loss.error.of_request(false)),
        }
    }

    fn push(&mut self, pieces: impl Iterator<Item = Bytes>) {
        for piece in pieces {
            self.pushed += piece.len() as u64;
            self.outbox.push_back(piece);
        }
        self.last_used = Instant::now();
    }

    fn advance(&mut self, mut taken: usize) {
        self.count_written(taken);
        while let Some(front) = self.outbox.front_mut() {
            if taken < front.len() {
                front.advance(taken);
                return;
            }
            taken -= front.len();
            self.outbox.pop_front();
        }
    }

    fn count_written(&mut self, bytes: usize) {
        self.written += bytes as u64;
        while self
            .unanswered
            .front()
            .is_some_and(|(end, _)| *end <= self.written)
        {
            if let Some((_, done)) = self.unanswered.pop_front() {
                let _ = done.send(Ok(()));
            }
        }
    }
}
