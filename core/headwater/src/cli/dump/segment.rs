//! Reads a segment file batch by batch.

use std::io::{self, BufRead, Read as _};

use bytes::Bytes;
use headwater_record::{BatchHeader, LOG_OVERHEAD, RecordBatch};

/// Larger batches are damage: Kafka's requests cannot contain them.
const BATCH_BYTES_MAX: usize = 1 << 30;

/// The content at a position of the file.
#[derive(Debug)]
pub(super) enum SegmentItem {
    /// A complete batch, valid or not.
    Batch { position: u64, batch: RecordBatch },
    /// Damage that hides the position of the next batch. Always the last item of the file.
    Damage { position: u64, reason: String },
    /// Padding or preallocated space. Always the last item of the file.
    Zeros { position: u64, bytes: u64 },
}

#[derive(Debug)]
pub(super) struct SegmentReader<R> {
    file: R,
    position: u64,
    ended: bool,
}

impl<R: BufRead> SegmentReader<R> {
    pub(super) fn new(file: R) -> Self {
        Self {
            file,
            position: 0,
            ended: false,
        }
    }

    /// The next batch, damage or zeros; `None` at the end.
    pub(super) fn next_batch(&mut self) -> io::Result<Option<SegmentItem>> {
        if self.ended {
            return Ok(None);
        }
        let position = self.position;
        let mut bytes = self.read(LOG_OVERHEAD)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.iter().all(|byte| *byte == 0) && bytes.len() == LOG_OVERHEAD {
            return self.zeros(position);
        }
        let Some(prefix) = bytes.first_chunk::<LOG_OVERHEAD>() else {
            return Ok(Some(self.damage(format!(
                "the file ends {} bytes into a batch",
                bytes.len()
            ))));
        };
        let size = match BatchHeader::size_from_prefix(prefix) {
            Ok(size) if size < BATCH_BYTES_MAX => size,
            Ok(size) => {
                return Ok(Some(
                    self.damage(format!("a batch of {size} bytes is impossible")),
                ));
            }
            Err(error) => return Ok(Some(self.damage(error.to_string()))),
        };
        bytes.extend(self.read(size - LOG_OVERHEAD)?);
        match RecordBatch::parse(Bytes::from(bytes)) {
            Ok(batch) => {
                self.position += size as u64;
                Ok(Some(SegmentItem::Batch { position, batch }))
            }
            Err(error) => Ok(Some(self.damage(error.to_string()))),
        }
    }

    fn damage(&mut self, reason: String) -> SegmentItem {
        self.ended = true;
        SegmentItem::Damage {
            position: self.position,
            reason,
        }
    }

    fn zeros(&mut self, position: u64) -> io::Result<Option<SegmentItem>> {
        self.ended = true;
        let mut bytes = LOG_OVERHEAD as u64;
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Some(SegmentItem::Zeros { position, bytes }));
            }
            let read = buffer.len();
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            bytes += zeros as u64;
            if zeros < read {
                let reason = format!("{bytes} bytes of zeros, followed by other bytes");
                return Ok(Some(SegmentItem::Damage { position, reason }));
            }
            self.file.consume(read);
        }
    }

    /// Reads `count` bytes, or the remaining ones. The memory grows with the bytes read, so a damaged length is
    /// harmless.
    fn read(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file
            .by_ref()
            .take(count as u64)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use headwater_record::{BatchBuilder, BatchOptions};

    use super::*;

    fn batch() -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.try_append(7, None, Some(b"value"), &[]).unwrap();
        builder.finish().unwrap().to_vec()
    }

    fn found(bytes: &[u8]) -> Vec<SegmentItem> {
        let mut reader = SegmentReader::new(bytes);
        std::iter::from_fn(|| reader.next_batch().unwrap()).collect()
    }

    #[test]
    fn batches_follow_each_other() {
        let bytes = [batch(), batch()].concat();
        let half = bytes.len() as u64 / 2;
        assert!(matches!(
            found(&bytes)[..],
            [SegmentItem::Batch { position: 0, .. }, SegmentItem::Batch { position, .. }] if position == half
        ));
    }

    #[test]
    fn a_file_may_end_anywhere_in_a_batch() {
        let bytes = batch();
        for end in 1..bytes.len() {
            assert!(
                matches!(
                    found(&bytes[..end])[..],
                    [SegmentItem::Damage { position: 0, .. }]
                ),
                "{end}"
            );
        }
    }

    #[test]
    fn preallocated_space_is_not_damage() {
        let mut bytes = batch();
        let end = bytes.len() as u64;
        bytes.extend([0; 100]);
        assert!(matches!(
            found(&bytes)[..],
            [SegmentItem::Batch { .. }, SegmentItem::Zeros { position, bytes: 100 }] if position == end
        ));
        bytes.push(1);
        assert!(matches!(found(&bytes)[1], SegmentItem::Damage { .. }));
    }

    #[test]
    fn an_impossible_length_is_damage() {
        let mut bytes = batch();
        bytes[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(matches!(
            found(&bytes)[..],
            [SegmentItem::Damage { position: 0, .. }]
        ));
        bytes[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
        assert!(matches!(
            found(&bytes)[..],
            [SegmentItem::Damage { position: 0, .. }]
        ));
    }
}
