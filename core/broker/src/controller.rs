//! Changes of the cluster: decided, made durable, then published.

use headwater_env::Env;
use headwater_metadata::MetadataRecord;
use headwater_protocol::{ErrorCode, ProducerIdsRecord};
use headwater_record::ProducerId;

use crate::metadata_log::CommitError;
use crate::producer_ids::{BLOCK_LEN, ProducerIds};
use crate::state::State;

/// The one who changes the cluster. A broker alone is its own controller.
#[derive(Debug, Default)]
pub(crate) struct Controller {
    producer_ids: ProducerIds,
}

impl Controller {
    /// Makes `records` one durable change of the cluster and publishes the image with it. On an error nothing is published. The recovery point
    /// is written down too: what was acknowledged is then known to have been there, and damage of it is no torn end.
    /// `&mut self` is the proof that nobody else changes the cluster at the same time.
    #[expect(
        clippy::unused_self,
        reason = "holding it is what gives the right to change the cluster"
    )]
    pub(crate) fn commit<E: Env>(
        &mut self,
        state: &State<E>,
        records: &[MetadataRecord],
    ) -> Result<(), CommitError> {
        if !state.is_open() {
            return Err(CommitError::Closed);
        }
        let mut image = (*state.image()).clone();
        state
            .metadata_log
            .commit(&mut image, records, state.env.wall_clock_ms())?;
        state.publish(image);
        if !records.is_empty() {
            state.write_recovery_points();
        }
        Ok(())
    }

    /// A producer id that nobody was given before, not even before a crash.
    pub(crate) fn next_producer_id<E: Env>(
        &mut self,
        state: &State<E>,
    ) -> Result<ProducerId, CommitError> {
        loop {
            if let Some(id) = self.producer_ids.take() {
                return Ok(id);
            }
            let start = state.image().next_producer_id();
            let record = ProducerIdsRecord {
                broker_id: state.node_id,
                next_producer_id: start.get() + BLOCK_LEN,
                ..ProducerIdsRecord::default()
            };
            self.commit(state, &[MetadataRecord::ProducerIds(record)])?;
            self.producer_ids.refill(start);
        }
    }
}

impl CommitError {
    /// Kafka's code for it.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Append(_) | Self::Flush(_) => ErrorCode::KafkaStorageError,
            Self::Closed => ErrorCode::BrokerNotAvailable,
            Self::TooLarge => ErrorCode::PolicyViolation,
            Self::Apply(_) | Self::Encode(_) | Self::Batch(_) => ErrorCode::UnknownServerError,
        }
    }
}
