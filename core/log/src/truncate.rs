//! Truncates the end of a log.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::append_lock::{AppendLock, PendingTruncation};
use crate::error::ChangeError;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::view::LogView;

impl<E: Env> PartitionLog<E> {
    /// Removes all batches from the one that contains `offset` on; returns the new end of the log. Only whole batches
    /// are removed, so if a batch contains `offset` and records before it, the log ends where that batch began. If the
    /// log begins after `offset`, it becomes empty and begins at `offset`.
    ///
    /// After an error readers may see the truncated log. The next change completes the truncation or fails; a crash
    /// before it may restore all of the removed batches. Write the recovery point checkpoint before the next append:
    /// after a crash, recovery would not check later records below a checkpoint that is past the new end.
    pub fn truncate_to(&self, offset: Offset) -> Result<Offset, ChangeError> {
        let mut lock = self.lock_without_cleaning();
        lock.begin_change()?;
        let log = lock.log();
        let log_end_offset = log.log_end_offset();
        if offset >= log_end_offset {
            return Ok(log_end_offset);
        }
        log.finish_removals()?;
        // A running sync must not move the recovery point past the new end.
        let turn = log.flusher().turn();
        let view = log.view().now();
        // Lower the durable end before truncating: whatever fails below, records after it are not known to be on disk.
        turn.cut_to(offset);
        lock.note_change();
        let end = if offset < view.segments().list()[0].base_offset() {
            lock.restart_at(&view, offset)?
        } else {
            lock.cut_at(&view, offset)?
        };
        turn.cut_to(end);
        drop(turn);
        self.cleaner().cut_to(end);
        let active = log.view().now().segments().active().base_offset();
        log.flusher().keep_sealed(Offset::ZERO, active);
        lock.complete_truncation()?;
        Ok(end)
    }
}

impl<E: Env> AppendLock<'_, E> {
    /// Publishes a view that ends at `offset`, in the segment that contains it.
    fn cut_at(&mut self, view: &LogView<E>, offset: Offset) -> Result<Offset, ChangeError> {
        let segments = view.segments();
        let kept = segments.floor(offset).map_or(1, |index| index + 1);
        let active = &segments.list()[kept - 1];
        let limit = view.limit(kept - 1);
        let (position, end) = match active.locate(offset, limit)? {
            Some((position, header)) => (position, header.base_offset.min(offset)),
            None => (limit, offset),
        };
        active.load_indexes()?;
        self.publish(|view| view.truncate(kept, end, position));
        // Newest first: a crash in between leaves no hole.
        let removals = self.log().removals();
        removals.add(segments.list()[kept..].iter().rev());
        self.set_truncation(Some(PendingTruncation {
            log_end_offset: end,
            position,
        }));
        Ok(end)
    }

    /// Publishes a view with one empty segment that begins at `offset`.
    fn restart_at(&mut self, view: &LogView<E>, offset: Offset) -> Result<Offset, ChangeError> {
        let directory = self.log().directory();
        let segment = Segment::create(directory.env().clone(), directory.shared_path(), offset)?;
        directory.note_change();
        self.publish(|view| view.restart(Arc::new(segment)));
        let removals = self.log().removals();
        removals.add(view.segments().list().iter().rev());
        self.set_truncation(Some(PendingTruncation {
            log_end_offset: offset,
            position: 0,
        }));
        Ok(offset)
    }
}
