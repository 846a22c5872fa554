//! Truncates the end of a log.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::error::{ChangeError, FileError, ReadError};
use crate::file_name::{self, FileKind, FileName};
use crate::index_file::SyncTime;
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_replay::rebuild_producers;
use crate::roll::Head;
use crate::segment::{Largest, Segment};
use crate::segments::Segments;
use crate::view::View;

/// A truncation that readers see and that is not complete on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truncation {
    log_end_offset: Offset,
    /// The new end position of the active segment's file.
    position: u64,
}

impl<E: Env> PartitionLog<E> {
    /// Removes all batches from the one that contains `offset` on; returns the new end of the log. Only whole batches
    /// are removed, so if a batch contains `offset` and records before it, the log ends where that batch began. If the
    /// log begins after `offset`, it becomes empty and begins at `offset`.
    ///
    /// After an error readers may see the truncated log. The next change completes the truncation or fails; a crash
    /// before it may restore all of the removed batches. Write the recovery point checkpoint before the next append:
    /// after a crash, recovery would not check later records below a checkpoint that is past the new end.
    pub fn truncate_to(&self, offset: Offset) -> Result<Offset, ChangeError> {
        let _pause = self.cleaner.pause();
        let mut writer = self.writer.lock();
        self.begin_change(&mut writer)?;
        let log_end_offset = self.log_end_offset();
        if offset >= log_end_offset {
            return Ok(log_end_offset);
        }
        self.finish_removals()?;
        // A running sync must not move the recovery point past the new end.
        let turn = self.flusher.turn();
        let view = self.view();
        // Lower the durable end before truncating: whatever fails below, records after it are not known to be on disk.
        turn.cut_to(offset);
        writer.is_changed = true;
        let end = if offset < view.segments.list()[0].base_offset() {
            self.restart_at(&mut writer, &view, offset)?
        } else {
            self.cut_at(&mut writer, &view, offset)?
        };
        turn.cut_to(end);
        drop(turn);
        self.cleaner.cut_to(end);
        let active = self.view.read().segments.active().base_offset();
        self.flusher.keep_sealed(Offset::ZERO, active);
        self.finish_truncation(&mut writer)?;
        Ok(end)
    }

    /// Checks that the log may be changed. First completes an earlier truncation that failed.
    pub(crate) fn begin_change(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        self.check_open(writer)?;
        self.finish_truncation(writer)
    }

    /// Publishes a view that ends at `offset`, in the segment that contains it.
    fn cut_at(
        &self,
        writer: &mut Writer,
        view: &View<E>,
        offset: Offset,
    ) -> Result<Offset, ChangeError> {
        let kept = view.segments.floor(offset).map_or(1, |index| index + 1);
        let active = &view.segments.list()[kept - 1];
        let limit = view.limit(kept - 1);
        let (position, end) = match active.locate(offset, limit)? {
            Some((position, header)) => (position, header.base_offset.min(offset)),
            None => (limit, offset),
        };
        active.load_indexes()?;
        let segments = Arc::new(view.segments.first(kept));
        self.publish(|view| {
            view.segments = segments;
            view.log_start_offset = view.log_start_offset.min(end);
            view.log_end_offset = end;
            view.active_size = position;
            view.generation += 1;
        });
        // Newest first: a crash in between leaves no hole.
        self.removals.add(view.segments.list()[kept..].iter().rev());
        writer.truncation = Some(Truncation {
            log_end_offset: end,
            position,
        });
        Ok(end)
    }

    /// Publishes a view with one empty segment that begins at `offset`.
    fn restart_at(
        &self,
        writer: &mut Writer,
        view: &View<E>,
        offset: Offset,
    ) -> Result<Offset, ChangeError> {
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
        self.removals.add(view.segments.list().iter().rev());
        writer.truncation = Some(Truncation {
            log_end_offset: offset,
            position: 0,
        });
        Ok(offset)
    }

    /// Makes the files agree with the view: removes later segments, newest first, truncates the last one, and recovers
    /// the state at the end. Can be repeated after it failed half-way.
    fn finish_truncation(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        let Some(truncation) = writer.truncation else {
            return Ok(());
        };
        if mutants::is_active(Mutant::ForgetTruncation) {
            writer.truncation = None;
        }
        self.finish_removals()?;
        let end = truncation.log_end_offset;
        let view = self.view();
        let active = view.segments.active();
        cut_segment(active, end, truncation.position)?;
        active.sync_cut().map_err(|error| self.sync_error(error))?;
        self.change_epochs(|epochs| epochs.truncate_from_end(end))?;
        self.remove_snapshots_after(end)?;
        writer.producers = rebuild_producers(&view)?;
        self.publish_first_unstable(writer);
        writer.head = Head::unprepared(&self.env);
        writer.truncation = None;
        Ok(())
    }

    /// Removes producer snapshots after the end of the log, which are outdated.
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

/// Truncates a segment's files at `end`, the position of the batch that contains `offset`.
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
    // Recovery must not find entries of the truncated part in the index files.
    segment.save_indexes(SyncTime::Now)?;
    Ok(())
}
