//! A segment file, batch by batch.

use std::io::{self, BufRead, Read as _};

use bytes::Bytes;
use headwater_record::{BatchHeader, LOG_OVERHEAD, RecordBatch};

/// Batches of this size and more are damage: Kafka's requests cannot carry them.
const BATCH_BYTES_MAX: usize = 1 << 30;

/// What stands at a position of the file.
#[derive(Debug)]
pub(super) enum Found {
    /// A batch with all its bytes, right or wrong.
    Batch { position: u64, batch: RecordBatch },
    /// No batch, and nothing to find the next one by. The last of the file.
    Damage { position: u64, reason: String },
    /// Space that was taken before there was something to write. The last of the file.
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

    /// The next batch, or what stands there instead; `None` at the end.
    pub(super) fn next_batch(&mut self) -> io::Result<Option<Found>> {
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
                    self.damage(format!("a batch of {size} bytes cannot be")),
                ));
            }
            Err(error) => return Ok(Some(self.damage(error.to_string()))),
        };
        bytes.extend(self.read(size - LOG_OVERHEAD)?);
        match RecordBatch::parse(Bytes::from(bytes)) {
            Ok(batch) => {
                self.position += size as u64;
                Ok(Some(Found::Batch { position, batch }))
            }
            Err(error) => Ok(Some(self.damage(error.to_string()))),
        }
    }

    fn damage(&mut self, reason: String) -> Found {
        self.ended = true;
        Found::Damage {
            position: self.position,
            reason,
        }
    }

    fn zeros(&mut self, position: u64) -> io::Result<Option<Found>> {
        self.ended = true;
        let mut bytes = LOG_OVERHEAD as u64;
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Some(Found::Zeros { position, bytes }));
            }
            let read = buffer.len();
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            bytes += zeros as u64;
            if zeros < read {
                let reason = format!("{bytes} bytes of zeros, and something behind them");
                return Ok(Some(Found::Damage { position, reason }));
            }
            self.file.consume(read);
        }
    }

    /// So many bytes, or those that are left. Memory is taken for what is there, not for what a damaged length asks for.
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

    fn found(bytes: &[u8]) -> Vec<Found> {
        let mut reader = SegmentReader::new(bytes);
        std::iter::from_fn(|| reader.next_batch().unwrap()).collect()
    }

    #[test]
    fn batches_follow_each_other() {
        let bytes = [batch(), batch()].concat();
        let half = bytes.len() as u64 / 2;
        assert!(matches!(
            found(&bytes)[..],
            [Found::Batch { position: 0, .. }, Found::Batch { position, .. }] if position == half
        ));
    }

    #[test]
    fn a_file_may_end_anywhere_in_a_batch() {
        let bytes = batch();
        for end in 1..bytes.len() {
            assert!(
                matches!(
                    found(&bytes[..end])[..],
                    [Found::Damage { position: 0, .. }]
                ),
                "{end}"
            );
        }
    }

    #[test]
    fn space_that_was_taken_in_advance_is_no_damage() {
        let mut bytes = batch();
        let end = bytes.len() as u64;
        bytes.extend([0; 100]);
        assert!(matches!(
            found(&bytes)[..],
            [Found::Batch { .. }, Found::Zeros { position, bytes: 100 }] if position == end
        ));
        bytes.push(1);
        assert!(matches!(found(&bytes)[1], Found::Damage { .. }));
    }

    #[test]
    fn a_length_that_lies_is_damage() {
        let mut bytes = batch();
        bytes[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(matches!(
            found(&bytes)[..],
            [Found::Damage { position: 0, .. }]
        ));
        bytes[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
        assert!(matches!(
            found(&bytes)[..],
            [Found::Damage { position: 0, .. }]
        ));
    }
}
