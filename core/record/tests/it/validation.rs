//! Validation: refused bytes with their class, and accepted bytes.

use crate::support::{NOW_MS, built, plain, resealed, rules, with_header};
use bytes::Bytes;
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchHeader, BatchOptions, ByteSource, Compression,
    ControlType, HEADER_LEN, InvalidBatch, InvalidBatchKind, LeaderEpoch, Offset, ProducerEpoch,
    ProducerId, ProducerState, RecordDefect, RecordRefusal, RefusedRecord, ValidationRules,
    control_batch, validate,
};
use rstest::rstest;

fn refused(batch: Vec<u8>, rules: &ValidationRules) -> InvalidBatch {
    validate(Bytes::from(batch), rules).unwrap_err()
}

#[test]
fn a_flipped_bit_anywhere_after_the_length_is_refused_or_not_covered() {
    let batch = plain(3);
    for bit in 0..batch.len() * 8 {
        let mut damaged = batch.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let result = validate(Bytes::from(damaged), &rules());
        // Only the leader epoch is neither covered by the CRC nor checked: the broker replaces it.
        let is_free = (12..16).contains(&(bit / 8));
        assert_eq!(result.is_ok(), is_free, "bit {bit}");
    }
}

#[test]
fn a_cut_anywhere_is_refused() {
    let batch = plain(3);
    for len in 0..batch.len() {
        let error = refused(batch[..len].to_vec(), &rules());
        let expected = if len == 0 {
            InvalidBatchKind::InvalidRecord
        } else {
            InvalidBatchKind::Corrupt
        };
        assert_eq!(error.kind(), expected, "cut to {len}: {error}");
    }
}

/// Kafka's `DefaultRecordBatch` and `DefaultRecord` throw `InvalidRecordException` for all of these.
#[test]
fn records_that_do_not_agree_with_their_count_or_their_lengths_are_invalid_not_corrupt() {
    let count = |count: i32| {
        with_header(&plain(3), |header| {
            header.record_count = count;
            header.last_offset_delta = count - 1;
        })
    };
    let mut too_long = plain(1);
    too_long[HEADER_LEN] += 2;
    for batch in [count(2), count(4), count(i32::MAX), resealed(too_long)] {
        let error = refused(batch, &rules());
        assert_eq!(error.kind(), InvalidBatchKind::InvalidRecord, "{error}");
    }
}

#[test]
fn bytes_after_the_batch_are_refused() {
    for extra in [&b"x"[..], &[0; 70]] {
        let error = refused([plain(1), extra.to_vec()].concat(), &rules());
        assert_eq!(error, InvalidBatch::SeveralBatches);
    }
    assert_eq!(
        refused([plain(1), plain(1)].concat(), &rules()),
        InvalidBatch::SeveralBatches
    );
}

#[test]
fn a_batch_over_the_limit_is_refused_before_its_crc_is_checked() {
    let mut batch = plain(3);
    batch[17] ^= 1;
    let size = batch.len();
    let tight = ValidationRules {
        max_batch_bytes: size - 1,
        ..rules()
    };
    let error = refused(batch, &tight);
    assert_eq!(
        error,
        InvalidBatch::TooLarge {
            size,
            max: size - 1
        }
    );
    assert_eq!(error.kind(), InvalidBatchKind::TooLarge);
    let exact = ValidationRules {
        max_batch_bytes: size,
        ..rules()
    };
    assert!(validate(Bytes::from(plain(3)), &exact).is_ok());
}

#[rstest]
fn a_wrong_count_or_delta_is_refused(
    #[values(i32::MIN, -1, 0, 2, 4, i32::MAX)] wrong: i32,
    #[values(Compression::None, Compression::Zstd)] compression: Compression,
) {
    let batch = built(
        BatchOptions {
            compression,
            ..BatchOptions::default()
        },
        3,
    );
    let count = with_header(&batch, |header| header.record_count = wrong);
    assert_eq!(
        refused(count, &rules()).kind(),
        InvalidBatchKind::InvalidRecord
    );
    let delta = with_header(&batch, |header| header.last_offset_delta = wrong);
    if wrong != 2 {
        assert_eq!(
            refused(delta, &rules()).kind(),
            InvalidBatchKind::InvalidRecord
        );
    }
    // The counts agree with each other, but not with the records.
    let both = with_header(&batch, |header| {
        header.record_count = wrong;
        header.last_offset_delta = wrong.wrapping_sub(1);
    });
    assert!(validate(Bytes::from(both), &rules()).is_err());
}

#[test]
fn a_record_out_of_its_place_is_refused() {
    let batch = plain(2);
    // The second record's offset delta: its position follows from the size of the first record.
    let first_len = 1 + (batch[HEADER_LEN] / 2) as usize;
    let at = HEADER_LEN + first_len + 3;
    assert_eq!(batch[at], 2, "the varint of 1");
    for wrong in [0, 4, 1] {
        let mut batch = batch.clone();
        batch[at] = wrong;
        let error = refused(resealed(batch), &rules());
        let expected = BatchError::Record {
            index: 1,
            defect: RecordDefect::OffsetDelta,
        };
        assert_eq!(error, InvalidBatch::Unreadable(expected));
        assert_eq!(error.refused_records(), [(1, error.to_string())]);
    }
}

#[test]
fn a_producer_starts_at_offset_zero_and_writes_no_control_batch() {
    let moved = with_header(&plain(1), |header| header.base_offset = Offset::new(5));
    assert_eq!(
        refused(moved, &rules()),
        InvalidBatch::BaseOffset { base_offset: 5 }
    );
    let marker = control_batch(
        ControlType::Commit,
        NOW_MS,
        ProducerId::new(1),
        ProducerEpoch::new(0),
        0,
    );
    assert_eq!(
        refused(marker.to_vec(), &rules()),
        InvalidBatch::ControlBatch
    );
    let coordinator = ValidationRules {
        origin: AppendOrigin::Coordinator,
        require_keys: true,
        ..rules()
    };
    assert_eq!(validate(marker, &coordinator).unwrap().record_count(), 1);
}

#[test]
fn producer_fields_must_agree() {
    let producer = ProducerState {
        id: ProducerId::new(9),
        epoch: ProducerEpoch::new(0),
        base_sequence: 0,
    };
    let batch = built(
        BatchOptions {
            producer: Some(producer),
            ..BatchOptions::default()
        },
        1,
    );
    assert!(validate(Bytes::from(batch.clone()), &rules()).is_ok());
    let changes: [fn(&mut BatchHeader); 4] = [
        |header| header.base_sequence = -1,
        |header| header.producer_epoch = ProducerEpoch::NONE,
        |header| header.producer_id = Some(ProducerId::new(-2)),
        |header| {
            header.producer_id = None;
            header.attributes = header.attributes.transactional();
        },
    ];
    for change in changes {
        let error = refused(with_header(&batch, change), &rules());
        assert!(matches!(error, InvalidBatch::Producer { .. }), "{error}");
    }
}

#[test]
fn an_unknown_codec_and_a_bomb_have_their_own_class() {
    let unknown = with_header(&plain(1), |header| {
        header.attributes = headwater_record::Attributes::from_bits(7);
    });
    assert_eq!(
        refused(unknown, &rules()).kind(),
        InvalidBatchKind::UnsupportedCompression
    );

    let mut builder = BatchBuilder::new(BatchOptions {
        compression: Compression::Gzip,
        capacity: 8 << 20,
        ..BatchOptions::default()
    });
    builder
        .try_append(NOW_MS, None, Some(&vec![0; 4 << 20]), &[])
        .unwrap();
    let bomb = builder.finish().unwrap();
    assert!(bomb.len() < 8192);
    let limit = headwater_record::DecompressLimit::new(1 << 20);
    let error = refused(
        bomb.to_vec(),
        &ValidationRules {
            decompress_limit: limit,
            ..rules()
        },
    );
    assert_eq!(error.kind(), InvalidBatchKind::TooLarge);
}

#[test]
fn compacted_topics_need_keys() {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.try_append(NOW_MS, Some(b"k"), None, &[]).unwrap();
    builder.try_append(NOW_MS, None, Some(b"v"), &[]).unwrap();
    builder.try_append(NOW_MS, Some(b"k"), None, &[]).unwrap();
    builder.try_append(NOW_MS, None, None, &[]).unwrap();
    let batch = builder.finish().unwrap();
    for source in [ByteSource::Outside, ByteSource::Builder] {
        let compacted = ValidationRules {
            require_keys: true,
            source,
            ..rules()
        };
        let error = refused(batch.to_vec(), &compacted);
        let refused = |index| RefusedRecord {
            index,
            reason: RecordRefusal::MissingKey,
        };
        assert_eq!(error, InvalidBatch::Records(vec![refused(1), refused(3)]));
        assert_eq!(error.kind(), InvalidBatchKind::InvalidRecord);
        let named = [(1, refused(1).to_string()), (3, refused(3).to_string())];
        assert_eq!(error.refused_records(), named);
        assert!(validate(Bytes::from(plain(3)), &compacted).is_ok());
    }
}

#[test]
fn a_replicated_run_keeps_its_offsets_and_gaps() {
    let at = |base: i64, change: fn(&mut BatchHeader)| {
        with_header(&plain(3), |header| {
            header.base_offset = Offset::new(base);
            header.leader_epoch = LeaderEpoch::new(4);
            change(header);
        })
    };
    let replication = ValidationRules {
        origin: AppendOrigin::Replication,
        ..rules()
    };
    // A compacted batch has fewer records than offsets, or none.
    let sparse = at(20, |header| header.last_offset_delta = 9);
    let empty = with_header(&at(40, |_| {})[..HEADER_LEN], |header| {
        header.batch_length = (HEADER_LEN - 12) as i32;
        header.record_count = 0;
    });
    let run = [at(10, |_| {}), at(13, |_| {}), sparse, empty].concat();
    let valid = validate(Bytes::from(run.clone()), &replication).unwrap();
    assert_eq!((valid.batch_count(), valid.record_count()), (4, 9));
    assert_eq!(valid.bytes(), &run);
    let offsets: Vec<_> = valid
        .headers()
        .map(|header| header.base_offset.get())
        .collect();
    assert_eq!(offsets, [10, 13, 20, 40]);
    assert_eq!(valid.last().next_offset(), Offset::new(43));
    let joined: Vec<u8> = valid.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!(joined, run);

    let overlap = [at(10, |_| {}), at(12, |_| {})].concat();
    let expected = InvalidBatch::OffsetsOutOfOrder {
        base_offset: 12,
        expected: 13,
    };
    assert_eq!(refused(overlap, &replication), expected);
    assert!(matches!(
        refused(at(-1, |_| {}), &replication),
        InvalidBatch::OffsetsOutOfOrder { .. }
    ));
    assert!(matches!(
        refused(at(i64::MAX - 1, |_| {}), &replication),
        InvalidBatch::OffsetsOutOfOrder { .. }
    ));
    let too_many = at(10, |header| header.record_count = 4);
    assert!(matches!(
        refused(too_many, &replication),
        InvalidBatch::OffsetRange { .. }
    ));
    let mut damaged = at(10, |_| {});
    damaged[HEADER_LEN + 5] ^= 1;
    assert_eq!(
        refused(damaged, &replication).kind(),
        InvalidBatchKind::Corrupt
    );
}

#[test]
fn a_builders_bytes_are_not_checksummed_again() {
    let mut batch = plain(2);
    batch[17] ^= 1;
    let trusting = ValidationRules {
        source: ByteSource::Builder,
        ..rules()
    };
    assert!(validate(Bytes::from(batch.clone()), &trusting).is_ok());
    assert_eq!(refused(batch, &rules()).kind(), InvalidBatchKind::Corrupt);
}
