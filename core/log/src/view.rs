//! A consistent state of a log, which readers use without a lock.

use std::ops::Range;
use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{BatchHeader, Offset};

use crate::error::ReadError;
use crate::segment::{Phase, Segment};
use crate::segments::Segments;
use crate::types::SegmentInfo;

/// A consistent state of the log. All records before the log end offset are in the sealed segments and in the first
/// `active_size` bytes of the active one. Immutable for readers: a change publishes another view.
#[derive(Debug)]
pub(crate) struct LogView<E: Env> {
    segments: Arc<Segments<E>>,
    log_start_offset: Offset,
    log_end_offset: Offset,
    active_size: u64,
    /// The number of changes that removed bytes. A read is valid if it has not changed since the view was taken.
    generation: u64,
}

/// A batch in a view.
pub(crate) struct BatchLocation {
    /// The index of its segment.
    pub(crate) segment: usize,
    /// Its position in the segment.
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
}

impl<E: Env> Clone for LogView<E> {
    fn clone(&self) -> Self {
        Self {
            segments: Arc::clone(&self.segments),
            ..*self
        }
    }
}

impl<E: Env> LogView<E> {
    /// The view of all of these segments, which end at `log_end_offset`.
    pub(crate) fn of(segments: &[Arc<Segment<E>>], log_end_offset: Offset) -> Self {
        Self {
            log_start_offset: segments[0].base_offset(),
            active_size: segments[segments.len() - 1].size(),
            segments: Arc::new(Segments::new(segments.to_vec())),
            log_end_offset,
            generation: 0,
        }
    }

    pub(crate) fn segments(&self) -> &Segments<E> {
        &self.segments
    }

    pub(crate) fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    pub(crate) fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// The end position of a segment in this view.
    pub(crate) fn limit(&self, index: usize) -> u64 {
        if self.segments.is_active(index) {
            self.active_size
        } else {
            self.segments.list()[index].size()
        }
    }

    /// The offset after a segment's last.
    pub(crate) fn end_offset(&self, index: usize) -> Offset {
        self.segments.end_offset(index, self.log_end_offset)
    }

    /// Whether a segment is active or sealed in this view.
    pub(crate) fn phase(&self, index: usize) -> Phase {
        if self.segments.is_active(index) {
            Phase::Active
        } else {
            Phase::Sealed
        }
    }

    /// The size of all segments in bytes.
    pub(crate) fn size_in_bytes(&self) -> u64 {
        (0..self.segments.list().len())
            .map(|index| self.limit(index))
            .sum()
    }

    /// Describes the segments, oldest first.
    pub(crate) fn segment_infos(&self) -> Vec<SegmentInfo> {
        let info = |(index, segment): (usize, &Arc<Segment<E>>)| {
            let largest = segment
                .largest_timestamp(self.phase(index))
                .unwrap_or_else(|error| {
                    tracing::warn!(%error, "the greatest timestamp of a segment cannot be read; using the time of its file");
                    None
                });
            SegmentInfo {
                base_offset: segment.base_offset(),
                end_offset: self.end_offset(index),
                size_bytes: self.limit(index),
                max_timestamp_ms: largest.map(|largest| largest.timestamp_ms),
                modified_ms: segment.modified_ms(),
                is_active: self.segments.is_active(index),
            }
        };
        self.segments.list().iter().enumerate().map(info).collect()
    }

    /// The first batch that ends at or after `target`.
    pub(crate) fn find(&self, target: Offset) -> Result<Option<BatchLocation>, ReadError> {
        let Some(first) = self.segments.floor(target) else {
            return Ok(None);
        };
        for (index, segment) in self.segments.list().iter().enumerate().skip(first) {
            if let Some((position, header)) = segment.locate(target, self.limit(index))? {
                return Ok(Some(BatchLocation {
                    segment: index,
                    position,
                    header,
                }));
            }
        }
        Ok(None)
    }

    /// Whether a read in this view is valid now that the log has the view `now`.
    pub(crate) fn is_valid_in(&self, now: &Self) -> bool {
        self.generation == now.generation
    }

    /// Panics unless this view may follow `before`.
    pub(crate) fn assert_follows(&self, before: &Self) {
        self.assert_order();
        assert!(
            self.generation != before.generation
                || (self.log_end_offset >= before.log_end_offset
                    && self.log_start_offset >= before.log_start_offset),
            "the offsets of a log only grow, except in a truncation"
        );
    }

    /// Panics if the offsets of the log contradict each other, before they are used.
    pub(crate) fn assert_order(&self) {
        let first = self.segments.list()[0].base_offset();
        let active = self.segments.active().base_offset();
        assert!(
            first <= self.log_start_offset
                && self.log_start_offset <= self.log_end_offset
                && active <= self.log_end_offset,
            "the offsets of a log are in order: first segment {first}, start {}, active segment {active}, end {}",
            self.log_start_offset,
            self.log_end_offset
        );
    }
}

/// The changes of a log.
impl<E: Env> LogView<E> {
    /// Batches were appended to the active segment.
    pub(crate) fn append(&mut self, log_end_offset: Offset, active_size: u64) {
        self.log_end_offset = log_end_offset;
        self.active_size = active_size;
    }

    /// `next` follows the active segment, which is sealed.
    pub(crate) fn roll(&mut self, next: Arc<Segment<E>>) {
        self.segments = Arc::new(self.segments.and(next));
        self.active_size = 0;
    }

    /// The log starts at `start` or, if that is later, where it starts now.
    pub(crate) fn raise_log_start(&mut self, start: Offset) {
        self.log_start_offset = self.log_start_offset.max(start);
    }

    /// The oldest `count` segments, which end at `end_offset`, leave the log.
    pub(crate) fn remove_first(&mut self, count: usize, end_offset: Offset) {
        self.segments = Arc::new(self.segments.without_first(count));
        self.raise_log_start(end_offset);
        self.generation += 1;
    }

    /// `segment` replaces these segments.
    pub(crate) fn replace(&mut self, range: Range<usize>, segment: Arc<Segment<E>>) {
        self.segments = Arc::new(self.segments.replaced(range, segment));
        self.generation += 1;
    }

    /// These segments, which have no records, leave the log.
    pub(crate) fn remove_emptied(&mut self, range: Range<usize>) {
        self.segments = Arc::new(self.segments.without(range));
        self.generation += 1;
    }

    /// The log ends at `end`, in the last of the first `count` segments, at `position`.
    pub(crate) fn truncate(&mut self, count: usize, end: Offset, position: u64) {
        self.segments = Arc::new(self.segments.first(count));
        self.log_start_offset = self.log_start_offset.min(end);
        self.log_end_offset = end;
        self.active_size = position;
        self.generation += 1;
    }

    /// The log consists of an empty segment.
    pub(crate) fn restart(&mut self, segment: Arc<Segment<E>>) {
        self.log_start_offset = segment.base_offset();
        self.log_end_offset = segment.base_offset();
        self.segments = Arc::new(Segments::new(vec![segment]));
        self.active_size = 0;
        self.generation += 1;
    }
}
