//! `read_committed`: the decoded records, rule by rule of Kafka's consumer. `transaction_model.rs` tests arbitrary
//! logs, and `foreign_transactions.rs` logs of Apache Kafka.

use crate::support::{Row, TransactionLog, aborted, offsets, rows};
use bytes::Bytes;
use headwater_columnar::{
    DecodeError, DecodeErrorKind, DecodeOptions, Decoded, Decoder, FetchedBatches,
};
use headwater_record::{
    AbortedTransactions, BatchError, Compression, ControlType, HEADER_LEN, Offset, RecordDefect,
    visible_batches,
};

fn try_decode(
    bytes: &Bytes,
    transactions: &[(i64, i64)],
    options: DecodeOptions,
) -> Result<Decoded, DecodeError> {
    let fetched = FetchedBatches::new("t", 0, bytes.clone(), 0).without(aborted(transactions));
    Decoder::new(options)
        .unwrap()
        .decode_up_to(&[fetched], usize::MAX)
}

/// The offsets of the decoded records.
fn visible(log: &TransactionLog, transactions: &[(i64, i64)]) -> Vec<i64> {
    let decoded = try_decode(&log.bytes(), transactions, DecodeOptions::default()).unwrap();
    assert_eq!(
        (decoded.complete, decoded.next_offsets),
        (true, vec![Offset::new(log.end())]),
        "invisible records are skipped"
    );
    offsets(&decoded.batch)
}

#[test]
fn records_of_aborted_transactions_are_not_decoded() {
    let mut log = TransactionLog::default();
    log.plain(&rows(2));
    log.transactional(7, Compression::None, &rows(2));
    log.transactional(8, Compression::Zstd, &rows(1));
    log.transactional(7, Compression::Zstd, &rows(2));
    log.marker(7, ControlType::Abort);
    log.marker(8, ControlType::Commit);
    assert_eq!(visible(&log, &[(7, 2)]), [0, 1, 4]);
    assert_eq!(visible(&log, &[]), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_producer_is_visible_again_after_its_abort_marker() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(2));
    log.marker(7, ControlType::Abort);
    log.transactional(7, Compression::None, &rows(2));
    log.marker(7, ControlType::Commit);
    log.transactional(7, Compression::None, &rows(1));
    log.marker(7, ControlType::Abort);
    assert_eq!(visible(&log, &[(7, 0), (7, 6)]), [3, 4]);
    assert_eq!(
        visible(&log, &[(7, 6), (7, 0)]),
        [3, 4],
        "in any order of the list"
    );
}

#[test]
fn a_commit_marker_does_not_end_an_aborted_transaction() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(2));
    log.marker(7, ControlType::Commit);
    log.transactional(7, Compression::None, &rows(2));
    log.marker(7, ControlType::Other(5));
    log.transactional(7, Compression::None, &rows(1));
    assert_eq!(visible(&log, &[(7, 0)]), [0i64; 0]);
}

#[test]
fn the_abort_marker_of_another_producer_does_not_end_a_transaction() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(1));
    log.transactional(8, Compression::None, &rows(1));
    log.marker(8, ControlType::Abort);
    log.transactional(7, Compression::None, &rows(1));
    log.transactional(8, Compression::None, &rows(1));
    assert_eq!(visible(&log, &[(7, 0), (8, 1)]), [4]);
}

#[test]
fn a_marker_that_compaction_emptied_does_not_end_a_transaction() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(1));
    log.marker(7, ControlType::Abort);
    log.compact_last(|batch| Some(batch.header().emptied()));
    log.transactional(7, Compression::None, &rows(1));
    assert_eq!(visible(&log, &[(7, 0)]), [0i64; 0]);
}

#[test]
fn a_transaction_begins_with_the_batch_that_ends_at_or_after_its_first_offset() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(3));
    log.transactional(7, Compression::None, &rows(3));
    assert_eq!(visible(&log, &[(7, 2)]), [0i64; 0]);
    assert_eq!(visible(&log, &[(7, 3)]), [0, 1, 2]);
    assert_eq!(visible(&log, &[(7, 6)]), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn only_transactional_batches_are_aborted() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(1));
    log.idempotent(7, &rows(1));
    log.plain(&rows(1));
    assert_eq!(visible(&log, &[(7, 0)]), [1, 2]);
}

#[test]
fn decoding_from_the_middle_considers_earlier_transactions() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(2));
    log.transactional(7, Compression::None, &rows(2));
    log.marker(7, ControlType::Abort);
    log.transactional(7, Compression::None, &rows(2));
    let mut decoder = Decoder::new(DecodeOptions::default()).unwrap();
    for (from, expected) in [(1, vec![5, 6]), (3, vec![5, 6]), (6, vec![6])] {
        let fetched = FetchedBatches::new("t", 0, log.bytes(), from).without(aborted(&[(7, 0)]));
        let decoded = decoder.decode_up_to(&[fetched], usize::MAX).unwrap();
        assert_eq!(offsets(&decoded.batch), expected, "from {from}");
    }
}

#[test]
fn each_partition_has_its_own_aborted_transactions() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(1));
    log.plain(&rows(1));
    let lists = [
        AbortedTransactions::default(),
        aborted(&[(7, 0)]),
        aborted(&[(8, 0)]),
    ];
    let fetched: Vec<_> = (0..)
        .zip(lists)
        .map(|(partition, list)| FetchedBatches::new("t", partition, log.bytes(), 0).without(list))
        .collect();
    let decoded = Decoder::new(DecodeOptions::default())
        .unwrap()
        .decode_up_to(&fetched, usize::MAX)
        .unwrap();
    assert_eq!(offsets(&decoded.batch), [0, 1, 1, 0, 1]);
}

#[test]
fn a_full_table_skips_invisible_batches() {
    let mut log = TransactionLog::default();
    log.plain(&rows(2));
    log.transactional(7, Compression::Zstd, &rows(2));
    log.marker(7, ControlType::Abort);
    let decoded = Decoder::new(DecodeOptions::default())
        .unwrap()
        .decode_up_to(
            &[FetchedBatches::new("t", 0, log.bytes(), 0).without(aborted(&[(7, 2)]))],
            2,
        )
        .unwrap();
    assert_eq!(
        (decoded.complete, decoded.next_offsets),
        (true, vec![Offset::new(5)])
    );
}

#[test]
fn damage_in_an_invisible_batch_is_an_error() {
    let mut log = TransactionLog::default();
    log.plain(&rows(1));
    log.transactional(7, Compression::None, &rows(1));
    log.marker(7, ControlType::Abort);
    let bytes = log.bytes();
    for position in log.positions()[1..].iter().map(|start| start + HEADER_LEN) {
        let mut damaged = bytes.to_vec();
        damaged[position + 6] ^= 1;
        let damaged = Bytes::from(damaged);
        let before = try_decode(&damaged, &[(7, 1)], DecodeOptions::default()).unwrap();
        assert_eq!((offsets(&before.batch), before.complete), (vec![0], false));
        let error = Decoder::new(DecodeOptions::default())
            .unwrap()
            .decode_up_to(
                &[FetchedBatches::new("t", 0, damaged, before.next_offsets[0])
                    .without(aborted(&[(7, 1)]))],
                usize::MAX,
            )
            .unwrap_err();
        assert!(
            matches!(error.kind, DecodeErrorKind::Damaged { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_control_batch_without_a_control_type_is_an_error() {
    let mut log = TransactionLog::default();
    log.transactional(7, Compression::None, &rows(1));
    log.control(7, &[Row::new("abc", "")]);
    let error = try_decode(&log.bytes(), &[(7, 0)], DecodeOptions::default()).unwrap_err();
    assert!(
        matches!(
            error.kind,
            DecodeErrorKind::Damaged {
                source: BatchError::Record {
                    defect: RecordDefect::ControlKey,
                    ..
                },
                ..
            }
        ),
        "{error}"
    );
    let aborted = aborted(&[(7, 0)]);
    let bytes = log.bytes();
    let mut batches = visible_batches(&bytes, &aborted);
    assert!(batches.next().is_some_and(|batch| batch.is_err()));
    assert!(batches.next().is_none(), "an error is the end");
    assert_eq!(
        visible(&log, &[(8, 0)]),
        [0],
        "not read where it does not matter"
    );
}
