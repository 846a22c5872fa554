//! Metadata changes: validated, made durable, then published.

use headwater_env::Env;
use headwater_metadata::MetadataRecord;
use headwater_protocol::{ErrorCode, ProducerIdsRecord};
use headwater_record::ProducerId;

use crate::metadata_log::CommitError;
use crate::producer_ids::{BLOCK_LEN, ProducerIds};
use crate::state::State;

/// Commits metadata changes. A single broker is its own controller.
#[derive(Debug, Default)]
pub(crate) struct Controller {
    producer_ids: ProducerIds,
}

impl Controller {
    /// Commits `records` as one durable change and publishes the new image. After an error nothing is published. The
    /// recovery point is checkpointed too, so that damage to an acknowledged change is not mistaken for a torn end.
    /// `&mut self` excludes concurrent changes.
    #[expect(
        clippy::unused_self,
        reason = "exclusive access serialises metadata changes"
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

    /// The next producer id. Ids are not reused after a crash.
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
    /// Kafka's error code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Append(_) | Self::Flush(_) => ErrorCode::KafkaStorageError,
            Self::Closed => ErrorCode::BrokerNotAvailable,
            Self::TooLarge => ErrorCode::PolicyViolation,
            Self::Apply(_) | Self::Encode(_) | Self::Batch(_) => ErrorCode::UnknownServerError,
        }
    }
}
