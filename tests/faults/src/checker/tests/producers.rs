//! The promises to producers.

use super::*;
use crate::history::Event::{Refused, Unknown};
use crate::history::UNKNOWN_OFFSET;

#[test]
fn a_history_of_acknowledged_records_in_order_is_good() {
    assert_eq!(check(&history(produced(3), &[id(0), id(1), id(2)])), []);
}

#[test]
fn an_acknowledged_record_that_is_missing_is_lost() {
    let lost = Violation::Lost {
        record: id(2),
        place: place(2),
    };
    assert_eq!(check(&history(produced(3), &[id(0), id(1)])), [lost]);
}

#[test]
fn a_record_with_an_unknown_result_may_be_stored_or_not() {
    let events = [Send(id(0)), Unknown(id(0))];
    assert_eq!(check(&history(events.clone(), &[])), []);
    assert_eq!(check(&history(events, &[id(0)])), []);
}

#[test]
fn an_acknowledgement_of_another_offset_is_misplaced() {
    let events = [Send(id(0)), Send(id(1)), Acknowledged(id(1), 0, 0)];
    let misplaced = Violation::Misplaced {
        record: id(1),
        acknowledged: place(0),
        stored: place(1),
    };
    assert_eq!(check(&history(events, &[id(0), id(1)])), [misplaced]);
}

#[test]
fn an_acknowledgement_without_an_offset_needs_the_record_in_its_partition() {
    let acknowledged = |partition| [Send(id(0)), Acknowledged(id(0), partition, UNKNOWN_OFFSET)];
    assert_eq!(check(&history(acknowledged(0), &[id(0)])), []);
    assert_eq!(check(&history(acknowledged(0), &[])).len(), 1);
    assert_eq!(check(&history(acknowledged(1), &[id(0)])).len(), 1);
}

#[test]
fn a_record_that_is_stored_twice_is_doubled() {
    let doubled = Violation::Doubled {
        record: id(1),
        places: [place(1), place(2)],
    };
    assert_eq!(
        check(&history(produced(2), &[id(0), id(1), id(1)])),
        [doubled]
    );
}

#[test]
fn only_a_record_after_one_that_was_given_up_may_be_stored_twice() {
    let all = events([
        vec![Send(id(0)), Acknowledged(id(0), 0, 0), Send(id(1))],
        vec![Unknown(id(1)), Send(id(2)), Acknowledged(id(2), 0, 3)],
    ]);
    let good = [id(0), id(1), id(2), id(2)];
    assert_eq!(check(&history(all.clone(), &good)), []);
    let bad = [id(0), id(1), id(1), id(2)];
    let doubled = Violation::Doubled {
        record: id(1),
        places: [place(1), place(2)],
    };
    assert_eq!(check(&history(all, &bad)), [doubled]);
}

#[test]
fn records_of_a_producer_in_another_order_are_out_of_order() {
    let events = [Send(id(0)), Send(id(1))];
    let out_of_order = Violation::OutOfOrder {
        partition: 0,
        first: id(1),
        then: id(0),
    };
    assert_eq!(check(&history(events, &[id(1), id(0)])), [out_of_order]);
}

#[test]
fn records_of_different_producers_have_no_order() {
    let other = RecordId {
        producer: 1,
        sequence: 0,
    };
    let events = [Send(id(0)), Send(id(1)), Send(other)];
    assert_eq!(check(&history(events, &[id(0), id(1), other])), []);
}

#[test]
fn a_stored_record_was_sent_and_not_refused() {
    let never_sent = |offset| Violation::NeverSent {
        record: id(offset as u64),
        place: place(offset),
    };
    assert_eq!(check(&history([], &[id(0)])), [never_sent(0)]);
    let refused = [Send(id(0)), Refused(id(0))];
    assert_eq!(check(&history(refused, &[id(0)])), [never_sent(0)]);
}

#[test]
fn readers_that_differ_are_reported() {
    let mut history = history(produced(2), &[id(0), id(1)]);
    history.foreign_log = log(&[id(0)]);
    let differ = Violation::ReadersDiffer {
        place: place(1),
        ours: Some(id(1)),
        theirs: None,
    };
    assert_eq!(check(&history), [differ]);
}
