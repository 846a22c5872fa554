//! The view of readers: an atomic snapshot of the segment list and the offsets.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::segment::{Phase, Segment};
use crate::segments::Segments;

/// A consistent state of the log. All records before `log_end_offset` are in the sealed segments and in the first
/// `active_size` bytes of the active one.
#[derive(Debug)]
pub(crate) struct View<E: Env> {
    pub(crate) segments: Arc<Segments<E>>,
    pub(crate) log_start_offset: Offset,
    pub(crate) log_end_offset: Offset,
    pub(crate) active_size: u64,
    /// The number of changes that removed bytes. A read is valid if it has not changed since the view was taken.
    pub(crate) generation: u64,
}

impl<E: Env> Clone for View<E> {
    fn clone(&self) -> Self {
        Self {
            segments: Arc::clone(&self.segments),
            ..*self
        }
    }
}

impl<E: Env> View<E> {
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

    /// The end position of a segment in this view.
    pub(crate) fn limit(&self, index: usize) -> u64 {
        if self.segments.is_active(index) {
            self.active_size
        } else {
            self.segments.list()[index].size()
        }
    }

    /// Whether a segment is active or sealed in this view.
    pub(crate) fn phase(&self, index: usize) -> Phase {
        if self.segments.is_active(index) {
            Phase::Active
        } else {
            Phase::Sealed
        }
    }
}
