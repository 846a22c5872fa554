//! Producer ids, allocated from blocks that are reserved durably in the metadata log.

use headwater_record::ProducerId;

/// The number of ids reserved by one metadata record.
pub(crate) const BLOCK_LEN: i64 = 1000;

/// The rest of the reserved block. After a crash the rest is never used.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// The next id of the block; `None` if a new block is needed.
    pub(crate) fn take(&mut self) -> Option<ProducerId> {
        if self.next == self.end {
            return None;
        }
        let id = ProducerId::new(self.next);
        self.next += 1;
        Some(id)
    }

    /// Sets a new block that was reserved durably.
    pub(crate) fn refill(&mut self, start: ProducerId) {
        self.next = start.get();
        self.end = start.get() + BLOCK_LEN;
    }
}
