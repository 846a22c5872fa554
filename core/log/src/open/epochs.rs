//! The leader epochs of a log that is opened: from their checkpoint, or from the batches.

use std::sync::Arc;

use headwater_env::Env;

use super::Opening;
use crate::error::{FileError, OpenError};
use crate::file_name::LEADER_EPOCH_CHECKPOINT;
use crate::leader_epochs::LeaderEpochs;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;

impl<E: Env> Opening<E> {
    /// The leader epochs of the checkpoint, or, without a readable one, of the batches.
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
        match parsed {
            Some(Ok(epochs)) => return Ok(epochs),
            None if segments.iter().all(|segment| segment.size() == 0) => {
                return Ok(LeaderEpochs::default());
            }
            None => {}
            Some(Err(what)) => {
                tracing::warn!(path = %path.display(), what, "the leader epochs are read from the batches");
            }
        }
        self.report
            .indexes_rebuilt
            .push(LEADER_EPOCH_CHECKPOINT.to_owned());
        let mut epochs = LeaderEpochs::default();
        for segment in segments {
            // Where a segment is damaged its checks will say so.
            let Ok(mut walk) = segment.walk(0, segment.size()) else {
                continue;
            };
            while let Ok(Some((_, header))) = segment.step(&mut walk) {
                if header.leader_epoch.get() >= 0 {
                    epochs.assign(header.leader_epoch, header.base_offset);
                }
            }
        }
        Ok(epochs)
    }
}

impl<E: Env> PartitionLog<E> {
    /// Takes the epochs that recovery found, cut to the log, and writes them if the checkpoint says otherwise.
    pub(super) fn adopt_epochs(&self, found: LeaderEpochs) -> Result<(), FileError> {
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        let path = self.dir.join(LEADER_EPOCH_CHECKPOINT);
        let on_disk = self
            .env
            .read_file(&path)
            .map_err(|source| FileError::new("read", path, source))?;
        self.change_epochs(|epochs| {
            *epochs = found;
            epochs.truncate_from_end(end);
            epochs.truncate_from_start(start);
            match on_disk {
                Some(bytes) => *bytes != *epochs.format().as_bytes(),
                None => epochs.latest().is_some(),
            }
        })
    }
}
