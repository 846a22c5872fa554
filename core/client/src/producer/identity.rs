//! The producer id and epoch, which together with the [sequences](super::sequences) let the broker detect duplicates.
//!
//! The broker assigns the producer id. When the sequences of a partition become uncertain because a batch may or may
//! not have been written, the producer bumps its epoch, like Kafka's idempotent producer. Each partition restarts at
//! sequence 0 with its next new batch.

use headwater_protocol::{ErrorCode, InitProducerIdRequest};
use headwater_record::{ProducerEpoch, ProducerId};
use parking_lot::Mutex;

use super::context::ProducerContext;
use crate::error::Result;
use crate::error_codes;
use crate::transport::Node;

/// A producer id and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

/// The identity of a producer, requested on first use. May be used concurrently.
#[derive(Debug, Default)]
pub(crate) struct IdentityCell {
    current: Mutex<Option<Identity>>,
    request_lock: tokio::sync::Mutex<()>,
}

impl IdentityCell {
    /// The identity, if the producer has one.
    pub(crate) fn current(&self) -> Option<Identity> {
        *self.current.lock()
    }

    /// Bumps the epoch because a sequence of `lost` is uncertain. Does nothing if `lost` is no longer current.
    pub(crate) fn renew(&self, lost: Identity) {
        let mut current = self.current.lock();
        if *current == Some(lost) {
            // After the last epoch the broker assigns a new id.
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

/// The identity, requested on first use. Does not retry.
pub(crate) async fn identity(context: &ProducerContext) -> Result<Identity> {
    if let Some(identity) = context.identity.current() {
        return Ok(identity);
    }
    let _guard = context.identity.request_lock.lock().await;
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
        return Err(error_codes::error(code, None, "get a producer id"));
    }
    let identity = Identity {
        id: ProducerId::new(response.producer_id),
        epoch: ProducerEpoch::new(response.producer_epoch),
    };
    *context.identity.current.lock() = Some(identity);
    Ok(identity)
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
    fn an_uncertain_sequence_bumps_the_epoch_once_and_the_last_epoch_needs_a_new_id() {
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
