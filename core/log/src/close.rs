//! The end of a log: closed, so that the next open has nothing to check, or abandoned.

use headwater_env::Env;
use headwater_record::Offset;

use crate::error::{ChangeError, FileError};
use crate::file_name::{FileKind, segment_file};
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_snapshot;
use crate::roll::finish_time_index;

impl<E: Env> PartitionLog<E> {
    /// Flushes, writes the indexes and the producer snapshot, and refuses changes from then on. Reads go on. Idempotent. Returns the
    /// recovery point, which is the end of the log. After an error the log was not closed in order, and the directory must not be marked
    /// as such; the next open recovers.
    pub fn close(&self) -> Result<Offset, ChangeError> {
        let _pause = self.cleaner.pause();
        let mut writer = self.writer.lock();
        if !writer.is_closed {
            self.begin_change(&mut writer)?;
            self.finish_removals()?;
            if writer.is_changed || self.recovery_point() < self.log_end_offset() {
                self.write_everything(&mut writer)?;
            }
            writer.is_closed = true;
            writer.is_changed = false;
        }
        Ok(self.recovery_point())
    }

    /// Refuses changes from then on, as after [`close`](Self::close), and writes nothing: for a log whose files are about to go. Waits for
    /// an append at work. Reads go on. Idempotent.
    pub fn abandon(&self) {
        let _pause = self.cleaner.pause();
        self.writer.lock().is_closed = true;
    }

    fn write_everything(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        let view = self.view();
        let active = view.segments.active();
        self.prepare_head(writer)?;
        self.end_file(writer)?;
        finish_time_index(active, writer);
        let turn = self.flusher.turn();
        self.sync(&turn)?;
        drop(turn);
        view.segments
            .list()
            .iter()
            .try_for_each(|segment| segment.save_indexes())?;
        self.flusher
            .keep_sealed(view.log_end_offset, view.log_end_offset);
        let name = segment_file(view.log_end_offset, FileKind::ProducerSnapshot);
        let path = self.dir.join(name);
        self.env
            .replace_file(&path, &producer_snapshot::encode(&writer.producers))
            .map_err(|source| FileError::new("replace", path, source))?;
        Ok(())
    }
}
