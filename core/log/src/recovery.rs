//! Crash recovery: reads and checks every batch that was not known to be on disk.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{BatchError, BatchHeader, LeaderEpoch, Offset, RecordBatch};

use crate::active_segment::cut_padding_of;
use crate::config::LogConfig;
use crate::continuity::{Boundary, Continuity, LogKnowledge};
use crate::control_records::control_record;
use crate::error::{FileError, OpenError};
use crate::file_name::{FileKind, segment_file};
use crate::gaps::Gaps;
use crate::index_builder::IndexBuilder;
use crate::leader_epochs::LeaderEpochs;
use crate::mutants::{self, Mutant};
use crate::producer_state::ProducerStates;
use crate::read_buffer::ReadBuffer;
use crate::report::{Cut, Damage, RecoveryReport};
use crate::segment::{Phase, Segment};
use crate::stray::{holds_batches, set_aside};

/// A recovered log, which contains whole valid batches only.
#[derive(Debug)]
pub(crate) struct RecoveredLog<E: Env> {
    pub(crate) segments: Vec<Arc<Segment<E>>>,
    pub(crate) log_end_offset: Offset,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) producers: ProducerStates,
}

/// The running checks and their results.
pub(crate) struct Recovery<'a> {
    pub(crate) config: &'a LogConfig,
    pub(crate) known: LogKnowledge,
    /// Batches before this offset are in `producers` already.
    pub(crate) producers_from: Offset,
    pub(crate) report: &'a mut RecoveryReport,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) producers: ProducerStates,
    pub(crate) latest_epoch: Option<LeaderEpoch>,
}

/// The end of the valid part of a segment, and the reason.
struct End {
    position: u64,
    next_offset: Offset,
    reason: Option<String>,
}

impl Recovery<'_> {
    /// Checks the segments from `first` on and truncates a torn end. If a segment does not follow the one before it,
    /// either the log starts with it or it is set aside. Destroys no whole batches, except after damage within a
    /// segment that must be truncated there.
    pub(crate) fn check<E: Env>(
        mut self,
        segments: &[Arc<Segment<E>>],
        first: usize,
    ) -> Result<RecoveredLog<E>, OpenError> {
        let mut kept = segments[..first].to_vec();
        let mut log_end_offset = segments[first].base_offset();
        let (mut earlier, mut strays) = (Vec::new(), Vec::new());
        for (index, segment) in segments.iter().enumerate().skip(first) {
            match self.continuity(&kept, log_end_offset, segment)? {
                Continuity::Follows => self.report_hole(log_end_offset, segment),
                Continuity::StartsLog => {
                    self.report.missing = Some(log_end_offset..segment.base_offset());
                    earlier.append(&mut kept);
                }
                Continuity::Stray => {
                    strays.push(Arc::clone(segment));
                    continue;
                }
            }
            let end = self.check_segment(segment, segments.get(index + 1))?;
            kept.push(Arc::clone(segment));
            log_end_offset = end.next_offset;
            if let Some(reason) = end.reason {
                self.cut(segment, end.position, log_end_offset, reason)?;
            }
        }
        // Outermost first, each durably before the next, so that after a crash in between recovery decides the same.
        for segment in earlier.iter().chain(strays.iter().rev()) {
            set_aside(segment, self.report)?;
        }
        Ok(RecoveredLog {
            segments: kept,
            log_end_offset,
            epochs: self.epochs,
            producers: self.producers,
        })
    }

    fn continuity<E: Env>(
        &self,
        before: &[Arc<Segment<E>>],
        log_end_offset: Offset,
        segment: &Segment<E>,
    ) -> Result<Continuity, FileError> {
        if segment.base_offset() == log_end_offset {
            return Ok(Continuity::Follows);
        }
        Ok(self.known.continuity(Boundary {
            log_end_offset,
            has_records_before: before.iter().any(|segment| segment.size() > 0),
            base_offset: segment.base_offset(),
            has_records: self.begins_whole(segment)?,
        }))
    }

    /// Whether a segment begins with a whole batch that may be its first.
    fn begins_whole<E: Env>(&self, segment: &Segment<E>) -> Result<bool, FileError> {
        let first = ReadBuffer::new(segment)?
            .batch_at(0)
            .map_err(|source| segment.error("read", FileKind::Log, source))?;
        Ok(first.is_some_and(|batch| {
            batch.is_ok_and(|batch| {
                check_crc(&batch).is_ok()
                    && self.is_in_order(segment, batch.header(), segment.base_offset())
            })
        }))
    }

    /// The base offset of the next segment, if the files up to there are known to have been whole. Then damage in this
    /// segment is not a torn end, and the log continues after it.
    fn successor<E: Env>(
        &self,
        next: Option<&Arc<Segment<E>>>,
    ) -> Result<Option<Offset>, FileError> {
        match next {
            Some(next)
                if self.known.was_kept_until(next.base_offset()) && self.begins_whole(next)? =>
            {
                Ok(Some(next.base_offset()))
            }
            _ => Ok(None),
        }
    }

    fn check_segment<E: Env>(
        &mut self,
        segment: &Segment<E>,
        next: Option<&Arc<Segment<E>>>,
    ) -> Result<End, OpenError> {
        let successor = self.successor(next)?;
        let mut builder = IndexBuilder::new(self.config.index_interval_bytes);
        let mut end = End {
            position: 0,
            next_offset: segment.base_offset(),
            reason: None,
        };
        let mut buffer = ReadBuffer::new(segment)?;
        while let Some(next) = buffer
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
                    if let Some(header) = self.damaged_on_disk(&mut buffer, &end, &error) {
                        self.report_damage(segment, end.position, error.to_string());
                        builder.add(end.position, &header);
                        end.next_offset = header.next_offset();
                        end.position += header.size_in_bytes() as u64;
                        continue;
                    }
                    let is_end = successor.is_none_or(|next| next == end.next_offset);
                    if !(is_end && cut_padding_of(segment, end.position)?) {
                        end.reason = Some(error.to_string());
                    }
                    break;
                }
            };
            self.check_epoch(segment, end.position, batch.header());
            self.take(&mut builder, end.position, &batch);
            end.next_offset = batch.header().next_offset();
            end.position += batch.bytes().len() as u64;
        }
        if let Some(next_offset) = successor.filter(|next| *next > end.next_offset)
            && let Some(reason) = end.reason.take()
        {
            self.report_damage(segment, end.position, reason);
            end.next_offset = next_offset;
        }
        let phase = if end.reason.is_some() || next.is_none() {
            Phase::Active
        } else {
            Phase::Sealed
        };
        self.install(segment, builder, phase);
        self.report.segments_checked += 1;
        self.report.bytes_checked += end.position;
        Ok(end)
    }

    /// Whether the offset follows the one before it, with a gap only if compaction allows it, and lies within the
    /// segment.
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
            && self.known.gaps.allow(next_offset, header.base_offset)
            && far <= i64::from(i32::MAX)
    }

    /// Reports a leader epoch that is older than one before it. No CRC covers the epoch, so one of the two is damaged;
    /// the batches are intact.
    fn check_epoch<E: Env>(&mut self, segment: &Segment<E>, position: u64, header: &BatchHeader) {
        let epoch = header.leader_epoch;
        if epoch.get() >= 0 && self.latest_epoch.is_some_and(|latest| latest > epoch) {
            let reason = format!("leader epoch {epoch} follows a newer one");
            self.report_damage(segment, position, reason);
        }
    }

    /// The header of a batch that was whole once and is damaged now, if the batch after it or the recovery point proves
    /// that. Such a batch stays in place: it is not a torn end, and acknowledged records may follow it.
    fn damaged_on_disk<E: Env>(
        &self,
        buffer: &mut ReadBuffer<'_, E>,
        end: &End,
        error: &BatchError,
    ) -> Option<BatchHeader> {
        if !matches!(error, BatchError::CrcMismatch { .. }) {
            return None;
        }
        let header = *buffer.batch_at(end.position).ok()??.ok()?.header();
        let next_offset = header.next_offset();
        let is_believable = self.known.gaps.allow(end.next_offset, header.base_offset)
            && header.last_offset_delta >= 0
            && self.known.was_kept_until(next_offset);
        if !is_believable {
            return None;
        }
        let was_durable = next_offset <= self.known.durable_end;
        let after = end.position + header.size_in_bytes() as u64;
        let is_followed = match buffer.batch_at(after).ok()? {
            // The process may have died while it wrote the last batch.
            None => was_durable,
            Some(Ok(next)) => {
                self.known
                    .gaps
                    .allow(next_offset, next.header().base_offset)
                    && (was_durable || check_crc(&next).is_ok())
            }
            Some(Err(_)) => false,
        };
        is_followed.then_some(header)
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

    /// Installs the indexes. Reports those whose file was different.
    fn install<E: Env>(&mut self, segment: &Segment<E>, mut builder: IndexBuilder, phase: Phase) {
        // The indexes of an active segment are written when it is sealed, so after a crash they are always missing.
        if phase == Phase::Sealed {
            for kind in builder.contradicted(segment) {
                let name = segment_file(segment.base_offset(), kind);
                self.report.indexes_rebuilt.push(name);
            }
        }
        if mutants::is_active(Mutant::TrustIndexes) {
            return;
        }
        builder.install_in(segment, phase);
        builder.install_transactions_in(segment);
    }

    fn report_damage<E: Env>(&mut self, segment: &Segment<E>, position: u64, reason: String) {
        self.report.damage.push(Damage {
            segment: segment.base_offset(),
            position,
            reason,
        });
    }

    /// Reports the offsets that are missing before a segment, unless compaction removed them.
    fn report_hole<E: Env>(&mut self, log_end_offset: Offset, segment: &Segment<E>) {
        let base_offset = segment.base_offset();
        if base_offset > log_end_offset && self.known.gaps == Gaps::Damage {
            let reason = format!("offsets {log_end_offset} to {base_offset} are missing");
            self.report_damage(segment, 0, reason);
        }
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
            had_batches: holds_batches(segment, position)?,
        });
        segment.file().cut(position)?;
        segment.file().sync_cut()
    }
}

/// Checks that the batch is unchanged since it was written.
fn check_crc(batch: &RecordBatch) -> Result<(), BatchError> {
    if mutants::is_active(Mutant::SkipRecoveryCrc) {
        return Ok(());
    }
    batch.verify_crc()
}
