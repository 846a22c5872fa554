//! A connection: reads bytes, starts requests in order, and sends the responses in the same order.
//!
//! One task does everything. It reads only if it may start the requests, and starts them only while the client receives
//! the responses; so its memory is bounded.

mod inbound;
mod outbound;
pub(crate) mod pipeline;
mod sink;
mod watch;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use headwater_broker::{ConnectionMemory, RequestMemory};
use headwater_protocol::ApiKey;
use headwater_protocol::frame::FrameError;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::dispatch::{Dispatch, StartedRequest, Step, Trust};
use crate::handler::Handler;
use crate::limits::Bounds;
use crate::offload::Offload;
use crate::produce_run::{Produce, ProduceRun};
use crate::wake_policy;
use inbound::Inbound;
use outbound::Outbound;
use pipeline::{Answer, Permit, Pipeline};
pub(crate) use sink::Sink;
pub(crate) use watch::Overdue;
use watch::{ConnectionActivity, WatchAction};

/// The maximum time for closing the stream.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("the client closed the connection")]
    ByClient,
    #[error("the server shuts down")]
    Drained,
    #[error("a request is not supported")]
    Refused,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Overdue(Overdue),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether new requests are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// Started requests are completed, then the connection ends.
    Draining,
    /// Like draining, because of an unsupported request.
    Refusing,
}

/// Completes when no more requests shall be started.
pub(crate) type Drain = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection.
pub(crate) struct Connection<S, H> {
    stream: S,
    dispatch: Dispatch<H>,
    bounds: Arc<Bounds>,
    inbound: Inbound,
    /// Produce requests to be handled together; empty except while frames are read.
    run: Option<ProduceRun>,
    pipeline: Pipeline,
    outbound: Outbound,
    memory: ConnectionMemory,
    /// Set while the connection waits for memory.
    freed: Option<Pin<Box<OwnedNotified>>>,
    offload: Offload,
    stage: Stage,
    drain: Option<Drain>,
    opened: Instant,
    moved: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + Sink, H: Handler> Connection<S, H> {
    /// A connection over `stream`, on the current runtime.
    pub(crate) fn new(
        stream: S,
        dispatch: Dispatch<H>,
        bounds: Arc<Bounds>,
        memory: Arc<RequestMemory>,
        drain: Drain,
    ) -> Self {
        let now = Instant::now();
        Self {
            stream,
            dispatch,
            inbound: Inbound::new(now),
            run: None,
            pipeline: Pipeline::default(),
            outbound: Outbound::new(now),
            memory: ConnectionMemory::new(memory),
            freed: None,
            offload: Offload::new(),
            stage: Stage::Open,
            drain: Some(drain),
            opened: now,
            moved: now,
            alarm: Box::pin(sleep_until(now + watch::first_look(&bounds))),
            bounds,
        }
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self) -> End {
        let end = poll_fn(|cx| self.poll(cx)).await;
        // Close the stream. Clients that do not wait for it lose nothing.
        let _ = timeout(CLOSE_MAX, self.stream.shutdown()).await;
        end
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Some(drain) = &mut self.drain
            && drain.as_mut().poll(cx).is_ready()
        {
            self.drain = None;
            self.stage = Stage::Draining;
        }
        let now = Instant::now();
        match self.poll_bytes(cx, now) {
            Ok(true) => self.note_activity(now),
            Ok(false) => {}
            Err(end) => return Poll::Ready(end),
        }
        if let Some(end) = self.over() {
            return Poll::Ready(end);
        }
        self.poll_alarm(cx)
    }

    /// Moves bytes and requests as far as possible. Returns whether there was any progress.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let mut has_moved = false;
        loop {
            let needs_more = self.begin_requests(cx, now)?;
            let mut is_short = self.resume(cx, now)?;
            let mut moves = self.write(cx, now)?;
            if needs_more && self.stage == Stage::Open {
                self.memory.set(self.held());
                if self.memory.may_grow(self.held()) {
                    moves |= self.read(cx, now)?;
                } else {
                    is_short = true;
                }
            }
            self.memory.set(self.held());
            moves |= is_short && self.poll_freed(cx);
            if !moves {
                return Ok(has_moved);
            }
            has_moved = true;
        }
    }

    /// Starts the requests that have arrived, within the limits. Returns whether more bytes are needed for the next
    /// one.
    fn begin_requests(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let needs_more = self.take_frames(cx, now);
        self.serve_run();
        self.take_answers(now)?;
        needs_more
    }

    fn take_frames(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        while self.stage == Stage::Open && self.may_begin() {
            let Some(frame) = self.inbound.take(self.frame_bytes_max(), now)? else {
                return Ok(true);
            };
            let frame_bytes = frame.len();
            match self.dispatch.read(frame, &mut self.offload) {
                Step::Produce(produce) => self.gather(produce, frame_bytes),
                Step::Begin(started) => self.begin(started, frame_bytes, cx),
                Step::Last(started) => {
                    self.begin(started, frame_bytes, cx);
                    self.stage = Stage::Refusing;
                }
                Step::End => self.stage = Stage::Refusing,
            }
            // Send the response of a completed request before starting the next one, if possible.
            self.take_answers(now)?;
        }
        Ok(false)
    }

    /// Adds a Produce request to the current run.
    fn gather(&mut self, produce: Produce, frame_bytes: usize) {
        if self.run.as_ref().is_some_and(|run| !run.takes(&produce)) {
            self.serve_run();
        }
        match &mut self.run {
            Some(run) => run.push(produce, frame_bytes),
            None => self.run = Some(ProduceRun::new(produce, frame_bytes)),
        }
        if !self.may_begin() {
            self.serve_run();
        }
    }

    /// Handles the current run, if there is one.
    fn serve_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        wake_policy::note(ApiKey::Produce);
        let dispatch = &mut self.dispatch;
        let answers = self.offload.run(ApiKey::Produce, || dispatch.produce(run));
        answers.for_each(|answer| self.pipeline.served(answer));
    }

    fn begin(&mut self, started: StartedRequest, frame_bytes: usize, cx: &mut Context<'_>) {
        self.serve_run();
        let StartedRequest { api, work, size } = started;
        wake_policy::note(api);
        let offload = &mut self.offload;
        self.pipeline.begin(work, size, frame_bytes, |work| {
            offload.run(api, || work.as_mut().poll(cx))
        });
    }

    fn may_begin(&self) -> bool {
        let gathered = self.run.as_ref().map_or(0, ProduceRun::len);
        self.pipeline.len() + gathered < self.bounds.limits.requests_in_flight_max
            && self.outbound.bytes() + self.pipeline.answer_bytes()
                < self.bounds.limits.answer_bytes_max
    }

    fn frame_bytes_max(&self) -> usize {
        let Bounds { limits, broker } = &*self.bounds;
        let most = match self.dispatch.trust() {
            Trust::Unauthenticated => limits.unauthenticated_bytes_max,
            Trust::Unverified => limits.first_request_bytes_max,
            Trust::Verified => broker.request_bytes_max,
        };
        most.min(broker.request_bytes_max)
    }

    /// Resumes waiting requests. Returns whether one of them waits for memory.
    fn resume(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let permit = Permit {
            answer_bytes_max: self.bounds.limits.answer_bytes_max,
            leaving: self.outbound.bytes(),
            has_memory: self.memory.account().has_room(),
        };
        let is_short = self.pipeline.resume(cx, permit);
        self.take_answers(now)?;
        Ok(is_short)
    }

    fn take_answers(&mut self, now: Instant) -> Result<(), End> {
        while let Some(answer) = self.pipeline.next_answer() {
            match answer {
                Answer::Send(rope) => self.outbound.push(rope.into_pieces(), now),
                Answer::Nothing => {}
                Answer::Close => return Err(End::Refused),
            }
        }
        Ok(())
    }

    fn write(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        match self
            .outbound
            .poll_write(Pin::new(&mut self.stream), cx, now)
        {
            Poll::Ready(written) => Ok(written? > 0),
            Poll::Pending => Ok(false),
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let read = pin!(self.inbound.read(&mut self.stream, now));
        match read.poll(cx) {
            Poll::Ready(Ok(0)) => Err(End::ByClient),
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Ready(Err(error)) => Err(error.into()),
            Poll::Pending => Ok(false),
        }
    }

    /// Waits for memory. Returns whether there is some now.
    fn poll_freed(&mut self, cx: &mut Context<'_>) -> bool {
        let memory = self.memory.account();
        let freed = self
            .freed
            .get_or_insert_with(|| Box::pin(Arc::clone(memory.freed()).notified_owned()));
        // Check again after registering, so that no release is missed.
        let is_freed = freed.as_mut().poll(cx).is_ready() || memory.has_room();
        if is_freed {
            self.freed = None;
        }
        is_freed
    }

    fn held(&self) -> usize {
        self.inbound.capacity() + self.pipeline.bytes() + self.outbound.bytes()
    }

    /// The reason to end the connection, once all started requests are answered and no other will be started.
    fn over(&self) -> Option<End> {
        let is_done = self.pipeline.is_empty() && self.outbound.is_done();
        match self.stage {
            Stage::Draining if is_done => Some(End::Drained),
            Stage::Refusing if is_done => Some(End::Refused),
            _ => None,
        }
    }

    fn note_activity(&mut self, now: Instant) {
        self.moved = now;
        let soon = now + watch::QUIET;
        if self.alarm.deadline() > soon {
            self.alarm.as_mut().reset(soon);
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let next = match watch::next_action(self.activity(), &self.bounds) {
                WatchAction::End(overdue) => return Poll::Ready(End::Overdue(overdue)),
                WatchAction::Release(next) => {
                    self.inbound.release();
                    self.memory.set(self.held());
                    next
                }
                WatchAction::Check(next) => next,
            };
            self.alarm.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Whether the connection would notice that its client leaves.
    fn can_notice_disconnect(&self) -> bool {
        self.stage == Stage::Open && self.may_begin()
    }

    fn activity(&self) -> ConnectionActivity {
        let busy = [self.inbound.arriving_since(), self.outbound.leaving_since()];
        ConnectionActivity {
            now: Instant::now(),
            opened: self.opened,
            moved: self.moved,
            is_authenticated: self.dispatch.trust() != Trust::Unauthenticated,
            is_response_due: self.can_notice_disconnect()
                && !self.pipeline.is_empty()
                && self.outbound.is_done(),
            busy_since: busy.into_iter().flatten().min(),
            is_memory_short: !self.memory.account().has_room(),
        }
    }
}

#[cfg(test)]
mod tests;
