//! The header of a batch: 61 bytes before its records.

use crate::attributes::Attributes;
use crate::crc::crc32c;
use crate::error::BatchError;
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// The size of the header.
pub const HEADER_LEN: usize = 61;
/// The size of the fields up to `batch_length`, which must be read to find the size of a batch.
pub const LOG_OVERHEAD: usize = 12;
/// The only format that is written and read.
pub const MAGIC: i8 = 2;

/// The header of a batch. Parsing checks the magic byte and that the length is possible; [`validate`](crate::validate)
/// checks the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record when the batch was written (compaction may have removed it).
    pub base_offset: Offset,
    /// The number of bytes after this field: the size of the batch minus [`LOG_OVERHEAD`].
    pub batch_length: i32,
    /// The leader epoch of the append; [`LeaderEpoch::UNKNOWN`] from a producer.
    pub leader_epoch: LeaderEpoch,
    /// Always [`MAGIC`].
    pub magic: i8,
    /// CRC-32C of the bytes from the attributes to the end of the batch.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: Attributes,
    /// The offset of the last record minus the base offset.
    pub last_offset_delta: i32,
    /// The base of the records' timestamp deltas.
    pub base_timestamp_ms: i64,
    /// The greatest timestamp of the batch. With log append time, the timestamp of all its records.
    pub max_timestamp_ms: i64,
    /// The id of an idempotent producer; `None` for -1.
    pub producer_id: Option<ProducerId>,
    /// [`ProducerEpoch::NONE`] without a producer id.
    pub producer_epoch: ProducerEpoch,
    /// The producer's sequence number of the first record, -1 without a producer id.
    pub base_sequence: i32,
    /// The number of records in the batch.
    pub record_count: i32,
}

impl BatchHeader {
    /// Parses the header at the start of the bytes. More or less than the rest of the batch may follow.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        // Every format has the magic byte at the same position, so an old batch is recognised even if it is short.
        if let Some(&magic) = bytes.get(16)
            && magic as i8 != MAGIC
        {
            return Err(BatchError::UnsupportedMagic { magic: magic as i8 });
        }
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(BatchError::Truncated {
                needed: HEADER_LEN,
                available: bytes.len(),
            });
        };
        let batch_length = i32_at(header, 8);
        if batch_length < (HEADER_LEN - LOG_OVERHEAD) as i32 {
            return Err(BatchError::InvalidLength { batch_length });
        }
        let producer_id = i64_at(header, 43);
        Ok(Self {
            base_offset: Offset::new(i64_at(header, 0)),
            batch_length,
            leader_epoch: LeaderEpoch::new(i32_at(header, 12)),
            magic: MAGIC,
            crc: i32_at(header, 17).cast_unsigned(),
            attributes: Attributes::from_bits(i16_at(header, 21)),
            last_offset_delta: i32_at(header, 23),
            base_timestamp_ms: i64_at(header, 27),
            max_timestamp_ms: i64_at(header, 35),
            producer_id: (producer_id != -1).then(|| ProducerId::new(producer_id)),
            producer_epoch: ProducerEpoch::new(i16_at(header, 51)),
            base_sequence: i32_at(header, 53),
            record_count: i32_at(header, 57),
        })
    }

    /// The size of the batch that starts with these [`LOG_OVERHEAD`] bytes; an error if it is impossible.
    pub fn size_from_prefix(prefix: &[u8; LOG_OVERHEAD]) -> Result<usize, BatchError> {
        let batch_length = i32_at(prefix, 8);
        if batch_length < (HEADER_LEN - LOG_OVERHEAD) as i32 {
            // An old message set may be shorter than a header. In any case this is not a batch.
            return Err(BatchError::InvalidLength { batch_length });
        }
        Ok(batch_length as usize + LOG_OVERHEAD)
    }

    /// Writes all fields of the header.
    pub fn write(&self, out: &mut [u8; HEADER_LEN]) {
        out[..16].copy_from_slice(&self.prefix());
        out[16] = self.magic as u8;
        out[17..21].copy_from_slice(&self.crc.to_be_bytes());
        out[21..23].copy_from_slice(&self.attributes.bits().to_be_bytes());
        out[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        out[27..35].copy_from_slice(&self.base_timestamp_ms.to_be_bytes());
        out[35..43].copy_from_slice(&self.max_timestamp_ms.to_be_bytes());
        out[43..51].copy_from_slice(&self.producer_id.map_or(-1, ProducerId::get).to_be_bytes());
        out[51..53].copy_from_slice(&self.producer_epoch.get().to_be_bytes());
        out[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        out[57..61].copy_from_slice(&self.record_count.to_be_bytes());
    }

    /// The first sixteen bytes of the batch, which include all fields that the log assigns: offset and leader epoch.
    pub fn prefix(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out[0..8].copy_from_slice(&self.base_offset.get().to_be_bytes());
        out[8..12].copy_from_slice(&self.batch_length.to_be_bytes());
        out[12..16].copy_from_slice(&self.leader_epoch.get().to_be_bytes());
        out
    }

    /// The size of the whole batch.
    pub const fn size_in_bytes(&self) -> usize {
        self.batch_length as usize + LOG_OVERHEAD
    }

    /// The offset of the last record (saturating, so that hostile bytes cannot overflow).
    pub const fn last_offset(&self) -> Offset {
        Offset::new(
            self.base_offset
                .get()
                .saturating_add(self.last_offset_delta as i64),
        )
    }

    /// The offset after the last record (saturating).
    pub const fn next_offset(&self) -> Offset {
        Offset::new(self.last_offset().get().saturating_add(1))
    }

    /// The sequence number of the last record. Sequences continue at 0 after `i32::MAX`. Without a producer id the
    /// result has no meaning.
    pub const fn last_sequence(&self) -> i32 {
        let sum = self.base_sequence as i64 + self.last_offset_delta as i64;
        (sum & i32::MAX as i64) as i32
    }
}

/// The start of the part that the CRC covers: the attributes.
pub(crate) const CRC_START: usize = 21;

/// Writes the header to the start of a batch, with the CRC of the bytes after it. Returns the CRC.
pub(crate) fn seal(batch: &mut [u8], header: BatchHeader) -> u32 {
    if let Some(out) = batch.first_chunk_mut::<HEADER_LEN>() {
        header.write(out);
    }
    let crc = crc32c(&batch[CRC_START..]);
    batch[CRC_START - 4..CRC_START].copy_from_slice(&crc.to_be_bytes());
    crc
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(out)
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    let mut out = [0; 4];
    out.copy_from_slice(&bytes[at..at + 4]);
    i32::from_be_bytes(out)
}

fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_header_is_written_as_it_was_read(mut bytes in proptest::array::uniform(any::<u8>())) {
            let _: &[u8; HEADER_LEN] = &bytes;
            bytes[16] = 2;
            match BatchHeader::parse(&bytes) {
                Ok(header) => {
                    let mut written = [0; HEADER_LEN];
                    header.write(&mut written);
                    prop_assert_eq!(written, bytes);
                    prop_assert_eq!(&header.prefix()[..], &bytes[..16]);
                    prop_assert!(header.size_in_bytes() >= HEADER_LEN);
                }
                Err(error) => {
                    let is_length = matches!(error, BatchError::InvalidLength { .. });
                    prop_assert!(is_length && i32_at(&bytes, 8) < 49, "{}", error);
                }
            }
        }
    }

    #[test]
    fn sequences_continue_at_zero_after_the_last() {
        let mut bytes = [0; HEADER_LEN];
        bytes[8..12].copy_from_slice(&49i32.to_be_bytes());
        bytes[16] = 2;
        let header = BatchHeader {
            base_sequence: i32::MAX - 2,
            ..BatchHeader::parse(&bytes).unwrap()
        };
        let last = |last_offset_delta| {
            BatchHeader {
                last_offset_delta,
                ..header
            }
            .last_sequence()
        };
        assert_eq!(
            [last(0), last(2), last(3), last(5)],
            [i32::MAX - 2, i32::MAX, 0, 2]
        );
    }
}
