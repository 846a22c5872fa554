//! Counts records that could not be decoded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of records that `on_error="skip"` has skipped. Clones share it. May be used concurrently.
#[derive(Debug, Clone, Default)]
pub struct SkippedRecords(Arc<AtomicU64>);

impl SkippedRecords {
    /// The number so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}
