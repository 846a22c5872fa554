//! Visible batches with `read_committed`. `core/columnar` has the property test, and tests with logs of Apache Kafka.

use crate::support::{plain, with_header};
use bytes::Bytes;
use headwater_record::{
    AbortedTransactions, ControlType, Offset, ProducerEpoch, ProducerId, control_batch,
    visible_batches,
};

/// A batch of a log: of a producer, or one of its markers.
#[derive(Clone, Copy)]
enum Batch {
    Plain,
    Data(i64),
    Marker(i64, ControlType),
}

use Batch::{Data, Marker, Plain};

fn log(batches: &[Batch]) -> Bytes {
    let mut log = Vec::new();
    for (offset, batch) in (0..).map(Offset::new).zip(batches) {
        let bytes = match *batch {
            Plain => plain(1),
            Data(producer_id) => with_header(&plain(1), |header| {
                header.producer_id = Some(ProducerId::new(producer_id));
                header.attributes = header.attributes.transactional();
            }),
            Marker(producer_id, control_type) => {
                let id = ProducerId::new(producer_id);
                control_batch(control_type, 0, id, ProducerEpoch::new(0), 0).to_vec()
            }
        };
        log.extend(with_header(&bytes, |header| header.base_offset = offset));
    }
    log.into()
}

fn aborted(transactions: &[(i64, i64)]) -> AbortedTransactions {
    let transactions = transactions.iter().copied();
    transactions
        .map(|(producer_id, first_offset)| (producer_id.into(), first_offset.into()))
        .collect()
}

fn visible(batches: &[Batch], transactions: &[(i64, i64)]) -> Vec<i64> {
    visible_batches(&log(batches), &aborted(transactions))
        .map(|batch| batch.unwrap().header().base_offset.get())
        .collect()
}

#[test]
fn without_aborted_transactions_all_but_control_batches_are_visible() {
    let batches = [Plain, Data(1), Marker(1, ControlType::Abort), Data(1)];
    assert_eq!(visible(&batches, &[]), [0, 1, 3]);
    assert!(aborted(&[]).is_empty());
}

#[test]
fn a_transaction_is_aborted_from_its_first_offset_to_its_abort_marker() {
    let batches = [
        Data(1),
        Data(2),
        Plain,
        Data(1),
        Marker(1, ControlType::Abort),
        Data(1),
        Data(2),
    ];
    assert_eq!(visible(&batches, &[(1, 0)]), [1, 2, 5, 6]);
    assert_eq!(visible(&batches, &[(1, 3), (2, 6)]), [0, 1, 2, 5]);
    assert_eq!(visible(&batches, &[(2, 6), (1, 0)]), [1, 2, 5]);
}

#[test]
fn only_an_abort_marker_of_the_producer_ends_an_aborted_transaction() {
    let ended_by = |marker| visible(&[Data(1), marker, Data(1)], &[(1, 0)]);
    assert_eq!(ended_by(Marker(1, ControlType::Abort)), [2]);
    for other in [
        Marker(2, ControlType::Abort),
        Marker(1, ControlType::Commit),
        Marker(1, ControlType::Other(2)),
        Plain,
    ] {
        assert!(!ended_by(other).contains(&2));
    }
}

#[test]
fn a_cut_batch_is_not_visible_and_ends_the_walk() {
    let log = log(&[Data(1), Marker(1, ControlType::Abort), Data(1)]);
    let aborted = aborted(&[(1, 0)]);
    let cut = log.slice(..log.len() - 1);
    assert_eq!(visible_batches(&cut, &aborted).count(), 0);
    assert_eq!(visible_batches(&log, &aborted).count(), 1);
}
