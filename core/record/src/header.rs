//! The 61 bytes in front of a batch's records.

use crate::attributes::Attributes;
use crate::crc::crc32c;
use crate::error::BatchError;
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// The bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;
/// The bytes before and with `batch_length`: what must be read to know how long a batch is.
pub const LOG_OVERHEAD: usize = 12;
/// The format that is written; the only one that is read.
pub const MAGIC: i8 = 2;

/// The header of a batch, as its bytes say. Parsing checks the magic and that the length is possible; the rest
/// is what [`validate`](crate::validate) checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record that was written into the batch (compaction may have removed it).
    pub base_offset: Offset,
    /// The bytes after this field: the size of the batch less [`LOG_OVERHEAD`].
    pub batch_length: i32,
    /// The leadership under which the batch was appended, [`LeaderEpoch::UNKNOWN`] from a producer.
    pub leader_epoch: LeaderEpoch,
    /// Always [`MAGIC`].
    pub magic: i8,
    /// CRC-32C of the bytes from the attributes to the end of the batch.
    pub crc: u32,
    /// Codec, timestamp type and kind.
    pub attributes: Attributes,
    /// The offset of the last record less the base offset.
    pub last_offset_delta: i32,
    /// What the records' timestamp deltas are added to.
    pub base_timestamp_ms: i64,
    /// The greatest timestamp of the batch; with log append time, the timestamp of all its records.
    pub max_timestamp_ms: i64,
    /// The idempotent producer, `None` where the bytes say -1.
    pub producer_id: Option<ProducerId>,
    /// [`ProducerEpoch::NONE`] without a producer id.
    pub producer_epoch: ProducerEpoch,
    /// The producer's sequence number of the first record, -1 without a producer id.
    pub base_sequence: i32,
    /// How many records the batch has.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of the bytes, which may go on after it or end before the batch does.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        // The magic stands at the same place in every format, so an old batch is named as such even when short.
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

    /// The size of the batch whose first [`LOG_OVERHEAD`] bytes these are, or an error where they name none.
    pub fn size_from_prefix(prefix: &[u8; LOG_OVERHEAD]) -> Result<usize, BatchError> {
        let batch_length = i32_at(prefix, 8);
        if batch_length < (HEADER_LEN - LOG_OVERHEAD) as i32 {
            // An old message set may be shorter than a header; either way there is no batch here.
            return Err(BatchError::InvalidLength { batch_length });
        }
        Ok(batch_length as usize + LOG_OVERHEAD)
    }

    /// Writes the header, all fields as they are.
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

    /// The first sixteen bytes of the batch: all that changes when the log assigns offset and leader epoch.
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

    /// The producer's sequence number of the last record; sequences go from `i32::MAX` to 0. Without a producer id
    /// it means nothing.
    pub const fn last_sequence(&self) -> i32 {
        let sum = self.base_sequence as i64 + self.last_offset_delta as i64;
        (sum & i32::MAX as i64) as i32
    }
}

/// The part of a batch that its CRC covers starts here: at the attributes.
pub(crate) const CRC_START: usize = 21;

/// Writes the header over the start of a batch, with the CRC that the bytes after it give; returns it.
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
