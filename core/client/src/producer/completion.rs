//! The result of a batch, shared by the handles of its records.

use std::fmt;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use headwater_record::Offset;
use parking_lot::Mutex;

use crate::error::{Error, Result};

/// The result of a batch that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProduceResult {
    /// The offset of the first record; `None` with `acks=0`, or if the broker has lost it.
    pub(crate) base_offset: Option<Offset>,
    /// The broker's timestamp, for topics with `LogAppendTime`.
    pub(crate) log_append_time_ms: Option<i64>,
}

impl ProduceResult {
    /// The batch was written, but the broker has lost its offset.
    pub(crate) const UNKNOWN_OFFSET: Self = Self {
        base_offset: None,
        log_append_time_ms: None,
    };
}

/// The outcome of a batch.
#[derive(Debug, Clone)]
pub(crate) enum BatchOutcome {
    /// All of it was written, with contiguous offsets.
    Written(ProduceResult),
    /// None of it was written.
    Failed(Error),
    /// It was split: the index of the first record of each part, ascending from 0, and the result of the part.
    Parts(Vec<(u32, Result<ProduceResult>)>),
}

impl BatchOutcome {
    /// The result of the record at `index`: its offset and the broker's timestamp.
    pub(crate) fn of_record(&self, index: u32) -> Result<ProduceResult> {
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
        part.map(|written| ProduceResult {
            base_offset: written
                .base_offset
                .map(|base| base + i64::from(index - first)),
            ..written
        })
    }

    /// The number of the batch's records that were not written, and the error of the first of them.
    pub(crate) fn failed(&self, records: u32) -> (u32, Option<&Error>) {
        let parts = match self {
            Self::Written(_) => return (0, None),
            Self::Failed(error) => return (records, Some(error)),
            Self::Parts(parts) => parts,
        };
        let ends = parts.iter().skip(1).map(|(first, _)| *first);
        let mut failed = 0;
        let mut first_error = None;
        for ((first, part), end) in parts.iter().zip(ends.chain([records])) {
            if let Err(error) = part {
                failed += end.saturating_sub(*first);
                first_error = first_error.or(Some(error));
            }
        }
        (failed, first_error)
    }
}

/// A [`BatchOutcome`] that is set once. May be used concurrently.
#[derive(Default)]
pub(crate) struct Completion {
    outcome: OnceLock<BatchOutcome>,
    wakers: Mutex<Vec<Waker>>,
}

impl Completion {
    /// The outcome, if there is one.
    pub(crate) fn outcome(&self) -> Option<&BatchOutcome> {
        self.outcome.get()
    }

    /// Sets the outcome and wakes all waiters. Does nothing if it is already set.
    pub(crate) fn complete(&self, outcome: BatchOutcome) {
        if self.outcome.set(outcome).is_ok() {
            let wakers = std::mem::take(&mut *self.wakers.lock());
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Ready once the outcome is set.
    pub(crate) fn poll_done(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.outcome.get().is_some() || !self.wake_at_completion(context.waker()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Registers `waker`. Returns false if the outcome is already set.
    pub(crate) fn wake_at_completion(&self, waker: &Waker) -> bool {
        let mut wakers = self.wakers.lock();
        if self.outcome.get().is_some() {
            return false;
        }
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
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

    fn written(base: i64) -> ProduceResult {
        ProduceResult {
            base_offset: Some(Offset::new(base)),
            log_append_time_ms: None,
        }
    }

    #[test]
    fn each_record_of_a_split_batch_gets_the_result_of_its_part() {
        let too_large = Error::new(ErrorKind::RecordTooLarge, "no");
        let outcome = BatchOutcome::Parts(vec![
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
    fn the_failed_records_of_a_batch_are_counted() {
        let error = Error::new(ErrorKind::RecordTooLarge, "no");
        let parts = vec![
            (0, Ok(written(10))),
            (3, Err(error.clone())),
            (4, Ok(written(13))),
            (8, Err(error.clone())),
        ];
        assert_eq!(BatchOutcome::Parts(parts).failed(10).0, 3);
        assert_eq!(BatchOutcome::Failed(error).failed(10).0, 10);
        assert_eq!(BatchOutcome::Written(written(1)).failed(10).0, 0);
    }

    #[test]
    fn the_first_outcome_is_kept() {
        let completion = Completion::default();
        completion.complete(BatchOutcome::Written(written(1)));
        completion.complete(BatchOutcome::Failed(Error::new(ErrorKind::Closed, "late")));
        assert!(matches!(
            completion.outcome(),
            Some(BatchOutcome::Written(_))
        ));
        assert!(!completion.wake_at_completion(Waker::noop()));
    }
}
