//! The builder: limits, reuse of memory, errors.

use headwater_record::{
    AppendError, BatchBuilder, BatchOptions, Compression, HEADER_LEN, PlainRecord, RecordBatch,
};

fn builder(capacity: usize) -> BatchBuilder {
    BatchBuilder::new(BatchOptions {
        capacity,
        ..BatchOptions::default()
    })
}

#[test]
fn an_empty_builder_gives_no_batch() {
    let mut builder = builder(1000);
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), None);
    assert_eq!(builder.plain_size(), HEADER_LEN);
    builder.try_append(0, None, Some(b"x"), &[]).unwrap();
    builder.reset();
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), None);
}

#[test]
fn a_full_batch_refuses_a_record_and_is_unchanged() {
    let mut builder = builder(200);
    builder.try_append(5, None, Some(&[1; 60]), &[]).unwrap();
    let (size, count) = (builder.plain_size(), builder.record_count());
    assert_eq!(
        builder.try_append(6, None, Some(&[2; 100]), &[]),
        Err(AppendError::Full)
    );
    assert_eq!(
        (builder.plain_size(), builder.record_count()),
        (size, count)
    );
    assert_eq!(builder.max_timestamp_ms(), Some(5));
    let batch = builder.finish().unwrap();
    assert_eq!(batch.len(), size);
    builder.try_append(6, None, Some(&[2; 100]), &[]).unwrap();
}

#[test]
fn a_record_larger_than_the_capacity_goes_alone() {
    let mut builder = builder(100);
    let large = vec![7; 5000];
    builder.try_append(0, None, Some(&large), &[]).unwrap();
    assert_eq!(
        builder.try_append(0, None, Some(b"x"), &[]),
        Err(AppendError::Full)
    );
    let batch = RecordBatch::parse(builder.finish().unwrap()).unwrap();
    batch.verify_crc().unwrap();
    assert_eq!(batch.header().record_count, 1);
    builder.try_append(0, None, Some(b"x"), &[]).unwrap();
    assert!(builder.finish().unwrap().len() < 100);
}

#[test]
fn the_capacity_is_used_to_the_last_byte() {
    let mut sizes = Vec::new();
    for capacity in 140..=160 {
        let mut builder = builder(capacity);
        while builder.try_append(0, None, Some(&[0; 13]), &[]).is_ok() {}
        sizes.push((capacity, builder.finish().unwrap().len()));
    }
    // A record with 13 bytes of data takes 20.
    assert!(
        sizes.contains(&(141, 141)) && sizes.contains(&(140, 121)),
        "{sizes:?}"
    );
}

#[test]
fn a_negative_timestamp_is_refused() {
    let mut builder = builder(1000);
    let expected = Err(AppendError::NegativeTimestamp { timestamp_ms: -2 });
    assert_eq!(builder.try_append(-2, None, None, &[]), expected);
    assert!(builder.is_empty());
    builder.try_append(-1, None, None, &[]).unwrap();
}

#[test]
fn a_bulk_error_concerns_the_first_record_of_the_call() {
    let mut builder = builder(1000);
    let record = |index: usize| PlainRecord {
        timestamp_ms: if index == 3 { -9 } else { 1 },
        key: None,
        value: Some(b"v"),
    };
    assert_eq!(
        builder.append_bulk(10, record),
        Ok(3),
        "earlier records are in"
    );
    assert_eq!(builder.record_count(), 3);
    let rest = builder.append_bulk(7, |index| record(3 + index));
    assert_eq!(
        rest,
        Err(AppendError::NegativeTimestamp { timestamp_ms: -9 })
    );
    assert_eq!(builder.append_bulk(6, |index| record(4 + index)), Ok(6));
}

#[test]
fn a_finished_batch_never_changes() {
    let mut builder = builder(4096);
    let mut batches = Vec::new();
    for round in 0..20u8 {
        while builder
            .try_append(i64::from(round), None, Some(&[round; 50]), &[])
            .is_ok()
        {}
        let batch = builder.finish().unwrap();
        // Keep every third batch, so that some buffers are returned and some are not.
        if round % 3 != 0 {
            batches.push((round, batch));
        }
    }
    for (round, batch) in batches {
        let batch = RecordBatch::parse(batch).unwrap();
        batch.verify_crc().unwrap();
        assert_eq!(batch.header().base_timestamp_ms, i64::from(round));
    }
}

#[test]
fn the_buffer_of_a_dropped_batch_is_reused() {
    let mut builder = builder(64 * 1024);
    let mut fill = || {
        while builder.try_append(0, None, Some(&[1; 100]), &[]).is_ok() {}
        builder.finish().unwrap()
    };
    let first = fill();
    let address = first.as_ptr();
    drop(first);
    let second = fill();
    let third = fill();
    assert!(second.as_ptr() == address, "the same memory");
    assert!(third.as_ptr() != address, "a lent buffer is not reused");
}

#[test]
fn a_small_batch_does_not_hold_a_large_buffer() {
    let mut builder = builder(1 << 20);
    builder.try_append(0, None, Some(b"x"), &[]).unwrap();
    let batch = builder.finish().unwrap();
    assert!(batch.try_into_mut().unwrap().capacity() < 200);
}

#[test]
fn the_estimate_learns_from_the_batches_before() {
    let options = BatchOptions {
        capacity: 16_384,
        compression: Compression::Zstd,
        ..BatchOptions::default()
    };
    let mut builder = BatchBuilder::new(options);
    let mut last = (0, 0);
    for _ in 0..10 {
        while builder.try_append(0, None, Some(&[b'a'; 100]), &[]).is_ok() {}
        last = (builder.estimated_size(), builder.finish().unwrap().len());
    }
    assert!(last.0 < 16_384 / 8, "{last:?}");
    let mut plain = BatchBuilder::new(BatchOptions {
        compression: Compression::None,
        ..options
    });
    plain
        .try_append(0, Some(b"key"), Some(b"value"), &[("h", None)])
        .unwrap();
    assert_eq!(plain.estimated_size(), plain.finish().unwrap().len());
}
