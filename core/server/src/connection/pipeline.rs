//! The requests of a connection that are begun and not answered.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use headwater_protocol::codec::Rope;

/// What comes of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Bytes to send.
    Send(Rope),
    /// Nothing to send: a produce without acknowledgement.
    Nothing,
    /// The connection must end: the answer has no bytes. Why is logged where it is made.
    Close,
}

/// A request at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Whether a request that waits may go on while memory is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Its answer is small.
    Small,
    /// Its answer may be large.
    Large,
}

/// What may go on now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    /// Up to how many bytes of answers may be held; what is at it or above stops all but the request at the front.
    pub(super) answer_bytes_max: usize,
    /// Bytes of answers that are held elsewhere.
    pub(super) leaving: usize,
    /// Whether large answers may come.
    pub(super) has_memory: bool,
}

enum State {
    Working(Work),
    Done(Answer),
}

struct Slot {
    state: State,
    size: Size,
    /// The frame that it keeps alive while it works.
    frame_bytes: usize,
}

/// Requests in the order in which they came. Each begins when it comes, so in that order; each ends when it can; answers leave in order.
#[derive(Default)]
pub(super) struct Pipeline {
    slots: VecDeque<Slot>,
    frame_bytes: usize,
    answer_bytes: usize,
}

impl Pipeline {
    /// Begins a request: `work` is polled before this returns.
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

    /// Takes in a request that has been served.
    pub(super) fn served(&mut self, answer: Answer) {
        self.answer_bytes += answer.len();
        self.slots.push_back(Slot {
            state: State::Done(answer),
            size: Size::Small,
            frame_bytes: 0,
        });
    }

    /// Goes on with the requests that wait. Whether one of them is waiting for memory.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_>, permit: Permit) -> bool {
        let mut short = false;
        let mut slots = std::mem::take(&mut self.slots);
        for (index, slot) in slots.iter_mut().enumerate() {
            let held = permit.leaving + self.answer_bytes;
            // The first one goes on when what was before it has left; the others wait for room behind it.
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

    /// The answer at the front, if it is there.
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

    /// How many requests there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of answers that wait for their turn.
    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// Bytes of everything in it.
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
