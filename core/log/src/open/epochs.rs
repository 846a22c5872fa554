//! Reads the leader epochs of a log at its opening: from their checkpoint, or from the batches.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{BatchHeader, LeaderEpoch, Offset};

use super::Opening;
use super::ending::end_of;
use crate::error::{FileError, OpenError};
use crate::file_name::LEADER_EPOCH_CHECKPOINT;
use crate::leader_epochs::LeaderEpochs;
use crate::segment::Segment;

impl<E: Env> Opening<E> {
    /// The leader epochs of the checkpoint or, if it is unreadable, of the batches.
    pub(super) fn read_epochs(
        &mut self,
        segments: &[Arc<Segment<E>>],
    ) -> Result<LeaderEpochs, OpenError> {
        let path = self.dir.join(LEADER_EPOCH_CHECKPOINT);
        let bytes = self
            .env
            .read_file(&path)
            .map_err(|source| FileError::new("read", &path, source))?;
        let parsed = bytes.as_deref().map(|bytes| {
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            LeaderEpochs::parse(text)
        });
        let allowed = self
            .start
            .leader_epoch
            .unwrap_or(LeaderEpoch::new(i32::MAX));
        let what = match parsed {
            Some(Ok(epochs)) if epochs.latest() > Some(allowed) => {
                "it has an epoch newer than the partition's".to_owned()
            }
            Some(Ok(epochs)) => return Ok(epochs),
            None if segments.iter().all(|segment| segment.size() == 0) => {
                return Ok(LeaderEpochs::default());
            }
            None => "it is missing".to_owned(),
            Some(Err(what)) => what,
        };
        Ok(self.epochs_of_batches(segments, &what))
    }

    /// Returns these epochs, or those of the batches if a batch contradicts them. Reads the last batch of the segments,
    /// unless the caller has it, and the batches where epochs begin.
    pub(super) fn epochs_that_agree(
        &mut self,
        epochs: LeaderEpochs,
        segments: &[Arc<Segment<E>>],
        last: Option<BatchHeader>,
    ) -> LeaderEpochs {
        let last = last.or_else(|| last_batch(segments));
        // The last batch confirms a single epoch: most logs need to read no other file.
        let starts: Vec<_> = if epochs.has_several() {
            epochs
                .start_offsets()
                .flat_map(|start| [start - 1, start])
                .collect()
        } else {
            Vec::new()
        };
        let at_starts = starts
            .into_iter()
            .filter_map(|start| batch_at(segments, start));
        let contradicting = at_starts.chain(last).find(|batch| {
            let differs = |offset| {
                let known = epochs.epoch_at(offset);
                known.is_some_and(|known| known != batch.leader_epoch)
            };
            self.is_possible(batch.leader_epoch, epochs.latest())
                && (differs(batch.base_offset) || differs(batch.last_offset()))
        });
        match contradicting {
            None => epochs,
            Some(batch) => {
                let what = format!(
                    "the batch at offset {} has the epoch {}",
                    batch.base_offset, batch.leader_epoch
                );
                self.epochs_of_batches(segments, &what)
            }
        }
    }

    /// Whether a batch may have this epoch, which no CRC covers: it must not be newer than the partition's or, if that
    /// is unknown, the file's.
    fn is_possible(&self, epoch: LeaderEpoch, in_file: Option<LeaderEpoch>) -> bool {
        epoch.get() >= 0 && Some(epoch) <= self.start.leader_epoch.or(in_file)
    }

    /// Reads the epochs from the batches, because the file is unusable.
    fn epochs_of_batches(&mut self, segments: &[Arc<Segment<E>>], what: &str) -> LeaderEpochs {
        let path = self.dir.join(LEADER_EPOCH_CHECKPOINT);
        tracing::warn!(path = %path.display(), what, "the file of leader epochs is unusable; reading the epochs from the batches");
        self.report
            .indexes_rebuilt
            .push(LEADER_EPOCH_CHECKPOINT.to_owned());
        let mut epochs = LeaderEpochs::default();
        for segment in segments {
            // The recovery of a damaged segment reports the damage.
            let Ok(mut walk) = segment.walk(0, segment.size()) else {
                continue;
            };
            while let Ok(Some((_, header))) = segment.step(&mut walk) {
                if self.is_possible(header.leader_epoch, Some(LeaderEpoch::new(i32::MAX))) {
                    epochs.assign(header.leader_epoch, header.base_offset);
                }
            }
        }
        epochs
    }
}

/// The last batch of the segments, if it is readable.
fn last_batch<E: Env>(segments: &[Arc<Segment<E>>]) -> Option<BatchHeader> {
    let segment = segments.iter().rfind(|segment| segment.size() > 0)?;
    end_of(segment).ok()?.1
}

/// The first batch that ends at or after the offset, in the segment that would contain it.
fn batch_at<E: Env>(segments: &[Arc<Segment<E>>], offset: Offset) -> Option<BatchHeader> {
    let after = segments.partition_point(|segment| segment.base_offset() <= offset);
    let segment = &segments[after.checked_sub(1)?];
    let (_, batch) = segment.locate(offset, segment.size()).ok()??;
    Some(batch)
}
