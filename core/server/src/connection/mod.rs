//! One connection: bytes in, requests begun in order, answers out in the same order.
//!
//! One task does all of it. It reads only when it may begin what it reads, begins only when the client takes the answers, and so
//! holds a bounded amount whatever the client does.

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

use headwater_broker::{Holding, Memory};
use headwater_protocol::ApiKey;
use headwater_protocol::frame::FrameError;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::dispatch::{Begun, Dispatch, Step, Trust};
use crate::handler::Handler;
use crate::limits::Bounds;
use crate::manners;
use crate::pace::Pace;
use crate::produce_run::{Produce, ProduceRun};
use inbound::Inbound;
use outbound::Outbound;
use pipeline::{Answer, Permit, Pipeline};
pub(crate) use sink::Sink;
pub(crate) use watch::Overdue;
use watch::{Facts, Verdict};

/// How long the end of a stream may take to be told.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("the client left")]
    ByClient,
    #[error("the server shuts down")]
    Drained,
    #[error("a request cannot be served")]
    Refused,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Overdue(Overdue),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether requests are still begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// What was begun is answered, then it is over.
    Draining,
    /// As before, because of a request that cannot be served.
    Refusing,
}

/// Completes when no more requests shall be begun.
pub(crate) type Drain = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection, until it is over.
pub(crate) struct Connection<S, H> {
    stream: S,
    dispatch: Dispatch<H>,
    bounds: Arc<Bounds>,
    inbound: Inbound,
    /// What is to be served together; nothing but while frames are taken.
    run: Option<ProduceRun>,
    pipeline: Pipeline,
    outbound: Outbound,
    holding: Holding,
    /// Set while something waits for memory.
    freed: Option<Pin<Box<OwnedNotified>>>,
    pace: Pace,
    stage: Stage,
    drain: Option<Drain>,
    opened: Instant,
    moved: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + Sink, H: Handler> Connection<S, H> {
    /// A connection over `stream`, on the runtime that is entered.
    pub(crate) fn new(
        stream: S,
        dispatch: Dispatch<H>,
        bounds: Arc<Bounds>,
        memory: Arc<Memory>,
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
            holding: Holding::new(memory),
            freed: None,
            pace: Pace::new(),
            stage: Stage::Open,
            drain: Some(drain),
            opened: now,
            moved: now,
            alarm: Box::pin(sleep_until(now + watch::first_look(&bounds))),
            bounds,
        }
    }

    /// Serves it to its end.
    pub(crate) async fn run(mut self) -> End {
        let end = poll_fn(|cx| self.poll(cx)).await;
        // The end of the stream is told; a client that does not listen loses nothing by it.
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
            Ok(true) => self.has_moved(now),
            Ok(false) => {}
            Err(end) => return Poll::Ready(end),
        }
        if let Some(end) = self.over() {
            return Poll::Ready(end);
        }
        self.poll_alarm(cx)
    }

    /// Moves bytes and requests until nothing moves any more. Whether anything did.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let mut has_moved = false;
        loop {
            let wants_more = self.begin_requests(cx, now)?;
            let mut is_short = self.go_on(cx, now)?;
            let mut moves = self.write(cx, now)?;
            if wants_more && self.stage == Stage::Open {
                self.holding.set(self.held());
                if self.holding.may_grow(self.held()) {
                    moves |= self.read(cx, now)?;
                } else {
                    is_short = true;
                }
            }
            self.holding.set(self.held());
            moves |= is_short && self.poll_freed(cx);
            if !moves {
                return Ok(has_moved);
            }
            has_moved = true;
        }
    }

    /// Begins what has arrived, as far as it may. Whether it needs more bytes to begin the next.
    fn begin_requests(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let wants_more = self.take_frames(cx, now);
        self.serve_run();
        self.take_answers(now)?;
        wants_more
    }

    fn take_frames(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        while self.stage == Stage::Open && self.may_begin() {
            let Some(frame) = self.inbound.take(self.frame_bytes_max(), now)? else {
                return Ok(true);
            };
            let frame_bytes = frame.len();
            match self.dispatch.read(frame, &mut self.pace) {
                Step::Produce(produce) => self.gather(produce, frame_bytes),
                Step::Begin(begun) => self.begin(begun, frame_bytes, cx),
                Step::Last(begun) => {
                    self.begin(begun, frame_bytes, cx);
                    self.stage = Stage::Refusing;
                }
                Step::End => self.stage = Stage::Refusing,
            }
            // A request that ended at once leaves before the next one is begun, if it can.
            self.take_answers(now)?;
        }
        Ok(false)
    }

    /// Takes a produce request into a run.
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

    /// Serves the run that was gathered, if there is one.
    fn serve_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        manners::note(ApiKey::Produce);
        let dispatch = &mut self.dispatch;
        let answers = self.pace.run(ApiKey::Produce, || dispatch.produce(run));
        answers.for_each(|answer| self.pipeline.served(answer));
    }

    fn begin(&mut self, begun: Begun, frame_bytes: usize, cx: &mut Context<'_>) {
        self.serve_run();
        let Begun { api, work, size } = begun;
        manners::note(api);
        let pace = &mut self.pace;
        self.pipeline.begin(work, size, frame_bytes, |work| {
            pace.run(api, || work.as_mut().poll(cx))
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
            Trust::Stranger => limits.unauthenticated_bytes_max,
            Trust::Unproven => limits.first_request_bytes_max,
            Trust::Proven => broker.request_bytes_max,
        };
        most.min(broker.request_bytes_max)
    }

    /// Goes on with requests that wait. Whether one of them lacks memory.
    fn go_on(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let permit = Permit {
            answer_bytes_max: self.bounds.limits.answer_bytes_max,
            leaving: self.outbound.bytes(),
            has_memory: self.holding.memory().has_room(),
        };
        let is_short = self.pipeline.go_on(cx, permit);
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

    /// Waits for memory. Whether there is some by now.
    fn poll_freed(&mut self, cx: &mut Context<'_>) -> bool {
        let memory = self.holding.memory();
        let freed = self
            .freed
            .get_or_insert_with(|| Box::pin(Arc::clone(memory.freed()).notified_owned()));
        // Registered first and looked at afterwards, so that nothing is missed in between.
        let is_freed = freed.as_mut().poll(cx).is_ready() || memory.has_room();
        if is_freed {
            self.freed = None;
        }
        is_freed
    }

    fn held(&self) -> usize {
        self.inbound.capacity() + self.pipeline.bytes() + self.outbound.bytes()
    }

    /// Whether everything that was begun has been answered, and nothing will be begun.
    fn over(&self) -> Option<End> {
        let is_done = self.pipeline.is_empty() && self.outbound.is_done();
        match self.stage {
            Stage::Draining if is_done => Some(End::Drained),
            Stage::Refusing if is_done => Some(End::Refused),
            _ => None,
        }
    }

    fn has_moved(&mut self, now: Instant) {
        self.moved = now;
        let soon = now + watch::QUIET;
        if self.alarm.deadline() > soon {
            self.alarm.as_mut().reset(soon);
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let next = match watch::judge(self.facts(), &self.bounds) {
                Verdict::End(overdue) => return Poll::Ready(End::Overdue(overdue)),
                Verdict::Rest(next) => {
                    self.inbound.release();
                    self.holding.set(self.held());
                    next
                }
                Verdict::Look(next) => next,
            };
            self.alarm.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Whether it would hear that its client leaves.
    fn listens(&self) -> bool {
        self.stage == Stage::Open && self.may_begin()
    }

    fn facts(&self) -> Facts {
        let busy = [self.inbound.arriving_since(), self.outbound.leaving_since()];
        Facts {
            now: Instant::now(),
            opened: self.opened,
            moved: self.moved,
            is_authenticated: self.dispatch.trust() != Trust::Stranger,
            is_owed: self.listens() && !self.pipeline.is_empty() && self.outbound.is_done(),
            busy_since: busy.into_iter().flatten().min(),
            is_memory_short: !self.holding.memory().has_room(),
        }
    }
}

#[cfg(test)]
mod tests;
