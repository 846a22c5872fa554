//! Built batches are read back the same, with every codec, and their CRC is CRC-32C.

use headwater_record::{
    AppendError, BatchBuilder, BatchOptions, ByteSource, Compression, CompressionLevel,
    DecompressLimit, LeaderEpoch, Offset, PlainRecord, ProducerEpoch, ProducerId, ProducerState,
    RecordBatch, TimestampType, ValidationRules, validate,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Owned {
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    // Lengths around every branch of the inline copies and of the varints.
    prop_oneof![
        4 => vec(any::<u8>(), 0..140),
        1 => vec(any::<u8>(), 8_190..8_200),
        2 => (0usize..300, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn any_record() -> impl Strategy<Value = Owned> {
    let timestamp_ms = prop_oneof![
        4 => 1_700_000_000_000i64..1_700_000_100_000,
        1 => -1..=i64::MAX,
        1 => Just(-1),
        1 => Just(i64::MAX),
    ];
    let headers = vec(("\\PC{0,12}", option::of(vec(any::<u8>(), 0..40))), 0..4);
    let record = (
        timestamp_ms,
        option::of(any_bytes()),
        option::of(any_bytes()),
        headers,
    );
    record.prop_map(|(timestamp_ms, key, value, headers)| Owned {
        timestamp_ms,
        key,
        value,
        headers,
    })
}

fn any_options() -> impl Strategy<Value = BatchOptions> {
    let compression = prop::sample::select(Compression::ALL.to_vec());
    let producer = option::of((0..i64::MAX, 0..i16::MAX, 0..i32::MAX));
    let level = prop_oneof![
        Just(CompressionLevel::Default),
        (-3..30).prop_map(CompressionLevel::Exactly)
    ];
    (compression, producer, any::<bool>(), any::<bool>(), level).prop_map(
        |(compression, producer, append_time, transactional, compression_level)| BatchOptions {
            compression,
            compression_level,
            timestamp_type: if append_time {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            transactional: transactional && producer.is_some(),
            producer: producer.map(|(id, epoch, base_sequence)| ProducerState {
                id: ProducerId::new(id),
                epoch: ProducerEpoch::new(epoch),
                base_sequence,
            }),
            capacity: usize::MAX,
        },
    )
}

fn append(builder: &mut BatchBuilder, record: &Owned) -> Result<(), AppendError> {
    let headers: Vec<_> = record
        .headers
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_deref()))
        .collect();
    builder.try_append(
        record.timestamp_ms,
        record.key.as_deref(),
        record.value.as_deref(),
        &headers,
    )
}

fn read(batch: &RecordBatch) -> Vec<Owned> {
    let records = batch.records(DecompressLimit::default()).unwrap();
    let views = records.iter().enumerate().map(|(index, view)| {
        let view = view.unwrap();
        assert_eq!(view.offset, batch.header().base_offset + index as i64);
        assert_eq!(view.headers.len(), view.headers.count());
        Owned {
            timestamp_ms: view.timestamp_ms,
            key: view.key.map(<[u8]>::to_vec),
            value: view.value.map(<[u8]>::to_vec),
            headers: view
                .headers
                .map(|header| {
                    (
                        header.key_text().into_owned(),
                        header.value.map(<[u8]>::to_vec),
                    )
                })
                .collect(),
        }
    });
    views.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn records_are_read_as_they_were_appended(
        options in any_options(),
        batches in vec(vec(any_record(), 1..20), 1..4),
    ) {
        let options = BatchOptions { capacity: 1 << 24, ..options };
        let mut builder = BatchBuilder::new(options);
        for records in batches {
            for record in &records {
                append(&mut builder, record).unwrap();
            }
            let size = builder.plain_size();
            let bytes = builder.finish().unwrap();
            if options.compression == Compression::None {
                prop_assert_eq!(size, bytes.len());
            }
            let batch = RecordBatch::parse(bytes.clone()).unwrap();
            batch.verify_crc().unwrap();
            let header = *batch.header();
            prop_assert_eq!(header.crc, crc32c::crc32c(&bytes[21..]));
            prop_assert_eq!(header.base_offset, Offset::ZERO);
            prop_assert_eq!(header.leader_epoch, LeaderEpoch::UNKNOWN);
            prop_assert_eq!(header.record_count as usize, records.len());
            prop_assert_eq!(header.last_offset_delta as usize, records.len() - 1);
            prop_assert_eq!(header.producer_id, options.producer.map(|producer| producer.id));
            prop_assert_eq!(header.base_sequence, options.producer.map_or(-1, |producer| producer.base_sequence));
            prop_assert_eq!(header.attributes.compression().unwrap(), options.compression);
            prop_assert_eq!(header.attributes.is_transactional(), options.transactional);
            let max = records.iter().map(|record| record.timestamp_ms).max().unwrap();
            prop_assert_eq!(header.max_timestamp_ms, max);

            let mut expected = records;
            if options.timestamp_type == TimestampType::LogAppendTime {
                for record in &mut expected {
 record.timestamp_ms = max;
 }
            }
            prop_assert_eq!(read(&batch), expected);
        }
    }

    #[test]
    fn bulk_and_single_appends_create_the_same_bytes(records in vec(any_record(), 1..60), capacity in 100usize..20_000) {
        let options = BatchOptions { capacity, ..BatchOptions::default() };
        let (mut singly, mut bulk) = (BatchBuilder::new(options), BatchBuilder::new(options));
        let mut expected = Vec::new();
        for record in &records {
            let plain = Owned { headers: Vec::new(), ..record.clone() };
            if append(&mut singly, &plain) == Err(AppendError::Full) {
                expected.push(singly.finish().unwrap());
                append(&mut singly, &plain).unwrap();
            }
        }
        expected.extend(singly.finish());

        let mut batches = Vec::new();
        let mut done = 0;
        while done < records.len() {
            let taken = bulk.append_bulk(records.len() - done, |index| {
                let record = &records[done + index];
                PlainRecord {
                    timestamp_ms: record.timestamp_ms,
                    key: record.key.as_deref(),
                    value: record.value.as_deref(),
                }
            });
            done += taken.unwrap();
            batches.extend(bulk.finish());
        }
        prop_assert_eq!(&batches, &expected);
        for batch in batches {
            let count = RecordBatch::parse(batch.clone()).unwrap().header().record_count;
            prop_assert!(batch.len() <= capacity || count == 1);
        }
    }

    #[test]
    fn built_batches_are_valid(options in any_options(), records in vec(any_record(), 1..20)) {
        let mut builder = BatchBuilder::new(BatchOptions { capacity: 1 << 24, ..options });
        for record in &records {
            append(&mut builder, record).unwrap();
        }
        let bytes = builder.finish().unwrap();
        for source in [ByteSource::Outside, ByteSource::Builder] {
            let rules = ValidationRules { max_batch_bytes: bytes.len(), source, ..ValidationRules::default() };
            let batches = validate(bytes.clone(), &rules).unwrap();
            prop_assert_eq!(batches.record_count(), records.len() as u64);
            prop_assert_eq!(batches.size_in_bytes(), bytes.len());
            if options.timestamp_type == TimestampType::CreateTime {
                prop_assert_eq!(batches.bytes(), &bytes);
            }
        }
    }

    #[test]
    fn batches_can_be_recompressed_from_any_codec_to_any_other(
        options in any_options(),
        records in vec(any_record(), 1..20),
        codec in prop::sample::select(Compression::ALL.to_vec()),
    ) {
        let options = BatchOptions { capacity: 1 << 24, timestamp_type: TimestampType::CreateTime, ..options };
        let mut builder = BatchBuilder::new(options);
        for record in &records {
            append(&mut builder, record).unwrap();
        }
        let rules = ValidationRules { max_batch_bytes: usize::MAX, ..ValidationRules::default() };
        let batches = validate(builder.finish().unwrap(), &rules).unwrap();
        let changed = batches.recompressed(codec, CompressionLevel::Default, DecompressLimit::default()).unwrap();
        let again = validate(changed.bytes().clone(), &rules).unwrap();
        prop_assert_eq!(again.first(), changed.first());
        prop_assert_eq!(changed.first().attributes.compression().unwrap(), codec);
        prop_assert_eq!(changed.first().producer_id, options.producer.map(|producer| producer.id));
        prop_assert_eq!(read(&RecordBatch::parse(changed.into_bytes()).unwrap()), records);
    }
}
