//! Writes the producer id, epoch and sequence into an encoded batch.
//!
//! The CRC covers these 14 bytes of the header. As CRCs are linear, the new CRC is computed from the old one and the
//! change of the header, without reading the rest of the batch.

use bytes::{Bytes, BytesMut};
use headwater_record::crc::crc32c;
use headwater_record::{BatchError, BatchHeader, HEADER_LEN, ProducerState};

/// The start of the bytes that the CRC covers.
const CRC_START: usize = 21;

/// Stamps a batch. Returns it unchanged if it already has this stamp, and copies it if the bytes are shared.
pub(crate) fn stamp(bytes: Bytes, producer: ProducerState) -> Result<Bytes, BatchError> {
    let mut header = BatchHeader::parse(&bytes)?;
    if header.producer_id == Some(producer.id)
        && header.producer_epoch == producer.epoch
        && header.base_sequence == producer.base_sequence
    {
        return Ok(bytes);
    }
    let mut batch = bytes
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    let Some(front) = batch.first_chunk_mut::<HEADER_LEN>() else {
        return Err(BatchError::Truncated {
            needed: HEADER_LEN,
            available: batch.len(),
        });
    };
    let before = crc32c(&front[CRC_START..]);
    header.producer_id = Some(producer.id);
    header.producer_epoch = producer.epoch;
    header.base_sequence = producer.base_sequence;
    header.write(front);
    let after = crc32c(&front[CRC_START..]);
    header.crc ^= behind_zeros(before ^ after, header.size_in_bytes() - HEADER_LEN);
    header.write(front);
    Ok(batch.freeze())
}

/// The difference between two CRCs after `len` more equal bytes.
fn behind_zeros(difference: u32, len: usize) -> u32 {
    crc_fast::checksum_combine(
        crc_fast::CrcAlgorithm::Crc32Iscsi,
        u64::from(difference),
        0,
        len as u64,
    ) as u32
}

#[cfg(test)]
mod tests {
    use headwater_record::{BatchBuilder, BatchOptions, ProducerEpoch, ProducerId, RecordBatch};

    use super::*;

    #[test]
    fn a_stamped_batch_equals_a_batch_built_with_the_stamp() {
        let producer = ProducerState {
            id: ProducerId::new(77),
            epoch: ProducerEpoch::new(3),
            base_sequence: 1_000_000,
        };
        for records in [1, 2, 50, 3_000] {
            let built = |producer| {
                let mut builder = BatchBuilder::new(BatchOptions {
                    producer,
                    capacity: 1 << 20,
                    ..BatchOptions::default()
                });
                for index in 0..records {
                    builder
                        .try_append(index, Some(b"key"), Some(&[index as u8; 100]), &[])
                        .unwrap();
                }
                builder.finish().unwrap()
            };
            let stamped = stamp(built(None), producer).unwrap();
            assert_eq!(stamped, built(Some(producer)), "{records} records");
            RecordBatch::parse(stamped).unwrap().verify_crc().unwrap();
        }
    }

    #[test]
    fn a_batch_with_the_same_stamp_is_not_copied() {
        let producer = ProducerState {
            id: ProducerId::new(1),
            epoch: ProducerEpoch::new(0),
            base_sequence: 5,
        };
        let mut builder = BatchBuilder::new(BatchOptions {
            producer: Some(producer),
            ..BatchOptions::default()
        });
        builder.try_append(1, None, Some(b"value"), &[]).unwrap();
        let held = builder.finish().unwrap();
        assert_eq!(
            stamp(held.clone(), producer).unwrap().as_ptr(),
            held.as_ptr()
        );
    }

    #[test]
    fn a_shared_batch_is_not_changed() {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.try_append(1, None, Some(b"value"), &[]).unwrap();
        let held = builder.finish().unwrap();
        let copy = held.to_vec();
        let producer = ProducerState {
            id: ProducerId::new(1),
            epoch: ProducerEpoch::new(0),
            base_sequence: 0,
        };
        assert_ne!(stamp(held.clone(), producer).unwrap(), held);
        assert_eq!(held, copy);
    }
}
