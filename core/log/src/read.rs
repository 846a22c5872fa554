//! Reads batches by offset.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::Env;
use headwater_record::{BatchError, BatchHeader, Offset};

use crate::error::ReadError;
use crate::gaps::Gaps;
use crate::header_walk::HeaderWalk;
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::transaction_index::AbortedTransaction;
use crate::types::Read;
use crate::view::LogView;

/// The best `max_bytes` of a [`read`](PartitionLog::read) of a large range: more does not fit in the processor's cache.
pub const READ_BYTES_PREFERRED: usize = 1 << 20;

/// Whether a read may return more than its `max_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBatch {
    /// The first batch is returned whole even if it is larger.
    Whole,
    /// The first batch is cut at `max_bytes`.
    Limited,
}

impl<E: Env> PartitionLog<E> {
    /// Reads batches from the one that contains `from` (in a compacted log: the first that ends at or after it) up to
    /// `upper` (exclusive): at most `max_bytes`, from one segment. Batches that begin at or after `upper` are not
    /// returned. Their CRC is not checked; the decoder checks it.
    pub fn read(
        &self,
        from: Offset,
        upper: Offset,
        max_bytes: usize,
        first_batch: FirstBatch,
    ) -> Result<Read, ReadError> {
        let limits = ReadLimits {
            max_bytes,
            first_batch,
            gaps: self.state().gaps(),
        };
        self.state()
            .view()
            .read(|view| read_in(view, from, upper, limits))
    }

    /// The headers of the batches from the one that contains `from` up to `upper` (exclusive), without reading their
    /// records. Does not return batches that are appended after the call. Ends with an error if retention removes the
    /// batches meanwhile.
    pub fn batch_headers(&self, from: Offset, upper: Offset) -> Result<BatchHeaders<E>, ReadError> {
        self.state().view().read(|view| {
            check_range(view, from)?;
            let upper = upper.min(view.log_end_offset());
            let (segment, walk) = match view.find(from)? {
                Some(found) if found.header.base_offset < upper => {
                    let limit = view.limit(found.segment);
                    let segment = &view.segments().list()[found.segment];
                    (found.segment, Some(segment.walk(found.position, limit)?))
                }
                _ => (view.segments().list().len(), None),
            };
            Ok(BatchHeaders {
                view: view.clone(),
                upper,
                segment,
                walk,
            })
        })
    }

    /// The aborted transactions that overlap `from..upper`, for `read_committed` readers.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        upper: Offset,
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        self.state().view().read(|view| {
            let mut aborted = Vec::new();
            let first = view.segments().floor(from).unwrap_or(0);
            for segment in &view.segments().list()[first..] {
                if segment.collect_aborted(from, upper, &mut aborted)? {
                    break;
                }
            }
            Ok(aborted)
        })
    }
}

/// An iterator over batch headers; see [`PartitionLog::batch_headers`]. Ends after the first error.
#[derive(Debug)]
pub struct BatchHeaders<E: Env> {
    view: LogView<E>,
    upper: Offset,
    segment: usize,
    walk: Option<HeaderWalk<E::File>>,
}

impl<E: Env> BatchHeaders<E> {
    fn step(&mut self) -> Result<Option<BatchHeader>, ReadError> {
        while let Some(segment) = self.view.segments().list().get(self.segment) {
            let mut walk = match self.walk.take() {
                Some(walk) => walk,
                None => segment.walk(0, self.view.limit(self.segment))?,
            };
            if let Some((_, header)) = segment.step(&mut walk)? {
                self.walk = Some(walk);
                return Ok((header.base_offset < self.upper).then_some(header));
            }
            self.segment += 1;
        }
        Ok(None)
    }
}

impl<E: Env> Iterator for BatchHeaders<E> {
    type Item = Result<BatchHeader, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if !matches!(next, Ok(Some(_))) {
            self.segment = usize::MAX;
        }
        next.transpose()
    }
}

fn check_range<E: Env>(view: &LogView<E>, from: Offset) -> Result<(), ReadError> {
    if (view.log_start_offset()..=view.log_end_offset()).contains(&from) {
        return Ok(());
    }
    Err(ReadError::OutOfRange {
        from,
        log_start_offset: view.log_start_offset(),
        log_end_offset: view.log_end_offset(),
    })
}

/// The limits of a read.
#[derive(Debug, Clone, Copy)]
struct ReadLimits {
    max_bytes: usize,
    first_batch: FirstBatch,
    gaps: Gaps,
}

fn read_in<E: Env>(
    view: &LogView<E>,
    from: Offset,
    upper: Offset,
    limits: ReadLimits,
) -> Result<Read, ReadError> {
    let ReadLimits {
        max_bytes,
        first_batch,
        gaps,
    } = limits;
    check_range(view, from)?;
    let upper = upper.min(view.log_end_offset());
    let nothing = Read {
        bytes: Bytes::new(),
        start: from,
        log_start_offset: view.log_start_offset(),
        log_end_offset: view.log_end_offset(),
    };
    if from >= upper || (max_bytes == 0 && first_batch == FirstBatch::Limited) {
        return Ok(nothing);
    }
    let Some(found) = view.find(from)? else {
        if gaps == Gaps::Allowed {
            return Ok(nothing);
        }
        return Err(missing(
            view,
            view.segments().list().len() - 1,
            from,
            view.log_end_offset(),
        ));
    };
    if gaps == Gaps::Damage && found.header.base_offset > from {
        return Err(missing(view, found.segment, from, found.header.base_offset));
    }
    if found.header.base_offset >= upper {
        return Ok(nothing);
    }
    let least = match first_batch {
        FirstBatch::Whole => found.header.size_in_bytes(),
        FirstBatch::Limited => 0,
    };
    let wanted = max_bytes.max(least) as u64;
    let limit = view.limit(found.segment);
    let segment: &Arc<Segment<E>> = &view.segments().list()[found.segment];
    let end = limit.min(found.position.saturating_add(wanted));
    let mut bytes = segment.file().map(found.position, end)?;
    bytes.truncate(end_of(&bytes, found.header.base_offset, upper, gaps));
    Ok(Read {
        bytes,
        start: found.header.base_offset,
        ..nothing
    })
}

/// The error for a batch that is missing though its offset is within the log.
fn missing<E: Env>(
    view: &LogView<E>,
    segment: usize,
    expected: Offset,
    base_offset: Offset,
) -> ReadError {
    let source = BatchError::OffsetOutOfOrder {
        base_offset,
        expected,
    };
    view.segments().list()[segment].corrupt(0, source)
}

/// The length of a header up to and including its last offset delta.
const OFFSETS_LEN: usize = 27;

/// The end position of the batches that may be returned: before the first whose base offset is at or after `upper`, and
/// before one that does not follow its predecessor. A read that begins at the latter returns the error.
fn end_of(bytes: &Bytes, first: Offset, upper: Offset, gaps: Gaps) -> usize {
    let (mut position, mut expected) = (0, first.get());
    while let Some(header) = bytes[position..].first_chunk::<OFFSETS_LEN>() {
        let Some((prefix, delta)) = header.first_chunk().zip(header.last_chunk()) else {
            break;
        };
        let mut base_offset = [0; 8];
        base_offset.copy_from_slice(&header[..8]);
        let base_offset = i64::from_be_bytes(base_offset);
        if base_offset >= upper.get()
            || base_offset < expected
            || (gaps == Gaps::Damage && base_offset != expected)
        {
            return position;
        }
        expected = base_offset.saturating_add(i64::from(i32::from_be_bytes(*delta)) + 1);
        match BatchHeader::size_from_prefix(prefix) {
            Ok(size) if size < bytes.len() - position => position += size,
            // The batch is cut here, or damaged; the decoder reports it.
            _ => break,
        }
    }
    bytes.len()
}
