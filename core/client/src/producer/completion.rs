//! How a batch tells its result to everybody who holds a handle on one of its records.

use std::fmt;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use headwater_record::Offset;
use parking_lot::Mutex;

use crate::error::{Error, Result};

/// Where the broker put a run of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// The offset of the first one; `None` with `acks=0`.
    pub(crate) base_offset: Option<Offset>,
    /// The broker's timestamp, where it sets one.
    pub(crate) log_append_time_ms: Option<i64>,
}

/// What became of a batch.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// All of it was written, as one run.
    Written(Written),
    /// None of it.
    Failed(Error),
    /// It was split: the index of the first record of each part, ascending from 0, and what became of that part.
    Parts(Vec<(u32, Result<Written>)>),
}

impl Outcome {
    /// What became of the record at `index`: its offset and the broker's timestamp.
    pub(crate) fn of_record(&self, index: u32) -> Result<Written> {
        let (first, part) = match self {
            Self::Written(written) => (0, Ok(*written)),
            Self::Failed(error) => (0, Err(error.clone())),
            Self::Parts(parts) => {
                let after = parts.partition_point(|(first, _)| *first <= index);
                match after.checked_sub(1).and_then(|at| parts.get(at)) {
                    Some((first, part)) => (*first, part.clone()),
                    None => unreachable!("the parts of a batch start at its first record"),
                }
            }
        };
        part.map(|written| Written {
            base_offset: written
                .base_offset
                .map(|base| base + i64::from(index - first)),
            ..written
        })
    }
}

/// Set once, read by any number of handles.
#[derive(Default)]
pub(crate) struct Completion {
    outcome: OnceLock<Outcome>,
    waiting: Mutex<Vec<Waker>>,
}

impl Completion {
    /// The outcome, if there is one.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// Sets the outcome and wakes everybody. Only the first outcome counts.
    pub(crate) fn complete(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_ok() {
            let waiting = std::mem::take(&mut *self.waiting.lock());
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Ready when there is an outcome.
    pub(crate) fn poll_done(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.outcome.get().is_some() || !self.wake_at_completion(context.waker()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Wakes `waker` at completion, unless that has been: then the caller must look again.
    pub(crate) fn wake_at_completion(&self, waker: &Waker) -> bool {
        let mut waiting = self.waiting.lock();
        if self.outcome.get().is_some() {
            return false;
        }
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        true
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("outcome", &self.outcome.get())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn written(base: i64) -> Written {
        Written {
            base_offset: Some(Offset::new(base)),
            log_append_time_ms: None,
        }
    }

    #[test]
    fn each_record_of_a_split_batch_learns_its_own_part() {
        let too_large = Error::new(ErrorKind::RecordTooLarge, "no");
        let outcome = Outcome::Parts(vec![
            (0, Ok(written(10))),
            (3, Err(too_large)),
            (4, Ok(written(13))),
        ]);
        let offset = |index| {
            outcome
                .of_record(index)
                .map(|written| written.base_offset.map(Offset::get))
        };
        assert_eq!(offset(2).unwrap(), Some(12));
        assert_eq!(offset(3).unwrap_err().kind(), ErrorKind::RecordTooLarge);
        assert_eq!(offset(5).unwrap(), Some(14));
    }

    #[test]
    fn the_first_outcome_stays() {
        let completion = Completion::default();
        completion.complete(Outcome::Written(written(1)));
        completion.complete(Outcome::Failed(Error::new(ErrorKind::Closed, "late")));
        assert!(matches!(completion.outcome(), Some(Outcome::Written(_))));
        assert!(!completion.wake_at_completion(Waker::noop()));
    }
}
