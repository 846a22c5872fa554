//! Handles positions that a new leader does not have (KIP-320).
//!
//! After an unclean election, records that were read may have been replaced by others. The consumer compares the leader
//! epoch of the last record that it fetched with the new leader's log before it continues.

use std::sync::Arc;

use headwater_record::Offset;

use super::Consumer;
use super::options::BatchStream;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{Validation, Verdict};

impl Consumer {
    /// Continues after the validation of fetch offsets. Returns whether a position has changed.
    pub(super) async fn handle_validations(
        &mut self,
        validations: Vec<Validation>,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        for validation in validations {
            let partition = &validation.partition;
            // The position has changed, or the partition was released, since the request was sent.
            if self.assignment.fetch_offset(partition) != Some(validation.fetch_offset) {
                continue;
            }
            match validation.verdict {
                Ok(Verdict::Valid) => {
                    self.assignment
                        .validated(partition, validation.leader_epoch);
                }
                Ok(Verdict::DivergesAt { offset, epoch }) => {
                    self.truncate(&validation, offset, epoch)?;
                    any = true;
                }
                Ok(Verdict::UnknownEpoch) => {
                    let error = log_truncated(partition, validation.fetch_offset, None);
                    self.reset(partition, error).await?;
                    any = true;
                }
                Err(error) => any |= self.partition_failed(partition, error, stream).await?,
            }
        }
        Ok(any)
    }

    /// Moves the position back to `offset`, where the logs diverge, after a record of leader epoch `epoch`. Fails with
    /// `auto.offset.reset=none` if records that were returned are lost.
    fn truncate(&mut self, validation: &Validation, offset: Offset, epoch: i32) -> Result<()> {
        let Validation {
            partition,
            fetch_offset,
            leader_epoch,
            ..
        } = validation;
        let position = self.assignment.positions().get(partition).copied();
        if position.is_none_or(|position| position <= offset) {
            // Only records that were fetched ahead are lost.
            self.assignment.drop_ahead(partition);
            return Ok(());
        }
        if self.reset_position().is_none() {
            return Err(log_truncated(partition, *fetch_offset, Some(offset)));
        }
        tracing::warn!(
            %partition, from = %fetch_offset, to = %offset,
            "the log was truncated; the consumer continues where the logs diverge"
        );
        self.assignment
            .truncate_to(partition, offset, epoch, *leader_epoch);
        self.committing.finished.seek(partition);
        Ok(())
    }
}

/// Kafka's `LogTruncationException`.
fn log_truncated(
    partition: &TopicPartition,
    fetch_offset: Offset,
    divergent_offset: Option<Offset>,
) -> Error {
    let what = match divergent_offset {
        Some(divergent) => format!(
            "the records from offset {divergent} up to the fetch offset {fetch_offset} were replaced. Seek to offset {divergent}"
        ),
        None => format!(
            "its new leader has no record of the leader epoch before the fetch offset {fetch_offset}. Seek to an offset"
        ),
    };
    Error::new(
        ErrorKind::OffsetOutOfRange,
        format!(
            "The log of {partition} was truncated: {what} to continue, or set auto.offset.reset."
        ),
    )
    .in_topic(Arc::clone(&partition.topic))
    .in_partition(partition.partition)
    .at_offset(fetch_offset)
}
