//! Collects the results of the parts of a batch that was split.

use std::sync::Arc;

use parking_lot::Mutex;

use super::batch::Ticket;
use super::completion::{BatchOutcome, ProduceResult};
use crate::error::Result;

/// The outcome of a split batch, completed with its last part. May be used concurrently.
#[derive(Debug)]
pub(super) struct SplitOutcome {
    ticket: Arc<Ticket>,
    /// The number of records of the batch.
    records: u32,
    parts: Mutex<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// The number of records without a result.
    missing: u32,
    /// The index of the first record of each part, and its result.
    results: Vec<(u32, Result<ProduceResult>)>,
}

impl SplitOutcome {
    /// The outcome of a batch of `records` records.
    pub(super) fn new(ticket: Arc<Ticket>, records: u32) -> Self {
        let parts = Parts {
            missing: records,
            results: Vec::new(),
        };
        Self {
            ticket,
            records,
            parts: Mutex::new(parts),
        }
    }

    pub(super) fn ticket(&self) -> &Arc<Ticket> {
        &self.ticket
    }

    /// The number of records of the batch.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// Adds the outcome of the part of `records` records from the record at index `first` on.
    pub(super) fn add(&self, first: u32, records: u32, outcome: BatchOutcome) {
        let mut parts = self.parts.lock();
        match outcome {
            BatchOutcome::Written(written) => parts.results.push((first, Ok(written))),
            BatchOutcome::Failed(error) => parts.results.push((first, Err(error))),
            BatchOutcome::Parts(inner) => {
                let inner = inner.into_iter().filter(|(index, _)| *index < records);
                let moved = inner.map(|(index, result)| (first + index, result));
                parts.results.extend(moved);
            }
        }
        parts.missing -= records;
        if parts.missing == 0 {
            let mut results = std::mem::take(&mut parts.results);
            drop(parts);
            results.sort_unstable_by_key(|(first, _)| *first);
            self.ticket
                .completion
                .complete(BatchOutcome::Parts(results));
        }
    }
}
