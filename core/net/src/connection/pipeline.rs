//! The requests of a connection: queued ones, and those that wait for a response.
//!
//! Invariant: responses arrive in the order of the requests, so the next response belongs to the oldest waiting
//! request.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use headwater_client::TransportError;
use headwater_protocol::frame::LENGTH_BYTES;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::ConnectionError;
use crate::frame_reader::{out_of_order, response_id};
use crate::meter::BrokerMeter;

/// The maximum number of buffers in one write.
const PIECES_MAX: usize = 64;

/// The requests of a connection. May be used concurrently.
pub(super) struct Pipeline(Mutex<State>);

struct State {
    /// Buffers to write.
    outbox: VecDeque<Bytes>,
    /// The number of bytes queued since the connection was opened.
    pushed: u64,
    /// The number of bytes written.
    written: u64,
    waiting: VecDeque<WaitingRequest>,
    /// Requests without a response, which complete when they are written.
    unanswered: VecDeque<UnansweredRequest>,
    last_used: Instant,
    /// Whether the broker has answered a request.
    has_answered: bool,
    loss: Option<Loss>,
    meter: Arc<BrokerMeter>,
}

/// The reason why the connection is closed.
struct Loss {
    error: ConnectionError,
    was_idle: bool,
    at: Instant,
}

struct UnansweredRequest {
    /// The position after its last byte, in queued bytes.
    end: u64,
    since: Instant,
    done: oneshot::Sender<Result<(), TransportError>>,
}

struct WaitingRequest {
    correlation_id: i32,
    /// The position of its first byte, in queued bytes.
    start: u64,
    since: Instant,
    response: oneshot::Sender<Result<Bytes, TransportError>>,
}

impl Pipeline {
    /// The state of a new connection.
    pub(super) fn new(meter: Arc<BrokerMeter>) -> Self {
        meter.count_opened();
        Self(Mutex::new(State {
            outbox: VecDeque::new(),
            pushed: 0,
            written: 0,
            waiting: VecDeque::new(),
            unanswered: VecDeque::new(),
            last_used: Instant::now(),
            has_answered: false,
            loss: None,
            meter,
        }))
    }

    /// Queues a request, which completes with its response.
    pub(super) fn push(
        &self,
        pieces: impl Iterator<Item = Bytes>,
        correlation_id: i32,
    ) -> Result<PendingResult<Bytes>, TransportError> {
        let mut state = self.0.lock();
        state.check()?;
        let (response, answered) = oneshot::channel();
        let start = state.pushed;
        state.push(pieces);
        state.waiting.push_back(WaitingRequest {
            correlation_id,
            start,
            since: Instant::now(),
            response,
        });
        Ok(PendingResult(answered))
    }

    /// Queues a request without a response, which completes when it is written.
    pub(super) fn push_without_response(
        &self,
        pieces: impl Iterator<Item = Bytes>,
    ) -> Result<PendingResult<()>, TransportError> {
        let mut state = self.0.lock();
        state.check()?;
        let (done, written) = oneshot::channel();
        state.push(pieces);
        let end = state.pushed;
        state.unanswered.push_back(UnansweredRequest {
            end,
            since: Instant::now(),
            done,
        });
        Ok(PendingResult(written))
    }

    /// Calls `write` with the first buffers until all are written or it fails. `write` returns the number of bytes that
    /// it wrote.
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

    /// Takes all queued buffers. The caller reports their writing with [`Pipeline::written`].
    pub(super) fn take_outbox(&self) -> VecDeque<Bytes> {
        std::mem::take(&mut self.0.lock().outbox)
    }

    /// Reports that bytes taken from the outbox were written to the stream.
    pub(super) fn written(&self, bytes: usize) {
        self.0.lock().count_written(bytes);
    }

    /// Passes a response to the request that waits for it.
    pub(super) fn answer(&self, frame: Bytes) -> Result<(), ConnectionError> {
        let Some(correlation_id) = response_id(&frame) else {
            return Err(ConnectionError::protocol(
                "The broker sent an empty response",
            ));
        };
        let mut state = self.0.lock();
        state.last_used = Instant::now();
        let expected = state.waiting.front().map(|request| request.correlation_id);
        if expected != Some(correlation_id) {
            return Err(out_of_order());
        }
        state.has_answered = true;
        let request = state.waiting.pop_front();
        if let Some(request) = &request {
            let bytes = LENGTH_BYTES + frame.len();
            state.meter.count_response(bytes, request.since.elapsed());
        }
        drop(state);
        if let Some(request) = request {
            // Its caller may have stopped waiting.
            let _ = request.response.send(Ok(frame));
        }
        Ok(())
    }

    /// Fails all requests, and later ones, with `error`. Returns whether the connection was open.
    pub(super) fn lose(&self, error: &ConnectionError) -> bool {
        let ended = self.0.lock().close(error, false);
        ended.map(EndedRequests::fail).is_some()
    }

    /// Closes the connection if it was not used since `before` and no request is in flight. Returns whether it did.
    pub(super) fn close_if_idle_since(&self, before: Instant) -> bool {
        let mut state = self.0.lock();
        if !state.is_idle() || state.last_used > before {
            return false;
        }
        let error = ConnectionError::unreachable("The connection was idle: try again");
        state.close(&error, true).is_some()
    }

    /// Whether a request sent before `before` still has no response and its caller has stopped waiting, or one without
    /// a response is still not written.
    pub(super) fn is_stalled_since(&self, before: Instant) -> bool {
        let state = self.0.lock();
        let oldest = state.waiting.front();
        let is_abandoned =
            oldest.is_some_and(|request| request.since <= before && request.response.is_closed());
        let unwritten = state.unanswered.front();
        is_abandoned || unwritten.is_some_and(|request| request.since <= before)
    }

    /// Records that a call is about to be made, so that the connection is not closed for idleness. Returns whether it
    /// is open.
    pub(super) fn reserve(&self) -> bool {
        let mut state = self.0.lock();
        state.last_used = Instant::now();
        state.loss.is_none()
    }

    /// When the connection was lost; `None` if it is open or was closed for idleness.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        let state = self.0.lock();
        let loss = state.loss.as_ref()?;
        (!loss.was_idle).then_some(loss.at)
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.lock().loss.is_none()
    }

    pub(super) fn has_answered(&self) -> bool {
        self.0.lock().has_answered
    }

    pub(super) fn in_flight(&self) -> usize {
        let state = self.0.lock();
        state.waiting.len() + state.unanswered.len()
    }
}

/// The pending result of a request.
pub(super) struct PendingResult<T>(oneshot::Receiver<Result<T, TransportError>>);

impl<T> PendingResult<T> {
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

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.unanswered.is_empty() && self.outbox.is_empty()
    }

    /// Closes the connection. Returns its requests, which the caller must fail after releasing the lock; `None` if it
    /// was already closed.
    fn close(&mut self, error: &ConnectionError, was_idle: bool) -> Option<EndedRequests> {
        if self.loss.is_some() {
            return None;
        }
        self.loss = Some(Loss {
            error: error.clone(),
            was_idle,
            at: Instant::now(),
        });
        self.outbox.clear();
        self.meter.count_closed();
        self.meter
            .count_errors(self.waiting.len() + self.unanswered.len());
        Some(EndedRequests {
            error: error.clone(),
            waiting: std::mem::take(&mut self.waiting),
            unanswered: std::mem::take(&mut self.unanswered),
            written: self.written,
        })
    }

    fn push(&mut self, pieces: impl Iterator<Item = Bytes>) {
        self.meter.count_request();
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
        self.meter.count_sent(bytes);
        while let Some(request) = self.unanswered.front()
            && request.end <= self.written
        {
            if let Some(request) = self.unanswered.pop_front() {
                self.meter.count_unanswered();
                let _ = request.done.send(Ok(()));
            }
        }
    }
}

/// The requests of a connection that was closed.
struct EndedRequests {
    error: ConnectionError,
    waiting: VecDeque<WaitingRequest>,
    unanswered: VecDeque<UnansweredRequest>,
    /// The number of bytes that were written.
    written: u64,
}

impl EndedRequests {
    /// Fails them. Their callers may have stopped waiting.
    fn fail(self) {
        for request in self.waiting {
            let is_sent = request.start < self.written;
            let _ = request.response.send(Err(self.error.of_request(is_sent)));
        }
        for request in self.unanswered {
            let _ = request.done.send(Err(self.error.of_request(true)));
        }
    }
}
