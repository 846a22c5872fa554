//! Batches from which compaction removes records.

use headwater_record::{
    BatchBuilder, BatchOptions, Compression, DecompressLimit, Offset, ProducerEpoch, ProducerId,
    ProducerState, RecordBatch, TimestampType,
};
use proptest::prelude::*;

type Plain = (i64, Option<Vec<u8>>, Option<Vec<u8>>, bool);
type Read = (
    i64,
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(Vec<u8>, Option<Vec<u8>>)>,
);

fn batch(options: BatchOptions, records: &[Plain]) -> RecordBatch {
    let mut builder = BatchBuilder::new(options);
    for (timestamp_ms, key, value, has_headers) in records {
        let headers: &[(&str, Option<&[u8]>)] = if *has_headers {
            &[("from", Some(b"EWR")), ("nothing", None)]
        } else {
            &[]
        };
        builder
            .try_append(*timestamp_ms, key.as_deref(), value.as_deref(), headers)
            .unwrap();
    }
    RecordBatch::parse(builder.finish().unwrap()).unwrap()
}

fn read(batch: &RecordBatch) -> Vec<Read> {
    batch.verify_crc().unwrap();
    let records = batch.records(DecompressLimit::default()).unwrap();
    let owned = |record: headwater_record::RecordView<'_>| {
        (
            record.offset.get(),
            record.timestamp_ms,
            record.key.map(<[u8]>::to_vec),
            record.value.map(<[u8]>::to_vec),
            record
                .headers
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        )
    };
    records
        .iter()
        .map(|record| owned(record.unwrap()))
        .collect()
}

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..40))
}

proptest! {
    #[test]
    fn kept_records_are_unchanged(
        records in prop::collection::vec(
            ((-1..5_000_000_000_000_i64, bytes(), bytes(), any::<bool>()), any::<bool>()), 1..30),
        codec in 0..5_i8,
        horizon in prop::option::of(0..i64::MAX),
        again in prop::option::of(0..i64::MAX),
        log_append_time in any::<bool>(),
    ) {
        let (records, keep): (Vec<Plain>, Vec<bool>) = records.into_iter().unzip();
        let options = BatchOptions {
            compression: Compression::from_id(codec).unwrap(),
            timestamp_type: if log_append_time { TimestampType::LogAppendTime } else { TimestampType::CreateTime },
            producer: Some(ProducerState {
                id: ProducerId::new(9), epoch: ProducerEpoch::new(2), base_sequence: 17,
            }),
            ..BatchOptions::default()
        };
        let before = batch(options, &records);
        let rewritten = before
            .records(DecompressLimit::default()).unwrap()
            .rewritten(&keep, horizon).unwrap();
        let after = RecordBatch::parse(rewritten).unwrap();
        let expected: Vec<_> = read(&before).into_iter().zip(&keep)
            .filter(|(_, keep)| **keep).map(|(record, _)| record).collect();
        prop_assert_eq!(&read(&after), &expected);
        let (old, new) = (before.header(), after.header());
        prop_assert_eq!(new.record_count as usize, expected.len());
        prop_assert_eq!((new.base_offset, new.last_offset(), new.leader_epoch), (old.base_offset, old.last_offset(), old.leader_epoch));
        prop_assert_eq!((new.producer_id, new.producer_epoch, new.base_sequence), (old.producer_id, old.producer_epoch, old.base_sequence));
        prop_assert_eq!(new.attributes.compression().unwrap(), options.compression);
        prop_assert_eq!(new.attributes.timestamp_type(), options.timestamp_type);
        prop_assert_eq!(new.delete_horizon_ms(), horizon);
        let newest = expected.iter().map(|record| record.1).max().unwrap_or(-1);
        prop_assert_eq!(new.max_timestamp_ms, if log_append_time { old.max_timestamp_ms } else { newest });
        // A horizon survives later rewrites, and can be replaced by another one.
        let twice = RecordBatch::parse(
            after.records(DecompressLimit::default()).unwrap().rewritten(&[], again).unwrap()).unwrap();
        prop_assert_eq!(&read(&twice), &expected);
        prop_assert_eq!(twice.header().delete_horizon_ms(), again.or(horizon));
    }
}

#[test]
fn an_emptied_batch_keeps_its_offsets_and_sequences() {
    let options = BatchOptions {
        compression: Compression::Lz4,
        producer: Some(ProducerState {
            id: ProducerId::new(9),
            epoch: ProducerEpoch::new(2),
            base_sequence: 17,
        }),
        ..BatchOptions::default()
    };
    let before = batch(options, &vec![(77, None, None, false); 5]);
    let empty = RecordBatch::parse(before.header().emptied()).unwrap();
    empty.verify_crc().unwrap();
    assert_eq!(read(&empty), []);
    let header = empty.header();
    assert_eq!(header.last_offset(), Offset::new(4));
    assert_eq!(header.last_sequence(), 21);
    assert_eq!(header.max_timestamp_ms, 77);
    assert!(header.attributes.is_plain());
}
