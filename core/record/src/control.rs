//! Transaction markers: batches with the control bit and one record.

use bytes::{Bytes, BytesMut};

use crate::attributes::Attributes;
use crate::encode;
use crate::header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, MAGIC, seal};
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};
use crate::record::RecordView;
use crate::varint;

/// The type of a control record, with Kafka's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// The transaction was aborted (0).
    Abort,
    /// The transaction was committed (1).
    Commit,
    /// Another type, of Kafka's metadata quorum or of a later version.
    Other(i16),
}

/// A transaction marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRecord {
    /// The type.
    pub control_type: ControlType,
    /// The epoch of the coordinator that wrote it; `None` without an end-of-transaction value.
    pub coordinator_epoch: Option<i32>,
}

impl ControlType {
    /// Its number.
    pub const fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::Other(id) => id,
        }
    }

    /// The type with this number.
    pub const fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            other => Self::Other(other),
        }
    }
}

impl ControlRecord {
    /// Parses the record of a control batch; `None` if its key is not that of a control record. Later versions only
    /// add fields at the end, so any version from 0 on can be read.
    ///
    /// ```text
    /// key   = version:i16 type:i16
    /// value = version:i16 coordinator_epoch:i32
    /// ```
    pub fn parse(record: &RecordView<'_>) -> Option<Self> {
        let [version @ .., high, low] = record.key?.first_chunk::<4>()?;
        if i16::from_be_bytes(*version) < 0 {
            return None;
        }
        let control_type = ControlType::from_id(i16::from_be_bytes([*high, *low]));
        let ends_transaction = !matches!(control_type, ControlType::Other(_));
        let coordinator_epoch = record.value.filter(|_| ends_transaction).and_then(|value| {
            let [_, _, epoch @ ..] = value.first_chunk::<6>()?;
            Some(i32::from_be_bytes(*epoch))
        });
        Some(Self {
            control_type,
            coordinator_epoch,
        })
    }
}

/// Builds a batch with one marker that ends the producer's transaction. Its offset is 0: the log assigns it.
pub fn control_batch(
    control_type: ControlType,
    timestamp_ms: i64,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    coordinator_epoch: i32,
) -> Bytes {
    let mut key = [0; 4];
    key[2..].copy_from_slice(&control_type.id().to_be_bytes());
    let mut value = [0; 6];
    value[2..].copy_from_slice(&coordinator_epoch.to_be_bytes());

    let body_len = encode::body_len(0, 0, Some(&key), Some(&value), 1);
    let mut batch = BytesMut::zeroed(HEADER_LEN + varint::len_i32(body_len as i32) + body_len);
    let end = encode::write_record(
        &mut batch,
        HEADER_LEN,
        body_len,
        (0, 0),
        Some(&key),
        Some(&value),
    );
    debug_assert_eq!(
        end + 1,
        batch.len(),
        "only the header count, a zero, is left"
    );
    let header = BatchHeader {
        base_offset: Offset::ZERO,
        batch_length: (batch.len() - LOG_OVERHEAD) as i32,
        leader_epoch: LeaderEpoch::UNKNOWN,
        magic: MAGIC,
        crc: 0,
        attributes: Attributes::default().transactional().control(),
        last_offset_delta: 0,
        base_timestamp_ms: timestamp_ms,
        max_timestamp_ms: timestamp_ms,
        producer_id: Some(producer_id),
        producer_epoch,
        base_sequence: -1,
        record_count: 1,
    };
    seal(&mut batch, header);
    batch.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecompressLimit, RecordBatch};

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        for control_type in [ControlType::Abort, ControlType::Commit] {
            let bytes = control_batch(
                control_type,
                17,
                ProducerId::new(4000),
                ProducerEpoch::new(3),
                9,
            );
            let batch = RecordBatch::parse(bytes).unwrap();
            batch.verify_crc().unwrap();
            let attributes = batch.header().attributes;
            assert!(attributes.is_control() && attributes.is_transactional());
            assert_eq!(batch.header().base_sequence, -1);
            let records = batch.records(DecompressLimit::default()).unwrap();
            let views: Vec<_> = records.iter().map(Result::unwrap).collect();
            assert_eq!(views.len(), 1);
            assert_eq!((views[0].timestamp_ms, views[0].offset), (17, Offset::ZERO));
            let expected = ControlRecord {
                control_type,
                coordinator_epoch: Some(9),
            };
            assert_eq!(ControlRecord::parse(&views[0]), Some(expected));
        }
    }

    #[test]
    fn other_keys_are_not_markers() {
        let headers = crate::Headers::default();
        let record = |key| RecordView {
            offset: Offset::ZERO,
            timestamp_ms: 0,
            key,
            value: None,
            headers,
        };
        assert_eq!(ControlRecord::parse(&record(None)), None);
        assert_eq!(ControlRecord::parse(&record(Some(b"\0\0\0"))), None);
        assert_eq!(ControlRecord::parse(&record(Some(b"\xff\xff\0\x01"))), None);
        let newer = ControlRecord {
            control_type: ControlType::Other(5),
            coordinator_epoch: None,
        };
        assert_eq!(
            ControlRecord::parse(&record(Some(b"\0\x01\0\x05more"))),
            Some(newer)
        );
    }
}
