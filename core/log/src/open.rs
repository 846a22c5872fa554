//! Opens a log: lists its directory, recovers unchecked segments and finds the end of the log.

mod ending;
mod epochs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::active_segment::ActiveSegment;
use crate::append_lock::{AppendState, FilesOnDisk};
use crate::cleaner::swap;
use crate::cleaner::turn::CleanerTurn;
use crate::config::LogConfig;
use crate::error::{FileError, OpenError, ReadError};
use crate::file_name::{self, FileKind, FileName, segment_file};
use crate::flusher::Flusher;
use crate::gaps::Gaps;
use crate::index_builder;
use crate::leader_epoch_file::LeaderEpochFile;
use crate::leader_epochs::LeaderEpochs;
use crate::listing::{self, ListedSegment};
use crate::log_directory::LogDirectory;
use crate::log_state::LogState;
use crate::partition_log::PartitionLog;
use crate::producer_replay::{newest_snapshot, rebuild_producers, replay};
use crate::producer_state::ProducerStates;
use crate::published_view::PublishedView;
use crate::recovery::{RecoveredLog, Recovery};
use crate::report::{Damage, RecoveryReport};
use crate::segment::Segment;
use crate::stray::set_aside;
use crate::types::OpenState;
use crate::view::LogView;
use ending::end_of;

/// The state of an open.
struct Opening<E: Env> {
    env: E,
    dir: Arc<Path>,
    config: LogConfig,
    start: OpenState,
    report: RecoveryReport,
}

impl<E: Env> PartitionLog<E> {
    /// Opens the log in `dir`, creating it if missing, and recovers it: after a crash, reads the segments from the
    /// recovery point on, truncates an incomplete or invalid end, and rebuilds missing or wrong indexes. After a clean
    /// shutdown it reads almost nothing. The caller must own the directory (see
    /// [`DataDirectory`](crate::DataDirectory)).
    pub fn open(
        env: E,
        dir: &Path,
        config: LogConfig,
        start: OpenState,
    ) -> Result<(Self, RecoveryReport), OpenError> {
        make_directory(&env, dir, &start)?;
        let report = RecoveryReport {
            directory: dir.to_path_buf(),
            ..RecoveryReport::default()
        };
        let mut opening = Opening {
            env,
            dir: Arc::from(dir),
            config,
            start,
            report,
        };
        let mut entries = listing::entries(&opening.env, &opening.dir)?;
        swap::complete(&opening.env, &opening.dir, &entries, &mut opening.report)?;
        if !opening.report.swaps_completed.is_empty() {
            entries = listing::entries(&opening.env, &opening.dir)?;
        }
        let listed = listing::list(
            &opening.env,
            &opening.dir,
            &entries,
            &mut opening.report.files_removed,
        )?;
        opening.report_without_log(&listed.without_log);
        let recovered = opening.recover(&listed.segments)?;
        opening.finish(recovered)
    }
}

/// Creates the directory if missing. After a crash its name is synced even if it exists: the process that created it
/// may have died before syncing it.
fn make_directory<E: Env>(env: &E, dir: &Path, start: &OpenState) -> Result<(), FileError> {
    let failed = |action| move |source| FileError::new(action, dir, source);
    if start.clean_shutdown && env.metadata(dir).map_err(failed("open"))?.is_some() {
        return Ok(());
    }
    env.create_dir_durably(dir).map_err(failed("create"))
}

impl<E: Env> Opening<E> {
    /// Recovers the segments, which hold whole valid batches afterwards, and collects their state.
    fn recover(
        &mut self,
        listed: &BTreeMap<Offset, ListedSegment>,
    ) -> Result<RecoveredLog<E>, OpenError> {
        if listed.is_empty() {
            return self.begin_empty();
        }
        let mut segments = self.segments(listed);
        let mut first_checked = self.first_checked(&segments);
        if first_checked < segments.len() {
            let gone = self.leave_out_before_gap(&mut segments, first_checked)?;
            first_checked -= gone;
        }
        let sealed = segments.len() - 1;
        for segment in &segments[..first_checked.min(sealed)] {
            let files = &listed[&segment.base_offset()];
            if files.is_emptied() {
                self.report_loss(segment.base_offset(), "its log file was emptied");
            }
            if files.lacks_index() {
                match index_builder::rebuild(segment, self.config.index_interval_bytes) {
                    Ok(()) => self.report_rebuilt(segment),
                    Err(error) => self.report_damage(segment, &error)?,
                }
            }
        }
        let mut epochs = self.read_epochs(&segments)?;
        if first_checked == segments.len() {
            match end_of(&segments[sealed]) {
                Ok((end, last)) if self.is_where_it_was_closed(&segments, end) => {
                    let epochs = self.epochs_that_agree(epochs, &segments, last);
                    return self.without_checks(segments, epochs, end);
                }
                Err(ReadError::File(error)) => return Err(error.into()),
                // The log was not closed in order after all, or was damaged since.
                Ok(_) | Err(ReadError::Corrupt { .. } | ReadError::OutOfRange { .. }) => {
                    first_checked = self.holds_recovery_point(&segments);
                }
            }
        }
        epochs = self.epochs_that_agree(epochs, &segments[..first_checked], None);
        let known = self.known(&epochs);
        let known_epochs = epochs.clone();
        epochs.truncate_from_end(segments[first_checked].base_offset());
        let (from, producers) = self.producers_before(&segments, first_checked)?;
        let mut recovered = Recovery {
            config: &self.config,
            known,
            producers_from: from,
            report: &mut self.report,
            latest_epoch: epochs.latest(),
            epochs,
            producers,
        }
        .check(&segments, first_checked)?;
        if known.gaps == Gaps::Allowed {
            recovered.epochs = recovered
                .epochs
                .or_known(known_epochs, recovered.log_end_offset);
        }
        Ok(recovered)
    }

    fn begin_empty(&mut self) -> Result<RecoveredLog<E>, OpenError> {
        // Continue at the end of the lost log, so that no offset is assigned twice.
        let base_offset = self.start.log_start_offset.max(self.start.recovery_point);
        let segment = Segment::create(self.env.clone(), Arc::clone(&self.dir), base_offset)?;
        if self.start.recovery_point > self.start.log_start_offset {
            self.report.damage.push(Damage {
                segment: base_offset,
                position: 0,
                reason: format!(
                    "the log files are gone, although offsets up to {} were on disk",
                    self.start.recovery_point
                ),
            });
        }
        Ok(RecoveredLog {
            segments: vec![Arc::new(segment)],
            log_end_offset: base_offset,
            epochs: LeaderEpochs::default(),
            producers: ProducerStates::default(),
        })
    }

    fn segments(&self, listed: &BTreeMap<Offset, ListedSegment>) -> Vec<Arc<Segment<E>>> {
        let segment = |(base_offset, listed): (&Offset, &ListedSegment)| {
            let (env, dir) = (self.env.clone(), Arc::clone(&self.dir));
            Arc::new(Segment::existing(
                env,
                dir,
                *base_offset,
                listed.lengths,
                listed.modified_ms,
            ))
        };
        listed.iter().map(segment).collect()
    }

    /// The index of the first segment whose batches must be read, or the number of segments.
    fn first_checked(&self, segments: &[Arc<Segment<E>>]) -> usize {
        if self.start.clean_shutdown {
            segments.len()
        } else {
            self.holds_recovery_point(segments)
        }
    }

    fn without_checks(
        &mut self,
        segments: Vec<Arc<Segment<E>>>,
        epochs: LeaderEpochs,
        log_end_offset: Offset,
    ) -> Result<RecoveredLog<E>, OpenError> {
        let view = LogView::of(&segments, log_end_offset);
        Ok(RecoveredLog {
            producers: rebuild_producers(&view).map_err(|error| self.damaged(&error))?,
            segments,
            log_end_offset,
            epochs,
        })
    }

    /// The state of the producers at the first checked segment, and the offset from which batches must still be
    /// replayed.
    fn producers_before(
        &self,
        segments: &[Arc<Segment<E>>],
        first_checked: usize,
    ) -> Result<(Offset, ProducerStates), OpenError> {
        let limit = segments[first_checked].base_offset();
        let (from, mut states) = newest_snapshot(&self.env, &self.dir, limit)?
            .unwrap_or_else(|| (Offset::ZERO, ProducerStates::default()));
        if first_checked > 0
            && let Err(error) = replay(
                &LogView::of(&segments[..first_checked], limit),
                from,
                &mut states,
            )
        {
            tracing::warn!(%error, "the state of the producers is incomplete");
        }
        Ok((limit, states))
    }

    /// Reports segments whose log file is missing. Only a crash between two removals leaves index files alone; in a
    /// compacted log no gap shows the loss otherwise.
    fn report_without_log(&mut self, segments: &[Offset]) {
        if self.start.clean_shutdown && self.gaps() == Gaps::Allowed {
            for segment in segments {
                self.report_loss(*segment, "its log file is gone");
            }
        }
    }

    fn report_loss(&mut self, segment: Offset, reason: &str) {
        self.report.damage.push(Damage {
            segment,
            position: 0,
            reason: reason.to_owned(),
        });
    }

    fn report_rebuilt(&mut self, segment: &Segment<E>) {
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
            let name = segment_file(segment.base_offset(), kind);
            self.report.indexes_rebuilt.push(name);
        }
    }

    fn report_damage(&mut self, segment: &Segment<E>, error: &ReadError) -> Result<(), OpenError> {
        let ReadError::Corrupt {
            position, source, ..
        } = error
        else {
            return Err(self.damaged(error));
        };
        self.report.damage.push(Damage {
            segment: segment.base_offset(),
            position: *position,
            reason: source.to_string(),
        });
        Ok(())
    }

    fn damaged(&self, error: &ReadError) -> OpenError {
        OpenError::Damaged {
            directory: self.dir.to_path_buf(),
            what: error.to_string(),
        }
    }

    /// Creates the log and makes its files agree with the recovered state.
    fn finish(
        mut self,
        mut recovered: RecoveredLog<E>,
    ) -> Result<(PartitionLog<E>, RecoveryReport), OpenError> {
        if self.start.log_start_offset > recovered.log_end_offset {
            self.start_later(&mut recovered)?;
        }
        let log_end_offset = recovered.log_end_offset;
        self.report_lost(&recovered);
        let mut view = LogView::of(&recovered.segments, log_end_offset);
        view.raise_log_start(self.start.log_start_offset);
        let (published, mut token) = PublishedView::new(view.clone());
        self.remove_stale_snapshots(log_end_offset)?;
        let is_complete = self.start.clean_shutdown && self.report.is_clean();
        let recovery_point = if self.start.clean_shutdown && self.report.cut.is_none() {
            log_end_offset
        } else {
            self.start.recovery_point.min(log_end_offset)
        };
        let flusher = Flusher::new(recovery_point, self.env.monotonic());
        await_seals(&flusher, &view);
        let gaps = self.gaps();
        let directory = LogDirectory::new(self.env, self.dir);
        let offsets = view.log_start_offset()..log_end_offset;
        let epochs = LeaderEpochFile::open(&directory, recovered.epochs, offsets)?;
        if !is_complete {
            // Removed files must not come back after the next crash.
            directory.sync()?;
        }
        let active = ActiveSegment::opened(Arc::clone(view.segments().active()));
        published.publish_first_unstable(&mut token, recovered.producers.first_unstable_offset());
        let files = if is_complete {
            FilesOnDisk::Complete
        } else {
            FilesOnDisk::Changed
        };
        let log = PartitionLog::new(
            CleanerTurn::new(self.start.cleaner_checkpoint),
            AppendState::new(recovered.producers, active, files, token),
            LogState::new(directory, self.config, gaps, published, flusher, epochs),
        );
        Ok((log, self.report))
    }

    fn report_lost(&mut self, recovered: &RecoveredLog<E>) {
        let (end, point) = (recovered.log_end_offset, self.start.recovery_point);
        if end < point && self.report.damage.is_empty() {
            let active = &recovered.segments[recovered.segments.len() - 1];
            self.report.damage.push(Damage {
                segment: active.base_offset(),
                position: active.size(),
                reason: format!("offsets {end} to {point} were on disk and are gone"),
            });
        }
    }

    /// If the crash lost the end of a log whose records were all deleted, the log continues at its start offset.
    fn start_later(&mut self, recovered: &mut RecoveredLog<E>) -> Result<(), OpenError> {
        let start = self.start.log_start_offset;
        tracing::warn!(partition = %self.dir.display(), %start, end = %recovered.log_end_offset, "the log ends before its start offset and continues there");
        for segment in recovered.segments.drain(..).rev() {
            set_aside(&segment, &mut self.report)?;
        }
        let segment = Segment::create(self.env.clone(), Arc::clone(&self.dir), start)?;
        recovered.segments.push(Arc::new(segment));
        recovered.log_end_offset = start;
        Ok(())
    }

    fn remove_stale_snapshots(&mut self, log_end_offset: Offset) -> Result<(), FileError> {
        let entries = self
            .env
            .read_dir(&self.dir)
            .map_err(|source| FileError::new("list", &*self.dir, source))?;
        for entry in entries {
            if let FileName::Segment(offset, FileKind::ProducerSnapshot) =
                file_name::parse(&entry.name)
                && offset > log_end_offset
            {
                listing::remove(&self.env, &self.dir, &entry, &mut self.report.files_removed)?;
            }
        }
        Ok(())
    }
}

/// Registers sealed segments from the recovery point on: their indexes stay in memory until the next flush.
fn await_seals<E: Env>(flusher: &Flusher, view: &LogView<E>) {
    let recovery_point = flusher.recovery_point();
    let segments = view.segments().list();
    for (index, segment) in segments[..segments.len() - 1].iter().enumerate() {
        if view.end_offset(index) > recovery_point {
            flusher.has_sealed(segment.base_offset());
        }
    }
}
