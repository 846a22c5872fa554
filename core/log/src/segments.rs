//! The segments of a log, in order.

use std::ops::Range;
use std::sync::Arc;

use headwater_env::Env;
use headwater_record::Offset;

use crate::segment::Segment;

/// The segments of a log by ascending base offset. There is at least one, and the last is the active one. Immutable: a
/// change creates a new list, so that readers keep theirs.
#[derive(Debug)]
pub(crate) struct Segments<E: Env> {
    list: Vec<Arc<Segment<E>>>,
}

impl<E: Env> Segments<E> {
    /// Creates the list from at least one segment, in order.
    pub(crate) fn new(list: Vec<Arc<Segment<E>>>) -> Self {
        assert!(!list.is_empty(), "a log has an active segment");
        assert!(
            list.is_sorted_by(|a, b| a.base_offset() < b.base_offset()),
            "segments are in the order of their offsets"
        );
        Self { list }
    }

    /// All segments, oldest first.
    pub(crate) fn list(&self) -> &[Arc<Segment<E>>] {
        &self.list
    }

    /// The active segment.
    pub(crate) fn active(&self) -> &Arc<Segment<E>> {
        self.list.last().expect("a log has an active segment")
    }

    /// The index of the segment that contains the offset, or would.
    pub(crate) fn floor(&self, offset: Offset) -> Option<usize> {
        self.list
            .partition_point(|segment| segment.base_offset() <= offset)
            .checked_sub(1)
    }

    /// The offset after the segment's last.
    pub(crate) fn end_offset(&self, index: usize, log_end_offset: Offset) -> Offset {
        self.list
            .get(index + 1)
            .map_or(log_end_offset, |next| next.base_offset())
    }

    /// Whether it is the active segment.
    pub(crate) fn is_active(&self, index: usize) -> bool {
        index + 1 == self.list.len()
    }

    /// The list with another segment at its end.
    pub(crate) fn and(&self, segment: Arc<Segment<E>>) -> Self {
        let mut list = self.list.clone();
        list.push(segment);
        Self::new(list)
    }

    /// The indexes of these segments, if the list contains all of them in sequence.
    pub(crate) fn range_of(&self, run: &[Arc<Segment<E>>]) -> Option<Range<usize>> {
        let head = run.first()?;
        let first = self
            .list
            .iter()
            .position(|segment| Arc::ptr_eq(segment, head))?;
        let range = first..first + run.len();
        let here = self.list.get(range.clone())?;
        here.iter()
            .zip(run)
            .all(|(ours, theirs)| Arc::ptr_eq(ours, theirs))
            .then_some(range)
    }

    /// The list with `segment` in place of these.
    pub(crate) fn replaced(&self, range: Range<usize>, segment: Arc<Segment<E>>) -> Self {
        let mut list = self.list.clone();
        list.splice(range, [segment]);
        Self::new(list)
    }

    /// The list without these segments.
    pub(crate) fn without(&self, range: Range<usize>) -> Self {
        let mut list = self.list.clone();
        list.drain(range);
        Self::new(list)
    }

    /// The list without the first `count` segments.
    pub(crate) fn without_first(&self, count: usize) -> Self {
        Self::new(self.list[count..].to_vec())
    }

    /// The list with only the first `count` segments.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self::new(self.list[..count].to_vec())
    }
}
