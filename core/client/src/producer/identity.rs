//! Who this producer is to the broker: what makes a repeated batch recognisable.
//!
//! The broker gives out a producer id; each partition counts its records under it. When a partition loses count (a batch may or may not
//! have been written), the producer takes the next epoch, and every partition starts again from 0 with its next batch, as Kafka's
//! idempotent producer does.

use headwater_protocol::{ErrorCode, InitProducerIdRequest};
use headwater_record::{ProducerEpoch, ProducerId, ProducerState};
use parking_lot::Mutex;

use super::context::ProducerContext;
use crate::error::Result;
use crate::error_codes;
use crate::transport::Node;

/// A producer id and its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

/// The identity, once it was asked for.
#[derive(Debug, Default)]
pub(crate) struct IdentityCell {
    current: Mutex<Option<Identity>>,
    asking: tokio::sync::Mutex<()>,
}

impl IdentityCell {
    /// The identity, if it was asked for.
    pub(crate) fn current(&self) -> Option<Identity> {
        *self.current.lock()
    }

    /// The next epoch, because somebody lost count under `lost`; nothing if somebody else has done so already.
    pub(crate) fn renew(&self, lost: Identity) {
        let mut current = self.current.lock();
        if *current == Some(lost) {
            // At the last epoch the broker gives out a new id.
            *current = lost
                .epoch
                .get()
                .checked_add(1)
                .filter(|epoch| *epoch < i16::MAX)
                .map(|epoch| Identity {
                    id: lost.id,
                    epoch: ProducerEpoch::new(epoch),
                });
        }
    }
}

/// The identity, asked for at the first use. Retries are the caller's.
pub(crate) async fn identity(context: &ProducerContext) -> Result<Identity> {
    if let Some(identity) = context.identity.current() {
        return Ok(identity);
    }
    let _one_asks = context.identity.asking.lock().await;
    if let Some(identity) = context.identity.current() {
        return Ok(identity);
    }
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdRequest::default()
    };
    let response = context.cluster.call(Node::Any, request).await?;
    let code = error_codes::code(response.error_code);
    if code != ErrorCode::None {
        return Err(error_codes::error(code, None, "ask for a producer id"));
    }
    let identity = Identity {
        id: ProducerId::new(response.producer_id),
        epoch: ProducerEpoch::new(response.producer_epoch),
    };
    *context.identity.current.lock() = Some(identity);
    Ok(identity)
}

/// A partition's count of its records under an identity.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sequence {
    identity: Option<Identity>,
    next: i32,
}

impl Sequence {
    /// What the next batch is stamped with. A new identity starts the count again.
    pub(crate) fn next(&mut self, identity: Identity) -> ProducerState {
        if self.identity != Some(identity) {
            *self = Self {
                identity: Some(identity),
                next: 0,
            };
        }
        ProducerState {
            id: identity.id,
            epoch: identity.epoch,
            base_sequence: self.next,
        }
    }

    /// What a batch will be stamped with when `before` more records have been written under `identity`.
    pub(crate) fn ahead(&self, identity: Identity, before: u64) -> ProducerState {
        let next = if self.identity == Some(identity) {
            self.next
        } else {
            0
        };
        let base_sequence = ((i64::from(next) + before as i64) & i64::from(i32::MAX)) as i32;
        ProducerState {
            id: identity.id,
            epoch: identity.epoch,
            base_sequence,
        }
    }

    /// `records` were written under the last stamp. After `i32::MAX` comes 0.
    pub(crate) fn written(&mut self, records: u32) {
        self.next = ((i64::from(self.next) + i64::from(records)) & i64::from(i32::MAX)) as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(epoch: i16) -> Identity {
        Identity {
            id: ProducerId::new(7),
            epoch: ProducerEpoch::new(epoch),
        }
    }

    #[test]
    fn sequences_go_from_the_largest_number_to_zero() {
        let mut sequence = Sequence {
            identity: Some(identity(0)),
            next: i32::MAX - 1,
        };
        sequence.written(3);
        assert_eq!(sequence.next(identity(0)).base_sequence, 1);
    }

    #[test]
    fn a_new_epoch_starts_the_count_again() {
        let mut sequence = Sequence::default();
        sequence.next(identity(0));
        sequence.written(10);
        assert_eq!(sequence.next(identity(0)).base_sequence, 10);
        assert_eq!(sequence.next(identity(1)).base_sequence, 0);
    }

    #[test]
    fn a_lost_count_raises_the_epoch_once_and_ends_with_a_new_id() {
        let cell = IdentityCell::default();
        *cell.current.lock() = Some(identity(0));
        cell.renew(identity(0));
        cell.renew(identity(0));
        assert_eq!(cell.current(), Some(identity(1)));
        *cell.current.lock() = Some(identity(i16::MAX - 1));
        cell.renew(identity(i16::MAX - 1));
        assert_eq!(cell.current(), None);
    }
}
