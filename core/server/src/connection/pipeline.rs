//! The pending requests of a connection.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use headwater_protocol::codec::Rope;

/// The result of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A response to send.
    Send(Rope),
    /// No response: a produce without acknowledgement.
    Nothing,
    /// The connection must end: the response cannot be encoded. The reason has been logged.
    Close,
}

/// A running request.
pub(crate) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The expected size of a response, which decides whether a waiting request may resume while memory is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// The response is small.
    Small,
    /// The response may be large.
    Large,
}

/// Limits for resuming requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    /// The limit for response bytes; at or above it only the first request may resume.
    pub(super) answer_bytes_max: usize,
    /// The response bytes in the send queue.
    pub(super) leaving: usize,
    /// Whether large responses are allowed.
    pub(super) has_memory: bool,
}

enum State {
    Working(Work),
    Done(Answer),
}

struct Slot {
    state: State,
    size: Size,
    /// The size of the frame that the request keeps in memory.
    frame_bytes: usize,
}

/// Pending requests in the order of arrival. Each starts when it arrives; they complete in any order, and their
/// responses are sent in the order of arrival.
#[derive(Default)]
pub(super) struct Pipeline {
    slots: VecDeque<Slot>,
    frame_bytes: usize,
    answer_bytes: usize,
}

impl Pipeline {
    /// Starts a request: polls `work` once.
    pub(super) fn begin(
        &mut self,
        work: Work,
        size: Size,
        frame_bytes: usize,
        poll: impl FnOnce(&mut Work) -> Poll<Answer>,
    ) {
        let mut slot = Slot {
            state: State::Working(work),
            size,
            frame_bytes,
        };
        self.frame_bytes += frame_bytes;
        self.poll_slot(&mut slot, poll);
        self.slots.push_back(slot);
    }

    /// Adds a completed request.
    pub(super) fn served(&mut self, answer: Answer) {
        self.answer_bytes += answer.len();
        self.slots.push_back(Slot {
            state: State::Done(answer),
            size: Size::Small,
            frame_bytes: 0,
        });
    }

    /// Polls the waiting requests. Returns whether one of them waits for memory.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>, permit: Permit) -> bool {
        let mut short = false;
        let mut slots = std::mem::take(&mut self.slots);
        for (index, slot) in slots.iter_mut().enumerate() {
            let held = permit.leaving + self.answer_bytes;
            // The first request resumes when the responses before it are sent; the others need room behind it.
            let full = if index == 0 { permit.leaving } else { held } >= permit.answer_bytes_max;
            if full {
                break;
            }
            if matches!(slot.state, State::Done(_)) {
                continue;
            }
            if slot.size == Size::Large && !permit.has_memory {
                short = true;
                continue;
            }
            self.poll_slot(slot, |work| work.as_mut().poll(cx));
        }
        self.slots = slots;
        short
    }

    fn poll_slot(&mut self, slot: &mut Slot, poll: impl FnOnce(&mut Work) -> Poll<Answer>) {
        let State::Working(work) = &mut slot.state else {
            return;
        };
        let Poll::Ready(answer) = poll(work) else {
            return;
        };
        self.frame_bytes -= slot.frame_bytes;
        self.answer_bytes += answer.len();
        slot.state = State::Done(answer);
    }

    /// The response of the first request, if it is complete.
    pub(super) fn next_answer(&mut self) -> Option<Answer> {
        let answer = match self.slots.pop_front()? {
            Slot {
                state: State::Done(answer),
                ..
            } => answer,
            working => {
                self.slots.push_front(working);
                return None;
            }
        };
        self.answer_bytes -= answer.len();
        Some(answer)
    }

    /// The number of requests.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are no requests.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The bytes of completed responses that wait for earlier ones.
    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// The bytes of all requests and responses.
    pub(super) fn bytes(&self) -> usize {
        self.frame_bytes + self.answer_bytes
    }
}

impl Answer {
    fn len(&self) -> usize {
        match self {
            Self::Send(rope) => rope.len(),
            Self::Nothing | Self::Close => 0,
        }
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("requests", &self.slots.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}
