//! Rolling: decides when the active segment is sealed, and starts the next one.

use std::sync::Arc;
use std::time::Duration;

use headwater_env::{Env, File, OpenMode};
use headwater_record::Offset;

use crate::config::LogConfig;
use crate::error::{ChangeError, FileError, ReadError};
use crate::file_name::{FileKind, segment_file};
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, Writer};
use crate::producer_snapshot;
use crate::room::Room;
use crate::segment::{Phase, Segment};
use crate::time_index::TimestampOffset;

/// The state of the active segment in memory. Used only with the append lock held.
#[derive(Debug)]
pub(crate) struct Head {
    /// When this process created or opened it, wall clock.
    pub(crate) created_ms: i64,
    /// The greatest timestamp of its first batch; `None` without a batch.
    pub(crate) first_timestamp_ms: Option<i64>,
    /// The number of bytes since the last index entry.
    pub(crate) bytes_since_index: u64,
    /// The last entry of the time index.
    pub(crate) last_time_entry: Option<TimestampOffset>,
    /// The random part of `segment.jitter.ms` by which `segment.ms` is reduced, in units of 2^-16.
    jitter: u16,
    /// Whether its indexes are in memory and the fields above are valid.
    pub(crate) is_prepared: bool,
    /// Whether a failed append may have left bytes after its end.
    pub(crate) has_dirty_tail: bool,
    /// The padding at the end of its file.
    pub(crate) room: Room,
    /// When its path was last checked to lead to its file, on the monotonic clock.
    pub(crate) found_in_place: Option<Duration>,
}

impl Head {
    /// The state of an empty segment.
    pub(crate) fn empty(env: &impl Env) -> Self {
        let mut jitter = [0; 2];
        env.fill_random(&mut jitter);
        Self {
            created_ms: env.wall_clock_ms(),
            first_timestamp_ms: None,
            bytes_since_index: 0,
            last_time_entry: None,
            jitter: u16::from_le_bytes(jitter),
            is_prepared: true,
            has_dirty_tail: false,
            room: Room::default(),
            found_in_place: None,
        }
    }

    /// The state of a segment with batches, to be prepared before the first append.
    pub(crate) fn unprepared(env: &impl Env) -> Self {
        Self {
            is_prepared: false,
            ..Self::empty(env)
        }
    }

    /// The maximum span of timestamps in the segment, reduced by the jitter.
    fn segment_ms(&self, config: &LogConfig) -> i64 {
        let segment_ms = config.segment_ms_max();
        let most = config.segment_jitter_ms.clamp(0, segment_ms.max(0));
        let off = (i128::from(most) * i128::from(self.jitter)) >> 16;
        segment_ms - off as i64
    }
}

/// The batches to be appended, as far as rolling depends on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingBatches {
    pub(crate) size: u64,
    /// The maximum number of entries that they add to each index.
    pub(crate) index_entries: usize,
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp_ms: i64,
}

/// Whether the active segment must be sealed before the batches are appended.
pub(crate) fn is_due<E: Env>(
    segment: &Segment<E>,
    head: &Head,
    config: &LogConfig,
    incoming: IncomingBatches,
    now_ms: impl FnOnce() -> i64,
) -> bool {
    let size = segment.size();
    let too_large = size + incoming.size > u64::from(config.segment_bytes);
    let too_far = incoming.last_offset - segment.base_offset() > i64::from(i32::MAX);
    if size == 0 {
        return too_far;
    }
    let (entries, index_bytes) = (incoming.index_entries, config.segment_index_bytes);
    too_large
        || too_far
        || !segment.offset_index.has_room(entries, index_bytes)
        || !segment.time_index.has_room(entries, index_bytes)
        || {
            // Measured by record timestamps if there are any, so that replayed history rolls at the same points.
            let waited_ms = match head.first_timestamp_ms {
                Some(first) if incoming.max_timestamp_ms >= 0 => {
                    incoming.max_timestamp_ms.saturating_sub(first)
                }
                _ => now_ms().saturating_sub(head.created_ms),
            };
            waited_ms > head.segment_ms(config)
        }
}

impl<E: Env> PartitionLog<E> {
    /// Rolls the active segment if it is older than `segment.ms`; returns whether it did. Appends do the same by record
    /// timestamps.
    pub fn roll_if_due(&self, now_wall_ms: i64) -> Result<bool, ChangeError> {
        let config = self.config_now();
        let mut writer = self.writer.lock();
        self.begin_change(&mut writer)?;
        let is_due = self.view.read().active_size > 0
            && now_wall_ms.saturating_sub(writer.head.created_ms) > writer.head.segment_ms(&config);
        if is_due {
            self.roll_segment(&mut writer)?;
        }
        Ok(is_due)
    }

    /// Seals the active segment, unless it is empty, and starts the next.
    pub fn roll(&self) -> Result<(), ChangeError> {
        let mut writer = self.writer.lock();
        self.begin_change(&mut writer)?;
        if self.view.read().active_size > 0 {
            self.roll_segment(&mut writer)?;
        }
        Ok(())
    }

    /// Seals the active segment, which must not be empty, and starts the next at the end of the log. The next flush
    /// makes the sealed one durable.
    pub(crate) fn roll_segment(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        let view = self.view();
        let sealed = view.segments.active();
        self.check_in_place(&view)?;
        writer.is_changed = true;
        self.prepare_head(writer)?;
        // First register the sealed segment: from here on no recovery point passes it until a sync.
        self.flusher.has_sealed(sealed.base_offset());
        self.seal_file(writer)?;
        finish_time_index(sealed, writer);
        self.write_producer_snapshot(writer, view.log_end_offset);
        let next = Segment::create(self.env.clone(), Arc::clone(&self.dir), view.log_end_offset)?;
        self.directory_has_changed();
        sealed.set_modified_ms(self.env.wall_clock_ms());
        let segments = Arc::new(view.segments.and(Arc::new(next)));
        self.publish(|view| {
            view.segments = segments;
            view.active_size = 0;
        });
        writer.head = Head::empty(&self.env);
        Ok(())
    }

    /// Reads the state that appends need of an active segment that was opened.
    pub(crate) fn prepare_head(&self, writer: &mut Writer) -> Result<(), ReadError> {
        if writer.head.is_prepared {
            return Ok(());
        }
        let view = self.view();
        let segment = view.segments.active();
        segment.load_indexes()?;
        segment.largest_timestamp(Phase::Active)?;
        let path = segment.path(FileKind::TimeIndex);
        let failed = |kind| move |source| ReadError::File(segment.error("read", kind, source));
        writer.head.last_time_entry = segment
            .time_index
            .last(&self.env, &path)
            .map_err(failed(FileKind::TimeIndex))?;
        let last_indexed = segment
            .offset_index
            .last(&self.env, &path)
            .map_err(failed(FileKind::OffsetIndex))?;
        writer.head.bytes_since_index =
            view.active_size - last_indexed.map_or(0, |batch| batch.position);
        let first = segment.step(&mut segment.walk(0, view.active_size)?)?;
        writer.head.first_timestamp_ms = first
            .map(|(_, header)| header.max_timestamp_ms)
            .filter(|timestamp_ms| *timestamp_ms >= 0);
        writer.head.is_prepared = true;
        Ok(())
    }

    /// Truncates the bytes that a failed append left after the end of the active segment.
    pub(crate) fn mend_tail(&self, writer: &mut Writer) -> Result<(), FileError> {
        if writer.head.has_dirty_tail {
            self.cut_tail(writer)?;
        }
        Ok(())
    }

    /// Truncates the file of the active segment to its end, in a way that survives a crash. If part of the segment is
    /// not durable yet, recovery will check it anyway. If all of it is durable, the recovery point may pass it and
    /// recovery would not check it, so the truncation is synced.
    fn seal_file(&self, writer: &mut Writer) -> Result<(), ChangeError> {
        if self.end_file(writer)? && self.flusher.durable_end() >= self.log_end_offset() {
            let turn = self.flusher.turn();
            self.sync(&turn)?;
        }
        Ok(())
    }

    /// Truncates the file of the active segment to its end. Returns whether the file was longer.
    pub(crate) fn end_file(&self, writer: &mut Writer) -> Result<bool, FileError> {
        let size = self.view.read().active_size;
        let is_longer = writer.head.room.is_after(size) && !mutants::is_active(Mutant::KeepRoom);
        if is_longer {
            self.cut_tail(writer)?;
        }
        Ok(is_longer)
    }

    fn cut_tail(&self, writer: &mut Writer) -> Result<(), FileError> {
        let view = self.view();
        let segment = view.segments.active();
        let file = segment.file()?;
        let cut = file.set_len(view.active_size);
        segment.note_written(&file);
        cut.map_err(|source| segment.error("cut", FileKind::Log, source))?;
        writer.head.has_dirty_tail = false;
        writer.head.room = Room::default();
        Ok(())
    }

    /// Writes a snapshot of the producers at the end of the log. Best effort: recovery can derive the state from the
    /// batches, and detects a torn snapshot by its CRC.
    fn write_producer_snapshot(&self, writer: &Writer, log_end_offset: Offset) {
        let name = segment_file(log_end_offset, FileKind::ProducerSnapshot);
        let path = self.dir.join(name);
        let bytes = producer_snapshot::encode(&writer.producers);
        let written = self
            .env
            .open_file(&path, OpenMode::Create)
            .and_then(|file| {
                file.set_len(0)?;
                file.write_all_at(&bytes, 0)
            });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a producer snapshot could not be written; the next recovery will read more");
            let _ = self.env.remove_file(&path);
        }
    }
}

/// Adds the greatest timestamp of the segment as the last entry of the time index.
pub(crate) fn finish_time_index<E: Env>(segment: &Segment<E>, writer: &mut Writer) {
    // The active segment has its greatest timestamp in memory, so this reads nothing.
    if let Ok(Some(largest)) = segment.largest_timestamp(Phase::Active)
        && segment
            .time_index
            .push_if_newer(writer.head.last_time_entry, largest)
    {
        writer.head.last_time_entry = Some(largest);
    }
}
