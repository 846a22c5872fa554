//! Splits fetched bytes into whole batches.

use std::sync::Arc;

use bytes::Bytes;
use headwater_columnar::FetchedBatches;
use headwater_record::{AbortedTransactions, BatchError, BatchHeader, LOG_OVERHEAD, Offset};

use crate::batch::TopicPartition;

/// Encoded batches of one partition from a response, and the aborted transactions in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncodedBatches {
    pub(crate) bytes: Bytes,
    pub(crate) aborted: AbortedTransactions,
}

impl EncodedBatches {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The whole batches with offsets from `from` to `until` (exclusive). `None` if there is no whole batch.
    pub(crate) fn whole(
        self,
        partition: &TopicPartition,
        from: Offset,
        until: Option<Offset>,
    ) -> Result<Option<FetchedBatches>, BatchError> {
        let mut next = from;
        let mut end = 0;
        for header in headers(&self.bytes) {
            let header = match header {
                Ok(header) => header,
                // Return the batches before the damage; the next fetch starts at it.
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
        let bytes = self.bytes.slice(..end);
        Ok((end > 0).then(|| {
            FetchedBatches::new(
                Arc::clone(&partition.topic),
                partition.partition,
                bytes,
                from,
            )
            .until(next)
            .without(self.aborted)
        }))
    }
}

/// The headers of the whole batches in these bytes. Ends at an incomplete batch.
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

    /// Batches of `sizes` records, starting at offset 0.
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

    fn whole(
        bytes: Bytes,
        from: i64,
        until: Option<i64>,
    ) -> Result<Option<FetchedBatches>, BatchError> {
        let encoded = EncodedBatches {
            bytes,
            ..EncodedBatches::default()
        };
        let partition = TopicPartition::new("t", 0);
        encoded.whole(&partition, Offset::new(from), until.map(Offset::new))
    }

    #[test]
    fn batches_end_with_the_one_that_reaches_the_end_offset() {
        let bytes = log(&[3, 3, 3]);
        let all = whole(bytes.clone(), 1, None).unwrap().unwrap();
        assert_eq!((all.offsets(), all.until), (8, Offset::new(9)));
        let bound = whole(bytes.clone(), 1, Some(5)).unwrap().unwrap();
        assert_eq!(
            (bound.offsets(), bound.bytes.len()),
            (4, bytes.len() / 3 * 2)
        );
    }

    #[test]
    fn an_incomplete_batch_is_left_for_the_next_fetch() {
        let bytes = log(&[3, 3]);
        let cut = whole(bytes.slice(..bytes.len() - 1), 0, None);
        assert_eq!(cut.unwrap().unwrap().until, Offset::new(3));
        assert!(whole(bytes.slice(..20), 0, None).unwrap().is_none());
    }

    #[test]
    fn the_parts_of_fetched_batches_cover_them() {
        let batches = whole(log(&[4, 4]), 0, None).unwrap().unwrap();
        let (first, rest) = batches.split_at(Offset::new(5));
        assert_eq!((first.offsets(), rest.offsets()), (5, 3));
    }

    #[test]
    fn batches_before_damage_are_returned_first() {
        let mut bytes = log(&[3, 3]).to_vec();
        let second = bytes.len() / 2;
        bytes[second + 8..second + 12].copy_from_slice(&(-1_i32).to_be_bytes());
        let bytes = Bytes::from(bytes);
        let before = whole(bytes.clone(), 0, None).unwrap().unwrap();
        assert_eq!((before.until, before.bytes.len()), (Offset::new(3), second));
        assert!(whole(bytes.slice(second..), 3, None).is_err());
    }

    #[test]
    fn damage_is_an_error_and_not_an_end() {
        let mut bytes = log(&[3]).to_vec();
        bytes[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
        assert!(whole(bytes.into(), 0, None).is_err());
    }
}
