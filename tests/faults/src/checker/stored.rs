//! The promises to producers: the log has every acknowledged record, once and in order, and no record that was not
//! sent.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::HistoryFacts;
use super::violation::{PartitionOffset, Violation};
use crate::history::{Event, History, Log, RecordId, UNKNOWN_OFFSET};

pub(super) fn check(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    let mut places: BTreeMap<RecordId, PartitionOffset> = BTreeMap::new();
    for (place, record) in records(&history.log) {
        if let Some(first) = places.insert(record, place)
            && !facts.may_be_doubled(record)
        {
            violations.push(Violation::Doubled {
                record,
                places: [first, place],
            });
        }
    }
    check_acknowledged(history, facts, &places, violations);
    check_sent(history, facts, &places, violations);
    check_order(history, violations);
    check_readers(history, violations);
}

fn records(log: &Log) -> impl Iterator<Item = (PartitionOffset, RecordId)> {
    log.iter().flat_map(|(partition, records)| {
        records.iter().map(move |(offset, record)| {
            let place = PartitionOffset {
                partition: *partition,
                offset: *offset,
            };
            (place, *record)
        })
    })
}

fn check_acknowledged(
    history: &History,
    facts: &HistoryFacts<'_>,
    places: &BTreeMap<RecordId, PartitionOffset>,
    violations: &mut Vec<Violation>,
) {
    for timed in &history.events {
        let Event::Acknowledged(record, partition, offset) = timed.event else {
            continue;
        };
        let place = PartitionOffset { partition, offset };
        match places.get(&record) {
            Some(_) if facts.stored(place) == Some(record) => {}
            Some(stored) if offset == UNKNOWN_OFFSET && stored.partition == partition => {}
            Some(stored) => violations.push(Violation::Misplaced {
                record,
                acknowledged: place,
                stored: *stored,
            }),
            None if facts.may_be_deleted(record) => {}
            None => violations.push(Violation::Lost { record, place }),
        }
    }
}

fn check_sent(
    history: &History,
    facts: &HistoryFacts<'_>,
    places: &BTreeMap<RecordId, PartitionOffset>,
    violations: &mut Vec<Violation>,
) {
    let refused = history.events.iter().filter_map(|timed| match timed.event {
        Event::Refused(record) => Some(record),
        _ => None,
    });
    let refused: BTreeSet<_> = refused.collect();
    for (record, place) in places {
        if refused.contains(record) || !facts.sent.contains_key(record) {
            violations.push(Violation::NeverSent {
                record: *record,
                place: *place,
            });
        }
    }
}

fn check_order(history: &History, violations: &mut Vec<Violation>) {
    for (partition, records) in &history.log {
        let mut last: BTreeMap<u32, u64> = BTreeMap::new();
        let mut found = BTreeSet::new();
        // A second copy has no position in the order; where it is not allowed, it is reported as a duplicate.
        for record in records.values().filter(|record| found.insert(**record)) {
            let before = last.insert(record.producer, record.sequence);
            if let Some(sequence) = before.filter(|before| *before > record.sequence) {
                violations.push(Violation::OutOfOrder {
                    partition: *partition,
                    first: RecordId {
                        producer: record.producer,
                        sequence,
                    },
                    then: *record,
                });
            }
        }
    }
}

fn check_readers(history: &History, violations: &mut Vec<Violation>) {
    let ours: BTreeMap<_, _> = records(&history.log).collect();
    let theirs: BTreeMap<_, _> = records(&history.foreign_log).collect();
    let places: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
    for place in places {
        let (ours, theirs) = (ours.get(&place).copied(), theirs.get(&place).copied());
        if ours != theirs {
            violations.push(Violation::ReadersDiffer {
                place,
                ours,
                theirs,
            });
        }
    }
}
