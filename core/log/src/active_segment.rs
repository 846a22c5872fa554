//! The active segment: takes the appends, and owns the padding at the end of its file. Everything else sees a length.

mod indexing;
mod padding;
mod rolling;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;

use crate::error::{FileError, ReadError};
use crate::mutants::{self, Mutant};
use crate::segment::{Phase, Segment};
use crate::time_index::TimestampOffset;
pub(crate) use padding::cut_padding_of;
use padding::{Padding, zeros};
pub(crate) use rolling::IncomingBatches;

/// The active segment and what appends need of it in memory. The append lock guards it.
///
/// Its size is the end of its last batch. The file may be longer: padding, or the bytes of a failed append, come after
/// that.
#[derive(Debug)]
pub(crate) struct ActiveSegment<E: Env> {
    segment: Arc<Segment<E>>,
    /// When this process created or opened it, wall clock.
    created_ms: i64,
    /// The greatest timestamp of its first batch; `None` without a batch.
    first_timestamp_ms: Option<i64>,
    /// The number of bytes since the last index entry.
    bytes_since_index: u64,
    /// The last entry of the time index.
    last_time_entry: Option<TimestampOffset>,
    /// The random part of `segment.jitter.ms` by which `segment.ms` is reduced, in units of 2^-16.
    jitter: u16,
    /// Whether its indexes are in memory and the fields above are valid.
    is_prepared: bool,
    /// Whether a failed append may have left bytes after its end.
    has_dirty_tail: bool,
    padding: Padding,
    /// When its path was last checked to lead to its file, on the monotonic clock.
    path_checked: Option<Duration>,
}

impl<E: Env> ActiveSegment<E> {
    /// A new, empty segment.
    pub(crate) fn created(segment: Arc<Segment<E>>) -> Self {
        let mut jitter = [0; 2];
        segment.env().fill_random(&mut jitter);
        Self {
            created_ms: segment.env().wall_clock_ms(),
            segment,
            first_timestamp_ms: None,
            bytes_since_index: 0,
            last_time_entry: None,
            jitter: u16::from_le_bytes(jitter),
            is_prepared: true,
            has_dirty_tail: false,
            padding: Padding::default(),
            path_checked: None,
        }
    }

    /// A segment that may have batches, and no padding. It is prepared before the first append.
    pub(crate) fn opened(segment: Arc<Segment<E>>) -> Self {
        Self {
            is_prepared: false,
            ..Self::created(segment)
        }
    }

    pub(crate) fn segment(&self) -> &Arc<Segment<E>> {
        &self.segment
    }

    /// The end of its last batch.
    pub(crate) fn size(&self) -> u64 {
        self.segment.size()
    }

    /// Whether it has no batch with a timestamp yet.
    pub(crate) fn is_without_timestamp(&self) -> bool {
        self.first_timestamp_ms.is_none()
    }

    /// Reads the state that appends need of a segment that was opened.
    pub(crate) fn prepare(&mut self) -> Result<(), ReadError> {
        if self.is_prepared {
            return Ok(());
        }
        let segment = &self.segment;
        segment.load_indexes()?;
        segment.largest_timestamp(Phase::Active)?;
        self.last_time_entry = segment.last_indexed_time()?;
        let last_indexed = segment.last_indexed_batch()?;
        self.bytes_since_index = segment.size() - last_indexed.map_or(0, |batch| batch.position);
        let first = segment.step(&mut segment.walk(0, segment.size())?)?;
        self.first_timestamp_ms = first
            .map(|(_, header)| header.max_timestamp_ms)
            .filter(|timestamp_ms| *timestamp_ms >= 0);
        self.is_prepared = true;
        Ok(())
    }

    /// Writes `len` bytes of whole batches after its end, and padding if the segment grows. They belong to the segment
    /// once they are [added](Self::add). After an error the segment ends at the same position as before.
    pub(crate) fn write(
        &mut self,
        file: &E::File,
        mut parts: Vec<IoSlice<'_>>,
        len: u64,
    ) -> Result<(), FileError> {
        let position = self.size();
        let end = position + len;
        let zeros_len = self.padding.zeros_after::<E>(position, end);
        // Even after an error, some of the bytes may be in the file.
        self.padding.extend_to(end + zeros_len);
        let batch_parts = parts.len();
        parts.extend(zeros(end, zeros_len));
        let segment_file = self.segment.file();
        let written = match segment_file.write(file, &parts, position) {
            // A nearly full disk may have space for the batches without padding.
            Err(_) if zeros_len > 0 => segment_file.write(file, &parts[..batch_parts], position),
            written => written,
        };
        written.map_err(|source| {
            self.has_dirty_tail = true;
            if let Err(error) = self.mend_tail() {
                tracing::warn!(%error, "bytes of a failed append remain after the end of the log; the next append overwrites them");
            }
            self.segment.file().error("write", source)
        })
    }

    /// Truncates the bytes that a failed append left after its end.
    pub(crate) fn mend_tail(&mut self) -> Result<(), FileError> {
        if self.has_dirty_tail {
            self.cut_tail()?;
        }
        Ok(())
    }

    /// Truncates the file to the length of the segment. Returns whether it was longer.
    pub(crate) fn cut_padding(&mut self) -> Result<bool, FileError> {
        let is_longer =
            self.padding.is_after(self.size()) && !mutants::is_active(Mutant::KeepPadding);
        if is_longer {
            self.cut_tail()?;
        }
        Ok(is_longer)
    }

    fn cut_tail(&mut self) -> Result<(), FileError> {
        self.segment.file().cut_tail()?;
        self.has_dirty_tail = false;
        self.padding = Padding::default();
        Ok(())
    }

    /// Whether the last check of its path is `interval` ago or more.
    pub(crate) fn is_path_check_due(&self, now: Duration, interval: Duration) -> bool {
        self.path_checked
            .is_none_or(|checked| now.saturating_sub(checked) >= interval)
    }

    /// Records that its path leads to its file.
    pub(crate) fn note_path_checked(&mut self, now: Duration) {
        self.path_checked = Some(now);
    }
}
