//! Hostile bytes: no panic, no endless loop, and no read outside the input.

use bytes::Bytes;
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchHeader, BatchOptions, ByteSource, Compression,
    ControlRecord, DecompressLimit, HEADER_LEN, RawRecords, RecordBatch, RecordDefect,
    ValidationRules, batches, crc, validate,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const LIMIT: DecompressLimit = DecompressLimit::new(1 << 16);

fn sample(compression: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        compression,
        ..BatchOptions::default()
    });
    for index in 0..20i64 {
        let value = index.to_string().repeat(index as usize);
        let headers = [("a", Some(&b"1"[..])), ("a", None)];
        builder
            .try_append(
                1_000 + index,
                Some(b"key"),
                Some(value.as_bytes()),
                &headers[..index as usize % 3],
            )
            .unwrap();
    }
    builder.finish().unwrap().to_vec()
}

fn reseal(bytes: &mut [u8]) {
    if bytes.len() >= HEADER_LEN {
        let crc = crc::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
}

/// Runs all readers over these bytes.
fn read_all(bytes: Vec<u8>) {
    let bytes = Bytes::from(bytes);
    let _ = BatchHeader::parse(&bytes);
    for batch in batches(&bytes) {
        let Ok(batch) = batch else { continue };
        let header = batch.header();
        let _ = (
            header.last_offset(),
            header.next_offset(),
            header.last_sequence(),
            batch.verify_crc(),
        );
        let Ok(records) = batch.records(LIMIT) else {
            continue;
        };
        assert!(header.attributes.is_plain() || records.plain().len() <= LIMIT.get());
        let mut count = 0;
        for record in &records {
            let Ok(record) = record else { continue };
            count += 1;
            let _ = ControlRecord::parse(&record);
            assert_eq!(
                record.headers.len(),
                record.headers.count(),
                "checked headers are all there"
            );
        }
        assert!(count <= records.count() && count <= records.plain().len());
    }
    for origin in [
        AppendOrigin::Client,
        AppendOrigin::Coordinator,
        AppendOrigin::Replication,
    ] {
        for source in [ByteSource::Outside, ByteSource::Builder] {
            let rules = ValidationRules {
                origin,
                source,
                decompress_limit: LIMIT,
                ..ValidationRules::default()
            };
            if let Ok(valid) = validate(bytes.clone(), &rules) {
                let total: usize = valid.headers().map(BatchHeader::size_in_bytes).sum();
                assert_eq!(total, bytes.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        read_all(bytes);
    }

    #[test]
    fn any_bytes_after_a_plausible_head_are_read_without_a_panic(
        head in vec(any::<u8>(), HEADER_LEN),
        records in vec(any::<u8>(), 0..200),
        count in prop_oneof![-2i32..20, any::<i32>()],
    ) {
        let mut bytes = [head, records].concat();
        let length = bytes.len() as i32 - 12;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        bytes[21] = 0;
        bytes[22] &= 7;
        bytes[23..27].copy_from_slice(&count.wrapping_sub(1).to_be_bytes());
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        bytes[..8].fill(0);
        reseal(&mut bytes);
        read_all(bytes);
    }

    #[test]
    fn a_damaged_batch_with_a_right_crc_is_read_without_a_panic(
        compression in select(Compression::ALL.to_vec()),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
        is_cut: bool,
    ) {
        let mut bytes = sample(compression);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        reseal(&mut bytes);
        read_all(bytes);
    }

    #[test]
    fn several_batches_are_walked_to_the_cut(sizes in vec(1usize..300, 1..6), cut in any::<Index>()) {
        let mut run = Vec::new();
        let mut ends = vec![0];
        for size in sizes {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            builder.try_append(0, None, Some(&vec![1; size]), &[]).unwrap();
            run.extend_from_slice(&builder.finish().unwrap());
            ends.push(run.len());
        }
        let len = cut.index(run.len() + 1);
        run.truncate(len);
        let bytes = Bytes::from(run);
        let mut walk = batches(&bytes);
        let whole = walk.by_ref().map(Result::unwrap).count();
        let expected = ends.iter().filter(|end| **end <= len).count() - 1;
        prop_assert_eq!(whole, expected, "a cut batch ends the walk silently");
        prop_assert_eq!(walk.position(), ends[expected]);
    }
}

#[test]
fn garbage_between_batches_is_an_error_and_ends_the_walk() {
    let bytes = Bytes::from(
        [
            sample(Compression::None),
            vec![0; 100],
            sample(Compression::None),
        ]
        .concat(),
    );
    let walked: Vec<_> = batches(&bytes).collect();
    assert_eq!(walked.len(), 2);
    assert!(walked[0].is_ok());
    assert_eq!(walked[1], Err(BatchError::UnsupportedMagic { magic: 0 }));
}

#[test]
fn a_false_count_ends_with_an_error_and_takes_no_memory() {
    let records = [&[2, 0][..], &[0; 50]].concat();
    let mut walk = RawRecords::new(&records, i32::MAX);
    let error = walk.find_map(Result::err).unwrap();
    assert!(
        matches!(
            error,
            BatchError::Record {
                defect: RecordDefect::Varint | RecordDefect::Length,
                ..
            }
        ),
        "{error}"
    );
    assert!(walk.next().is_none(), "nothing after an error");
    let fewer: Vec<_> = RawRecords::new(&records, 0).collect();
    assert_eq!(
        fewer,
        [Err(BatchError::BytesAfterRecords {
            count: 0,
            extra: 52
        })]
    );
    let negative: Vec<_> = RawRecords::new(&records, -1).collect();
    assert_eq!(negative, [Err(BatchError::InvalidCount { count: -1 })]);
}

#[test]
fn each_defect_of_a_record_has_its_own_error() {
    let defect = |bytes: &[u8]| match RawRecords::new(bytes, 1).next() {
        Some(Err(BatchError::Record { index: 0, defect })) => defect,
        other => panic!("{other:?}"),
    };
    // length, attributes, timestamp delta, offset delta, key length, value length, header count
    assert!(RawRecords::new(&[12, 0, 0, 0, 1, 1, 0], 1).all(|record| record.is_ok()));
    assert_eq!(defect(&[]), RecordDefect::Truncated);
    assert_eq!(defect(&[14, 0, 0, 0, 1, 1, 0]), RecordDefect::Truncated);
    assert_eq!(defect(&[1]), RecordDefect::Length);
    assert_eq!(defect(&[14, 0, 0, 0, 1, 1, 0, 0]), RecordDefect::Length);
    assert_eq!(defect(&[0]), RecordDefect::Varint);
    assert_eq!(defect(&[12, 0, 0, 0, 3, 1, 0]), RecordDefect::Field);
    assert_eq!(defect(&[12, 0, 0, 0, 20, 1, 0]), RecordDefect::Field);
    assert_eq!(defect(&[12, 0, 0, 0, 1, 1, 1]), RecordDefect::Headers);
    assert_eq!(defect(&[16, 0, 0, 0, 1, 1, 2, 1, 1]), RecordDefect::Headers);
}

#[test]
fn a_batch_needs_exactly_its_bytes() {
    let bytes = sample(Compression::None);
    let longer = Bytes::from([&bytes[..], b"x"].concat());
    assert!(matches!(
        RecordBatch::parse(longer),
        Err(BatchError::TrailingBytes { .. })
    ));
    let shorter = Bytes::from(bytes[..bytes.len() - 1].to_vec());
    assert!(matches!(
        RecordBatch::parse(shorter),
        Err(BatchError::Truncated { .. })
    ));
}
