//! After a crash: every batch that was not known to be on disk is read and checked.

use std::io;
use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{BatchError, BatchHeader, LeaderEpoch, Offset, RecordBatch};

use crate::append::control_record;
use crate::chunk::Chunk;
use crate::config::LogConfig;
use crate::error::{FileError, OpenError};
use crate::file_name::{FileKind, segment_file};
use crate::gaps::Gaps;
use crate::index_builder::IndexBuilder;
use crate::leader_epochs::LeaderEpochs;
use crate::mutants::{self, Mutant};
use crate::producer_state::ProducerStates;
use crate::report::{Cut, Damage, RecoveryReport};
use crate::room::is_room;
use crate::segment::{Phase, Segment};

/// A log that holds whole valid batches only.
#[derive(Debug)]
pub(crate) struct Recovered<E: Env> {
    pub(crate) segments: Vec<Arc<Segment<E>>>,
    pub(crate) log_end_offset: Offset,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) producers: ProducerStates,
}

/// The checks, and what they find out on the way.
pub(crate) struct Recovery<'a> {
    pub(crate) config: &'a LogConfig,
    pub(crate) gaps: Gaps,
    pub(crate) durable_end: Offset,
    /// Batches before it are in `producers` already.
    pub(crate) producers_from: Offset,
    pub(crate) report: &'a mut RecoveryReport,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) producers: ProducerStates,
    pub(crate) latest_epoch: Option<LeaderEpoch>,
}

/// Where the good part of a segment ends, and why.
struct End {
    position: u64,
    next_offset: Offset,
    reason: Option<String>,
}

impl Recovery<'_> {
    /// Checks the segments from `first` on. At the first batch that is none the log is cut; later segments go with it.
    pub(crate) fn check<E: Env>(
        mut self,
        mut segments: Vec<Arc<Segment<E>>>,
        first: usize,
    ) -> Result<Recovered<E>, OpenError> {
        let mut log_end_offset = segments[first].base_offset();
        let mut kept = first;
        while let Some(segment) = segments.get(kept).map(Arc::clone) {
            if kept > first && !self.follows(&segment, log_end_offset) {
                break;
            }
            let is_last = kept + 1 == segments.len();
            let end = self.check_segment(
                &segment,
                if is_last {
                    Phase::Active
                } else {
                    Phase::Sealed
                },
            )?;
            log_end_offset = end.next_offset;
            kept += 1;
            if let Some(reason) = end.reason {
                self.cut(&segment, end.position, log_end_offset, reason)?;
                break;
            }
        }
        // Newest first, each on disk before the next: a crash in between leaves no hole.
        for segment in segments.drain(kept..).rev() {
            self.report
                .segments_removed
                .push((segment.base_offset(), segment.size()));
            remove_segment(&segment)?;
        }
        Ok(Recovered {
            segments,
            log_end_offset,
            epochs: self.epochs,
            producers: self.producers,
        })
    }

    /// May the segment follow a log that ends there? A hole that was never on disk means that the batches in it were lost in the crash;
    /// an older one is what compaction leaves.
    fn follows<E: Env>(&mut self, segment: &Segment<E>, log_end_offset: Offset) -> bool {
        let base_offset = segment.base_offset();
        if base_offset == log_end_offset
            || (base_offset > log_end_offset && base_offset <= self.durable_end)
        {
            return true;
        }
        self.report.cut = Some(Cut {
            segment: base_offset,
            position: 0,
            bytes: segment.size(),
            log_end_offset,
            reason: format!("the segment before it ends at offset {log_end_offset}"),
        });
        false
    }

    fn check_segment<E: Env>(
        &mut self,
        segment: &Segment<E>,
        phase: Phase,
    ) -> Result<End, OpenError> {
        let mut builder = IndexBuilder::new(self.config.index_interval_bytes);
        let mut end = End {
            position: 0,
            next_offset: segment.base_offset(),
            reason: None,
        };
        let mut chunk = Chunk::new(segment)?;
        while let Some(next) = chunk
            .batch_at(end.position)
            .map_err(|source| segment.error("read", FileKind::Log, source))?
        {
            let batch = match next.and_then(|batch| check_crc(&batch).map(|()| batch)) {
                Ok(batch) if self.is_in_order(segment, batch.header(), end.next_offset) => batch,
                Ok(batch) => {
                    end.reason = Some(format!(
                        "a batch of offset {} follows offset {}",
                        batch.header().base_offset,
                        end.next_offset
                    ));
                    break;
                }
                Err(error) => {
                    if let Some(header) = self.damaged_on_disk(&mut chunk, &end, &error) {
                        self.report_damage(segment, end.position, &error);
                        builder.add(end.position, &header);
                        end.next_offset = header.next_offset();
                        end.position += header.size_in_bytes() as u64;
                        continue;
                    }
                    if is_room(segment, end.position)? {
                        segment.cut_file(end.position)?;
                        segment.sync_cut()?;
                    } else {
                        end.reason = Some(error.to_string());
                    }
                    break;
                }
            };
            self.take(&mut builder, end.position, &batch);
            end.next_offset = batch.header().next_offset();
            end.position += batch.bytes().len() as u64;
        }
        let phase = if end.reason.is_some() {
            Phase::Active
        } else {
            phase
        };
        self.install(segment, builder, phase);
        self.report.segments_checked += 1;
        self.report.bytes_checked += end.position;
        Ok(end)
    }

    /// Offsets that follow one another, with gaps only where compaction makes them, within the segment; epochs that do not go back.
    fn is_in_order<E: Env>(
        &self,
        segment: &Segment<E>,
        header: &BatchHeader,
        next_offset: Offset,
    ) -> bool {
        let delta = i64::from(header.last_offset_delta);
        let Some(last_offset) = header.base_offset.get().checked_add(delta) else {
            return false;
        };
        let far = last_offset.saturating_sub(segment.base_offset().get());
        delta >= 0
            && self.gaps.allow(next_offset, header.base_offset)
            && far <= i64::from(i32::MAX)
            && (header.leader_epoch.get() < 0
                || self
                    .latest_epoch
                    .is_none_or(|latest| latest <= header.leader_epoch))
    }

    /// A batch that was on disk once and has changed since is left where it is, if what follows it can be found: it is no torn tail, and
    /// what was acknowledged after it is whole. Gives its header.
    fn damaged_on_disk<E: Env>(
        &self,
        chunk: &mut Chunk<'_, E>,
        end: &End,
        error: &BatchError,
    ) -> Option<BatchHeader> {
        if !matches!(error, BatchError::CrcMismatch { .. }) {
            return None;
        }
        let header = *chunk.batch_at(end.position).ok()??.ok()?.header();
        let is_believable = self.gaps.allow(end.next_offset, header.base_offset)
            && header.last_offset_delta >= 0
            && header.next_offset() <= self.durable_end;
        if !is_believable {
            return None;
        }
        let after = end.position + header.size_in_bytes() as u64;
        match chunk.batch_at(after).ok()? {
            None => Some(header),
            Some(Ok(next))
                if self
                    .gaps
                    .allow(header.next_offset(), next.header().base_offset) =>
            {
                Some(header)
            }
            Some(_) => None,
        }
    }

    fn take(&mut self, builder: &mut IndexBuilder, position: u64, batch: &RecordBatch) {
        let header = batch.header();
        builder.add(position, header);
        if header.leader_epoch.get() >= 0 {
            self.epochs.assign(header.leader_epoch, header.base_offset);
            self.latest_epoch = Some(header.leader_epoch);
        }
        if header.base_offset >= self.producers_from {
            let control = if header.attributes.is_control() {
                control_record(batch.bytes().clone()).ok()
            } else {
                None
            };
            builder.add_aborted(self.producers.replay(header, control));
        }
    }

    /// Puts the indexes in; reports those whose file said otherwise.
    fn install<E: Env>(&mut self, segment: &Segment<E>, mut builder: IndexBuilder, phase: Phase) {
        // An active segment's indexes are written when it is sealed, so after a crash they are never there.
        if phase == Phase::Sealed {
            for kind in builder.contradicted(segment) {
                let name = segment_file(segment.base_offset(), kind);
                self.report.indexes_rebuilt.push(name);
            }
        }
        if mutants::lives(Mutant::TrustIndexes) {
            return;
        }
        builder.install_in(segment, phase);
        builder.install_transactions_in(segment);
    }

    fn report_damage<E: Env>(&mut self, segment: &Segment<E>, position: u64, error: &BatchError) {
        self.report.damage.push(Damage {
            segment: segment.base_offset(),
            position,
            reason: error.to_string(),
        });
    }

    fn cut<E: Env>(
        &mut self,
        segment: &Segment<E>,
        position: u64,
        log_end_offset: Offset,
        reason: String,
    ) -> Result<(), FileError> {
        self.report.cut = Some(Cut {
            segment: segment.base_offset(),
            position,
            bytes: segment.size() - position,
            log_end_offset,
            reason,
        });
        segment.cut_file(position)?;
        segment.sync_cut()
    }
}

/// Is the batch what was written?
fn check_crc(batch: &RecordBatch) -> Result<(), BatchError> {
    if mutants::lives(Mutant::SkipRecoveryCrc) {
        return Ok(());
    }
    batch.verify_crc()
}

/// Removes the files of a segment, and makes that durable. The log last is gone first: an index alone is nothing.
pub(crate) fn remove_segment<E: Env>(segment: &Segment<E>) -> Result<(), FileError> {
    for kind in FileKind::ALL {
        let path = segment.path(kind);
        match segment.env().remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError::new("remove", path, source)),
        }
    }
    let path = segment.path(FileKind::Log);
    match path.parent() {
        Some(dir) => segment
            .env()
            .sync_dir(dir)
            .map_err(|source| FileError::new("sync", dir, source)),
        None => Ok(()),
    }
}
