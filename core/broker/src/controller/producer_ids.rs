//! Producer ids, allocated from blocks that are reserved durably in the metadata log.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::MetadataRecord;
use headwater_protocol::ProducerIdsRecord;
use headwater_record::ProducerId;

use super::{Controller, Proposal};
use crate::metadata_log::CommitError;

/// The number of ids reserved by one metadata record.
const BLOCK_LEN: i64 = 1000;

/// The rest of the reserved block. After a crash the rest is never used.
#[derive(Debug, Default)]
pub(super) struct ProducerIds {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// The next id of the block; `None` if a new block is needed.
    fn take(&mut self) -> Option<ProducerId> {
        if self.next == self.end {
            return None;
        }
        let id = ProducerId::new(self.next);
        self.next += 1;
        Some(id)
    }

    /// Sets a new block that was reserved durably.
    fn refill(&mut self, start: ProducerId) {
        self.next = start.get();
        self.end = start.get() + BLOCK_LEN;
    }
}

impl<E: Env> Controller<E> {
    /// The next producer id. Ids are not reused after a crash.
    pub(crate) async fn next_producer_id(self: &Arc<Self>) -> Result<ProducerId, CommitError> {
        loop {
            let proposal = match self.take_producer_id() {
                Ok(id) => return Ok(id),
                Err(proposal) => proposal,
            };
            proposal.decided().await?;
        }
    }

    /// The next id of the reserved block, or the proposal of a new block.
    fn take_producer_id(self: &Arc<Self>) -> Result<ProducerId, Proposal> {
        let mut changes = self.changes();
        if let Some(id) = self.producer_ids.lock().take() {
            return Ok(id);
        }
        let start = changes.image().next_producer_id();
        let record = ProducerIdsRecord {
            broker_id: self.node.id,
            next_producer_id: start.get() + BLOCK_LEN,
            ..ProducerIdsRecord::default()
        };
        let controller = Arc::clone(self);
        let refill = move |reserved: &Result<(), CommitError>| {
            if reserved.is_ok() {
                controller.producer_ids.lock().refill(start);
            }
        };
        Err(changes.propose(vec![MetadataRecord::ProducerIds(record)], refill))
    }
}
