//! The order in which batches are returned.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_columnar::FetchedBatches;
use headwater_record::{Offset, PartitionId};

use super::assignment::{Assignment, FetchedAhead};
use super::options::Ends;
use crate::batch::TopicPartition;

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("t", PartitionId::new(number))
}

fn batches(number: i32, from: i64, until: i64) -> FetchedBatches {
    FetchedBatches::new("t", number, Bytes::from(vec![0; 100]), from).until(until)
}

fn assigned(numbers: &[i32]) -> Assignment {
    let partitions: Vec<_> = numbers.iter().copied().map(partition).collect();
    let positions = partitions
        .iter()
        .map(|partition| (partition.clone(), Offset::ZERO))
        .collect();
    let mut assignment = Assignment::default();
    assignment.replace(&partitions, &positions);
    assignment
}

fn numbers(taken: &[FetchedBatches]) -> Vec<i32> {
    taken
        .iter()
        .map(|batches| batches.partition.get())
        .collect()
}

#[test]
fn partitions_take_turns() {
    let mut assignment = assigned(&[0, 1, 2]);
    let mut order = Vec::new();
    for round in 0..2_i64 {
        for number in 0..3 {
            assignment.add(batches(number, round * 10, round * 10 + 10));
        }
    }
    for _ in 0..6 {
        let taken = assignment.next_batches(10, 1 << 20, None);
        order.extend(numbers(&taken));
        let passed = taken
            .iter()
            .map(|batches| (TopicPartition::from(batches), batches.until))
            .collect();
        assignment.pass(&passed);
    }
    // All batches fetched ahead of a partition are returned before the next partition.
    assert_eq!(order, [0, 0, 1, 1, 2, 2]);
    assert!(
        assignment
            .positions()
            .values()
            .all(|position| *position == Offset::new(20))
    );
}

#[test]
fn a_partition_that_always_has_more_does_not_starve_the_others() {
    let mut assignment = assigned(&[0, 1]);
    assignment.add(batches(0, 0, 10));
    assignment.add(batches(1, 0, 10));
    let taken = assignment.next_batches(10, 1 << 20, None);
    assert_eq!(numbers(&taken), [0]);
    assignment.pass(&BTreeMap::from([(partition(0), Offset::new(10))]));
    assignment.add(batches(0, 10, 20));
    assert_eq!(numbers(&assignment.next_batches(10, 1 << 20, None)), [1]);
}

#[test]
fn batches_for_an_old_position_are_dropped() {
    let mut assignment = assigned(&[0]);
    assignment.seek(&partition(0), Offset::new(5));
    assignment.add(batches(0, 0, 10));
    assert_eq!(assignment.undecoded(None), FetchedAhead::default());
}

#[test]
fn batches_are_cut_at_the_end_and_the_rest_is_kept() {
    let mut assignment = assigned(&[0]);
    assignment.add(batches(0, 0, 10));
    let ends = Ends::from([(partition(0), Offset::new(4))]);
    let taken = assignment.next_batches(100, 1 << 20, Some(&ends));
    assert_eq!(taken[0].until, Offset::new(4));
    assignment.pass(&BTreeMap::from([(partition(0), Offset::new(4))]));
    assert!(
        assignment
            .next_batches(100, 1 << 20, Some(&ends))
            .is_empty()
    );
    assert_eq!(
        assignment.next_batches(100, 1 << 20, None)[0].from,
        Offset::new(4)
    );
}

#[test]
fn paused_partitions_keep_their_fetched_batches() {
    let mut assignment = assigned(&[0, 1]);
    assignment.add(batches(0, 0, 10));
    assignment.set_paused(&[partition(0)], true);
    assert!(assignment.next_batches(10, 1 << 20, None).is_empty());
    assert_eq!(assignment.fetchable(None).count(), 1);
    assignment.set_paused(&[partition(0)], false);
    assert_eq!(numbers(&assignment.next_batches(10, 1 << 20, None)), [0]);
}

#[test]
fn batches_fetched_ahead_can_be_dropped_without_moving_the_position() {
    let mut assignment = assigned(&[0]);
    assignment.add(batches(0, 0, 10));
    assignment.pass(&BTreeMap::from([(partition(0), Offset::new(4))]));
    assignment.validated(&partition(0), 3);
    assignment.drop_ahead(&partition(0));
    assert_eq!(assignment.fetch_offset(&partition(0)), Some(Offset::new(4)));
    assert_eq!(
        assignment.fetchable(None).next().unwrap().validated_epoch,
        None
    );
}

#[test]
fn a_partition_is_found_empty_by_two_responses_for_the_same_offset() {
    let mut assignment = assigned(&[0]);
    let mut found_empty = |at| assignment.found_empty(&partition(0), Offset::new(at));
    assert_eq!([0, 0].map(&mut found_empty), [false, true]);
    assert_eq!([5, 0].map(&mut found_empty), [false, false]);
}
