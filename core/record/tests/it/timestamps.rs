//! Timestamps at validation: which are refused, corrected or replaced.

use crate::support::{NOW_MS, built, header, plain, rules, with_header};
use bytes::Bytes;
use headwater_record::{
    BatchBuilder, BatchOptions, ByteSource, Compression, DecompressLimit, InvalidBatch,
    InvalidBatchKind, RecordBatch, TimestampRule, TimestampType, ValidatedBatches, ValidationRules,
    validate,
};
use rstest::rstest;

#[rstest]
#[case::all_inside(NOW_MS, 0, 2, &[])]
#[case::one_too_late(NOW_MS, 0, 1, &[2])]
#[case::one_too_early(NOW_MS + 10, 9, 0, &[0])]
#[case::two_too_early(NOW_MS + 10, 8, 0, &[0, 1])]
#[case::none_too_early(NOW_MS + 10, i64::MAX, 0, &[])]
#[case::far_away(i64::MIN, i64::MAX, 0, &[0, 1, 2])]
fn timestamps_stay_within_the_topics_bounds(
    #[case] now_ms: i64,
    #[case] before_max_ms: i64,
    #[case] after_max_ms: i64,
    #[case] expected: &[usize],
    #[values(ByteSource::Outside, ByteSource::Builder)] source: ByteSource,
) {
    let timestamps = TimestampRule::Within {
        now_ms,
        before_max_ms,
        after_max_ms,
    };
    let result = validate(
        Bytes::from(plain(3)),
        &ValidationRules {
            timestamps,
            source,
            ..rules()
        },
    );
    assert_eq!(refused(&result), expected);
    if let Err(error) = result {
        assert_eq!(error.kind(), InvalidBatchKind::InvalidTimestamp);
    }
}

/// The indexes of the refused records.
fn refused(result: &Result<ValidatedBatches, InvalidBatch>) -> Vec<usize> {
    let error = result.as_ref().err();
    let records = error.map(InvalidBatch::refused_records).unwrap_or_default();
    records.into_iter().map(|(index, _)| index).collect()
}

/// The bounds of a topic with Kafka's defaults.
const USUAL: TimestampRule = TimestampRule::Within {
    now_ms: NOW_MS,
    before_max_ms: i64::MAX,
    after_max_ms: 3_600_000,
};

#[rstest]
#[case::past_the_end(i64::MAX, &[1, 2])]
#[case::at_the_end(i64::MAX - 2, &[0, 1, 2])]
#[case::at_the_beginning(i64::MIN, &[0, 1, 2])]
#[case::negative(-5, &[])]
fn a_timestamp_that_overflows_is_refused(
    #[case] base_timestamp_ms: i64,
    #[case] at_least: &[usize],
) {
    let batch = with_header(&plain(3), |header| {
        header.base_timestamp_ms = base_timestamp_ms;
    });
    let rules = ValidationRules {
        timestamps: USUAL,
        ..rules()
    };
    let result = validate(Bytes::from(batch), &rules);
    let refused = refused(&result);
    assert!(at_least.iter().all(|index| refused.contains(index)));
    match result {
        Ok(_) => assert!(at_least.is_empty()),
        Err(error) => assert_eq!(error.kind(), InvalidBatchKind::InvalidTimestamp),
    }
}

#[rstest]
#[case::of_the_broker(TimestampRule::LogAppendTime { now_ms: NOW_MS }, NOW_MS, 3)]
#[case::of_the_producer(USUAL, NOW_MS, 0)]
#[case::of_nobody(USUAL, -1, 1)]
fn a_producer_does_not_claim_log_append_time(
    #[case] timestamps: TimestampRule,
    #[case] first_ms: i64,
    #[case] count: usize,
) {
    let mut builder = BatchBuilder::new(BatchOptions {
        timestamp_type: TimestampType::LogAppendTime,
        ..BatchOptions::default()
    });
    for timestamp_ms in [first_ms, NOW_MS, NOW_MS] {
        builder.try_append(timestamp_ms, None, None, &[]).unwrap();
    }
    let rules = ValidationRules {
        timestamps,
        ..rules()
    };
    let result = validate(builder.finish().unwrap(), &rules);
    assert_eq!(refused(&result).len(), count);
    if let Err(error) = result {
        assert_eq!(error.kind(), InvalidBatchKind::InvalidTimestamp);
    }
}

#[test]
fn a_record_without_a_timestamp_is_within_any_bounds() {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.try_append(-1, None, None, &[]).unwrap();
    let timestamps = TimestampRule::Within {
        now_ms: NOW_MS,
        before_max_ms: 1,
        after_max_ms: 1,
    };
    assert!(
        validate(
            builder.finish().unwrap(),
            &ValidationRules {
                timestamps,
                ..rules()
            }
        )
        .is_ok()
    );
}

#[rstest]
fn log_append_time_replaces_the_producers(
    #[values(Compression::None, Compression::Lz4)] compression: Compression,
    #[values(ByteSource::Outside, ByteSource::Builder)] source: ByteSource,
) {
    let batch = built(
        BatchOptions {
            compression,
            ..BatchOptions::default()
        },
        4,
    );
    let timestamps = TimestampRule::LogAppendTime { now_ms: 42 };
    let valid = validate(
        Bytes::from(batch),
        &ValidationRules {
            timestamps,
            source,
            ..rules()
        },
    )
    .unwrap();
    assert_eq!(valid.max_timestamp_ms(), 42);
    let stamped = RecordBatch::parse(valid.bytes().clone()).unwrap();
    stamped.verify_crc().unwrap();
    assert_eq!(stamped.header(), valid.first());
    assert_eq!(
        stamped.header().attributes.timestamp_type(),
        TimestampType::LogAppendTime
    );
    let records = stamped.records(DecompressLimit::default()).unwrap();
    assert!(
        records
            .iter()
            .all(|record| record.unwrap().timestamp_ms == 42)
    );
}

#[test]
fn a_wrong_maximum_timestamp_is_corrected() {
    let right = plain(3);
    let wrong = with_header(&right, |header| header.max_timestamp_ms = 7);
    let valid = validate(Bytes::from(wrong.clone()), &rules()).unwrap();
    assert_eq!(valid.bytes(), &right);
    assert_eq!(*valid.first(), header(&right));
    // In place only if the bytes are not shared.
    let shared = Bytes::from(wrong.clone());
    let valid = validate(shared.clone(), &rules()).unwrap();
    assert_eq!((&shared[..], &valid.bytes()[..]), (&wrong[..], &right[..]));
}
