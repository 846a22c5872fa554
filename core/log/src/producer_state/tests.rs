use headwater_record::{Attributes, LeaderEpoch};

use super::*;

fn batch(producer: i64, epoch: i16, sequence: i32, records: i32, base_offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset: Offset::new(base_offset),
        batch_length: 100,
        leader_epoch: LeaderEpoch::new(0),
        magic: 2,
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: records - 1,
        base_timestamp_ms: 0,
        max_timestamp_ms: base_offset,
        producer_id: Some(ProducerId::new(producer)),
        producer_epoch: ProducerEpoch::new(epoch),
        base_sequence: sequence,
        record_count: records,
    }
}

fn append(
    states: &mut ProducerStates,
    header: BatchHeader,
) -> Result<Option<BatchTrace>, AppendError> {
    match states.check(std::iter::once((header, None)), Check::Sequences)? {
        CheckResult::InOrder(pending) => {
            states.apply(pending);
            Ok(None)
        }
        CheckResult::Duplicate(trace) => Ok(Some(trace)),
    }
}

fn marker(aborted: bool, coordinator_epoch: i32) -> ControlRecord {
    ControlRecord {
        control_type: if aborted {
            ControlType::Abort
        } else {
            ControlType::Commit
        },
        coordinator_epoch: Some(coordinator_epoch),
    }
}

/// The first unstable offset after the high watermark has advanced.
fn first_unstable(states: &mut ProducerStates, high_watermark: i64) -> Option<Offset> {
    states.advance_high_watermark(Offset::new(high_watermark));
    states.first_unstable_offset()
}

#[test]
fn repeats_of_the_last_five_batches_are_recognised() {
    let mut states = ProducerStates::default();
    for number in 0..6 {
        let header = batch(1, 0, number * 10, 10, i64::from(number) * 10);
        assert_eq!(append(&mut states, header).unwrap(), None);
    }
    for number in 1..6 {
        let again = append(&mut states, batch(1, 0, number * 10, 10, 60)).unwrap();
        assert_eq!(
            again.unwrap().base_offset(),
            Offset::new(i64::from(number) * 10)
        );
    }
    let forgotten = append(&mut states, batch(1, 0, 0, 10, 60));
    assert!(matches!(
        forgotten,
        Err(AppendError::OutOfOrderSequence {
            sequence: 0,
            expected: Some(60),
            ..
        })
    ));
}

#[test]
fn a_gap_is_refused_and_changes_nothing() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(1, 0, 0, 2, 0)).unwrap();
    assert!(append(&mut states, batch(1, 0, 3, 1, 2)).is_err());
    assert_eq!(append(&mut states, batch(1, 0, 2, 1, 2)).unwrap(), None);
}

#[test]
fn sequences_wrap_at_their_greatest_value() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(1, 0, i32::MAX - 1, 4, 0)).unwrap();
    assert_eq!(states.summaries()[0].last_sequence, Some(1));
    assert!(
        append(&mut states, batch(1, 0, i32::MAX - 1, 4, 4))
            .unwrap()
            .is_some()
    );
    assert_eq!(append(&mut states, batch(1, 0, 2, 1, 4)).unwrap(), None);
}

#[test]
fn a_new_epoch_begins_at_zero_and_fences_the_old_one() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(1, 3, 0, 5, 0)).unwrap();
    assert!(matches!(
        append(&mut states, batch(1, 4, 5, 1, 5)),
        Err(AppendError::OutOfOrderSequence { expected: None, .. })
    ));
    append(&mut states, batch(1, 4, 0, 1, 5)).unwrap();
    assert!(matches!(
        append(&mut states, batch(1, 3, 5, 1, 6)),
        Err(AppendError::ProducerFenced { .. })
    ));
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    let mut states = ProducerStates::default();
    assert_eq!(append(&mut states, batch(1, 7, 1234, 1, 0)).unwrap(), None);
    assert!(append(&mut states, batch(1, 7, 1236, 1, 1)).is_err());
}

#[test]
fn an_inactive_producer_expires_unless_its_transaction_is_open() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(1, 0, 0, 1, 100)).unwrap();
    let mut open = batch(2, 0, 0, 1, 100);
    open.attributes = open.attributes.transactional();
    append(&mut states, open).unwrap();
    assert_eq!(states.expire(149, 50), 0);
    assert_eq!(states.expire(150, 50), 1);
    assert_eq!(states.summaries()[0].producer_id, ProducerId::new(2));
}

#[test]
fn a_marker_ends_a_transaction_and_aborts_are_recorded() {
    let mut states = ProducerStates::default();
    for (producer, offset) in [(1, 0), (2, 1)] {
        let mut header = batch(producer, 0, 0, 1, offset);
        header.attributes = header.attributes.transactional();
        append(&mut states, header).unwrap();
    }
    assert_eq!(first_unstable(&mut states, 2), Some(Offset::new(0)));
    let mut end = batch(1, 0, -1, 1, 2);
    end.attributes = end.attributes.transactional().control();
    let aborted = states.replay(&end, Some(marker(true, 5)));
    assert_eq!(aborted.len(), 1);
    assert_eq!(aborted[0].first_offset, Offset::new(0));
    assert_eq!(aborted[0].last_offset, Offset::new(2));
    assert_eq!(
        aborted[0].last_stable_offset,
        Offset::new(1),
        "producer 2 is still open"
    );
    // The marker is not below the high watermark yet.
    assert_eq!(first_unstable(&mut states, 2), Some(Offset::new(0)));
    assert_eq!(first_unstable(&mut states, 3), Some(Offset::new(1)));
    end.base_offset = Offset::new(3);
    let stale = states.check(
        std::iter::once((end, Some(marker(false, 4)))),
        Check::Sequences,
    );
    assert!(matches!(
        stale,
        Err(AppendError::InvalidControlBatch { .. })
    ));
}
