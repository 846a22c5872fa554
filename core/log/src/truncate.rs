//! Cutting the end of a log off.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::error::{ChangeError, FileError, ReadError};
use crate::file_name::{self, FileKind, FileName};
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_replay::rebuild_producers;
use crate::roll::Head;
use crate::segment::{Largest, Segment};
use crate::segments::Segments;
use crate::view::View;

impl<E: Env> PartitionLog<E> {
    /// Drops everything from `offset` on; returns the end of the log afterwards. Whole batches go, so when a batch holds `offset` and
    /// records before it, the log ends where that batch began. If the log begins later it becomes empty and begins at `offset`. Write the recovery point checkpoint before the next append: a
    /// checkpoint past the new end would spare what comes from being checked.
    pub fn truncate_to(&self, offset: Offset) -> Result<Offset, ChangeError> {
        let _pause = self.cleaner.pause();
        let mut writer = self.writer.lock();
        self.check_open(&writer)?;
        let log_end_offset = self.log_end_offset();
        if offset >= log_end_offset {
            return Ok(log_end_offset);
        }
        // A sync in progress must not move the recovery point past the new end.
        let turn = self.flusher.turn();
        let view = self.view();
        // Before anything is cut: what lies after it is not known to be on disk from here on, whatever fails.
        turn.cut_to(offset);
        writer.is_changed = true;
        let end = if offset < view.segments.list()[0].base_offset() {
            self.restart_at(&view, offset)?
        } else {
            self.cut_at(&view, offset)?
        };
        turn.cut_to(end);
        drop(turn);
        self.cleaner.cut_to(end);
        let active = self.view.read().segments.active().base_offset();
        self.flusher.keep_sealed(Offset::ZERO, active);
        self.after_truncation(&mut writer, end)?;
        Ok(end)
    }

    /// Leaves segments up to the one that holds `offset`, which is cut.
    fn cut_at(&self, view: &View<E>, offset: Offset) -> Result<Offset, ChangeError> {
        let kept = view.segments.floor(offset).map_or(1, |index| index + 1);
        let active = &view.segments.list()[kept - 1];
        let limit = view.limit(kept - 1);
        let (end, offset) = match active.locate(offset, limit)? {
            Some((position, header)) => (position, header.base_offset.min(offset)),
            None => (limit, offset),
        };
        active.load_indexes()?;
        let segments = Arc::new(view.segments.first(kept));
        self.publish(|view| {
            view.segments = segments;
            view.log_start_offset = view.log_start_offset.min(offset);
            view.log_end_offset = offset;
            view.active_size = end;
            view.generation += 1;
        });
        // Newest first, each on disk before the next: a crash in between leaves no hole.
        for segment in view.segments.list()[kept..].iter().rev() {
            self.retire(segment)?;
        }
        cut_segment(active, offset, end)?;
        active.sync_cut().map_err(|error| self.poison(&error))?;
        Ok(offset)
    }

    /// Leaves one empty segment that begins at `offset`.
    fn restart_at(&self, view: &View<E>, offset: Offset) -> Result<Offset, ChangeError> {
        let segment = Segment::create(self.env.clone(), Arc::clone(&self.dir), offset)?;
        let segments = Arc::new(Segments::new(vec![Arc::new(segment)]));
        self.directory_has_changed();
        self.publish(|view| {
            view.segments = segments;
            view.log_start_offset = offset;
            view.log_end_offset = offset;
            view.active_size = 0;
            view.generation += 1;
        });
        for segment in view.segments.list().iter().rev() {
            self.retire(segment)?;
        }
        Ok(offset)
    }

    fn after_truncation(
        &self,
        writer: &mut Writer,
        log_end_offset: Offset,
    ) -> Result<(), ChangeError> {
        self.change_epochs(|epochs| epochs.truncate_from_end(log_end_offset))?;
        self.remove_snapshots_after(log_end_offset)?;
        let view = self.view();
        writer.producers = rebuild_producers(&view)?;
        writer.head = Head::unprepared(&self.env);
        Ok(())
    }

    /// Snapshots of a log that was longer say what is no longer so.
    fn remove_snapshots_after(&self, log_end_offset: Offset) -> Result<(), FileError> {
        let entries = self
            .env
            .read_dir(&self.dir)
            .map_err(|source| FileError::new("list", &*self.dir, source))?;
        for entry in entries {
            if let FileName::Segment(offset, FileKind::ProducerSnapshot) =
                file_name::parse(&entry.name)
                && offset > log_end_offset
            {
                let path = self.dir.join(&entry.name);
                self.env
                    .remove_file(&path)
                    .map_err(|source| FileError::new("remove", path, source))?;
                self.directory_has_changed();
            }
        }
        self.sync_directory()
    }
}

/// Ends a segment's files at `end`, where the batch begins that holds `offset`.
pub(crate) fn cut_segment<E: Env>(
    segment: &Segment<E>,
    offset: Offset,
    end: u64,
) -> Result<(), ReadError> {
    let env = segment.env();
    let failed = |kind| move |source| segment.error("cut", kind, source);
    segment.cut_file(end)?;
    segment
        .offset_index
        .truncate_to(env, &segment.path(FileKind::OffsetIndex), offset)
        .map_err(failed(FileKind::OffsetIndex))?;
    segment
        .time_index
        .truncate_to(env, &segment.path(FileKind::TimeIndex), offset)
        .map_err(failed(FileKind::TimeIndex))?;
    segment
        .transaction_index
        .truncate_to(env, &segment.path(FileKind::TransactionIndex), offset)
        .map_err(failed(FileKind::TransactionIndex))?;
    segment.set_largest_timestamp(Largest::Unknown);
    // What the files still say of the cut part must not be found by a recovery.
    segment.save_indexes()?;
    Ok(())
}
