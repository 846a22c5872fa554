//! What becomes of a batch that was not written.

use super::batch::{BatchFailure, PendingOutcome};

/// What happens to a batch that a broker refused, or that got no response.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is sent again after a pause.
    Retry { attempts: u32 },
    /// It is sent again after the batches before it.
    WaitForEarlier,
    /// It is to be replaced by two halves. Until then it counts as in flight.
    Split,
    /// It is not sent again.
    Fail(Failed),
}

/// A batch that has failed for good, and why; without an outcome if its records have their results already.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) outcome: Option<PendingOutcome>,
    pub(super) failure: BatchFailure,
}

impl Failed {
    /// Completes the handles. Not to be called with a lock held.
    pub(super) fn complete(self) {
        if let Some(outcome) = self.outcome {
            outcome.fail(self.failure);
        }
    }
}
