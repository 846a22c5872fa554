//! Rolling: seals the active segment and starts the next one.

use std::sync::Arc;

use headwater_env::{Env, File, OpenMode};
use headwater_record::Offset;

use crate::active_segment::ActiveSegment;
use crate::append_lock::AppendLock;
use crate::error::ChangeError;
use crate::file_name::{FileKind, segment_file};
use crate::partition_log::PartitionLog;
use crate::producer_snapshot;
use crate::segment::Segment;

impl<E: Env> PartitionLog<E> {
    /// Rolls the active segment if it is older than `segment.ms`; returns whether it did. Appends do the same by record
    /// timestamps.
    pub fn roll_if_due(&self, now_wall_ms: i64) -> Result<bool, ChangeError> {
        let config = self.state().config();
        let mut lock = self.begin_change()?;
        let is_due = lock.active().is_expired(now_wall_ms, &config);
        if is_due {
            lock.roll()?;
        }
        Ok(is_due)
    }

    /// Seals the active segment, unless it is empty, and starts the next.
    pub fn roll(&self) -> Result<(), ChangeError> {
        let mut lock = self.begin_change()?;
        if lock.active().size() > 0 {
            lock.roll()?;
        }
        Ok(())
    }
}

impl<E: Env> AppendLock<'_, E> {
    /// Seals the active segment, which must not be empty, and starts the next at the end of the log. The next flush
    /// makes the sealed one durable.
    pub(crate) fn roll(&mut self) -> Result<(), ChangeError> {
        self.check_in_place()?;
        self.note_change();
        self.active_mut().prepare()?;
        let log = self.log();
        let sealed = Arc::clone(self.active().segment());
        // First register the sealed segment: from here on no recovery point passes it until a sync.
        log.flusher().has_sealed(sealed.base_offset());
        self.seal_file()?;
        self.active_mut().finish_time_index();
        let log_end_offset = log.log_end_offset();
        self.write_producer_snapshot(log_end_offset);
        let dir = log.directory().shared_path();
        let next = Arc::new(Segment::create(log.env().clone(), dir, log_end_offset)?);
        log.directory().note_change();
        sealed.set_modified_ms(log.env().wall_clock_ms());
        self.publish(|view| view.roll(Arc::clone(&next)));
        self.set_active(ActiveSegment::created(next));
        Ok(())
    }

    /// Truncates the padding of the active segment in a way that survives a crash. If part of the segment is not
    /// durable yet, recovery will check it anyway. If all of it is durable, the recovery point may pass it and recovery
    /// would not check it, so the truncation is synced.
    fn seal_file(&mut self) -> Result<(), ChangeError> {
        let log = self.log();
        if self.active_mut().cut_padding()? && log.flusher().durable_end() >= log.log_end_offset() {
            let turn = log.flusher().turn();
            log.sync(&turn)?;
        }
        Ok(())
    }

    /// Writes a snapshot of the producers at the end of the log. Best effort: recovery can derive the state from the
    /// batches, and detects a torn snapshot by its CRC.
    fn write_producer_snapshot(&self, log_end_offset: Offset) {
        let name = segment_file(log_end_offset, FileKind::ProducerSnapshot);
        let (env, path) = (self.log().env(), self.log().directory().join(name));
        let bytes = producer_snapshot::encode(self.producers());
        let written = env.open_file(&path, OpenMode::Create).and_then(|file| {
            file.set_len(0)?;
            file.write_all_at(&bytes, 0)
        });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a producer snapshot could not be written; the next recovery will read more");
            let _ = env.remove_file(&path);
        }
    }
}
