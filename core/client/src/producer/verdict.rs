//! The decision about a batch that was not written.

use super::batch::{BatchFailure, PendingOutcome};

/// The decision about a batch that a broker refused, or that got no response.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is sent again after a pause.
    Retry { attempts: u32 },
    /// It is sent again after the batches before it.
    WaitForEarlier,
    /// It is replaced by two halves. Until then it counts as in flight.
    Split,
    /// It is not sent again.
    Fail(Failed),
}

/// A batch that has failed for good, and the reason; without an outcome if its records already have their results.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) outcome: Option<PendingOutcome>,
    pub(super) failure: BatchFailure,
}

impl Failed {
    /// Completes the handles. Must not be called while a lock is held.
    pub(super) fn complete(self) {
        if let Some(outcome) = self.outcome {
            outcome.fail(self.failure);
        }
    }
}
