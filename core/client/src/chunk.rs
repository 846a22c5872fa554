//! Bytes that were fetched from one partition, and which of their offsets are wanted.

use bytes::Bytes;
use headwater_record::{BatchError, BatchHeader, LOG_OVERHEAD, Offset};

/// Whole batches of one partition.
///
/// Invariant: `from <= next`; every record in `from..next` that the log has is in `bytes`. Batches may reach over both ends.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) bytes: Bytes,
    pub(crate) from: Offset,
    pub(crate) next: Offset,
}

impl Chunk {
    /// The whole batches of `bytes` that were asked for from `from` on, up to `until`. `None` if there is no whole batch.
    pub(crate) fn new(
        bytes: &Bytes,
        from: Offset,
        until: Option<Offset>,
    ) -> Result<Option<Self>, BatchError> {
        let mut next = from;
        let mut end = 0;
        for header in headers(bytes) {
            let header = match header {
                Ok(header) => header,
                // What came before the damage goes first: the next fetch starts at it.
                Err(_) if next > from => break,
                Err(error) => return Err(error),
            };
            end += header.size_in_bytes();
            next = next.max(header.next_offset());
            if until.is_some_and(|until| next >= until) {
                break;
            }
        }
        let next = until.map_or(next, |until| next.min(until)).max(from);
        Ok((end > 0).then(|| Self {
            bytes: bytes.slice(..end),
            from,
            next,
        }))
    }

    /// Offsets at which the log has no record.
    pub(crate) fn without_records(from: Offset, next: Offset) -> Self {
        Self {
            bytes: Bytes::new(),
            from,
            next,
        }
    }

    /// How many records it has at most: compaction and markers leave holes.
    pub(crate) fn offsets(&self) -> u64 {
        (self.next - self.from).unsigned_abs()
    }

    /// The part before `at` and the part from there on. Both share the bytes.
    pub(crate) fn split_at(self, at: Offset) -> (Self, Self) {
        let at = at.max(self.from).min(self.next);
        (
            Self {
                next: at,
                bytes: self.bytes.clone(),
                from: self.from,
            },
            Self { from: at, ..self },
        )
    }
}

/// The headers of the whole batches in these bytes. Ends silently at a batch that the end of the bytes cuts.
pub(crate) fn headers(bytes: &[u8]) -> impl Iterator<Item = Result<BatchHeader, BatchError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let prefix = rest.first_chunk::<LOG_OVERHEAD>()?;
        let size = match BatchHeader::size_from_prefix(prefix) {
            Ok(size) => size,
            Err(error) => {
                rest = &[];
                return Some(Err(error));
            }
        };
        let (batch, after) = rest.split_at_checked(size)?;
        rest = after;
        Some(BatchHeader::parse(batch))
    })
}

#[cfg(test)]
mod tests {
    use headwater_record::{BatchBuilder, BatchOptions};

    use super::*;

    /// Batches of `sizes` records, from offset 0 on.
    fn log(sizes: &[usize]) -> Bytes {
        let mut out = Vec::new();
        let mut base = 0_i64;
        for size in sizes {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            for index in 0..*size {
                builder
                    .try_append(0, None, Some(&[index as u8]), &[])
                    .unwrap();
            }
            let batch = builder.finish().unwrap();
            out.extend_from_slice(&base.to_be_bytes());
            out.extend_from_slice(&batch[8..]);
            base += *size as i64;
        }
        out.into()
    }

    #[test]
    fn a_chunk_ends_with_the_batch_that_reaches_the_bound() {
        let bytes = log(&[3, 3, 3]);
        let whole = Chunk::new(&bytes, Offset::new(1), None).unwrap().unwrap();
        assert_eq!((whole.offsets(), whole.next), (8, Offset::new(9)));
        let bound = Chunk::new(&bytes, Offset::new(1), Some(Offset::new(5)))
            .unwrap()
            .unwrap();
        assert_eq!(
            (bound.offsets(), bound.bytes.len()),
            (4, bytes.len() / 3 * 2)
        );
    }

    #[test]
    fn a_batch_that_is_cut_is_left_for_the_next_fetch() {
        let bytes = log(&[3, 3]);
        let cut = Chunk::new(&bytes.slice(..bytes.len() - 1), Offset::ZERO, None)
            .unwrap()
            .unwrap();
        assert_eq!(cut.next, Offset::new(3));
        assert!(
            Chunk::new(&bytes.slice(..20), Offset::ZERO, None)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn the_parts_of_a_chunk_cover_it() {
        let chunk = Chunk::new(&log(&[4, 4]), Offset::ZERO, None)
            .unwrap()
            .unwrap();
        let (first, rest) = chunk.split_at(Offset::new(5));
        assert_eq!((first.offsets(), rest.offsets()), (5, 3));
    }

    #[test]
    fn what_comes_before_damage_is_a_chunk_of_its_own() {
        let mut bytes = log(&[3, 3]).to_vec();
        let second = bytes.len() / 2;
        bytes[second + 8..second + 12].copy_from_slice(&(-1_i32).to_be_bytes());
        let bytes = Bytes::from(bytes);
        let chunk = Chunk::new(&bytes, Offset::ZERO, None).unwrap().unwrap();
        assert_eq!((chunk.next, chunk.bytes.len()), (Offset::new(3), second));
        assert!(Chunk::new(&bytes.slice(second..), Offset::new(3), None).is_err());
    }

    #[test]
    fn damage_is_an_error_and_not_an_end() {
        let mut bytes = log(&[3]).to_vec();
        bytes[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
        assert!(Chunk::new(&bytes.into(), Offset::ZERO, None).is_err());
    }
}
