//! Producer ids, given out one by one from blocks that the metadata log makes durable.

use headwater_record::ProducerId;

/// How many ids one metadata record reserves.
pub(crate) const BLOCK_LEN: i64 = 1000;

/// The rest of the block that this broker reserved. What a crash leaves of it is never used.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// The next id of the block; `None` when a new block is needed.
    pub(crate) fn take(&mut self) -> Option<ProducerId> {
        if self.next == self.end {
            return None;
        }
        let id = ProducerId::new(self.next);
        self.next += 1;
        Some(id)
    }

    /// A block from `start` was reserved, durably.
    pub(crate) fn refill(&mut self, start: ProducerId) {
        self.next = start.get();
        self.end = start.get() + BLOCK_LEN;
    }
}
