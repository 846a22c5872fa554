//! The promises to consumers: the stored records of their own partitions, in order, without gaps, and each at least
//! once to its group.

use std::collections::{BTreeMap, BTreeSet};

use super::assignments::{Assignment, HandOut};
use super::facts::HistoryFacts;
use super::violation::{PartitionOffset, Violation};
use crate::history::{Event, GroupId, History};

pub(super) fn check(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    let mut delivered: BTreeMap<GroupId, BTreeSet<PartitionOffset>> = BTreeMap::new();
    for (event, timed) in history.events.iter().enumerate() {
        let Event::HandedOut(member, partition, records) = &timed.event else {
            continue;
        };
        let is_owner = facts.assignments.iter().any(|assignment| {
            assignment.is_of(*member, *partition)
                && assignment.start < event
                && event < assignment.end
        });
        for (offset, record) in records {
            let place = PartitionOffset {
                partition: *partition,
                offset: *offset,
            };
            if !is_owner {
                violations.push(Violation::NotOwned {
                    member: *member,
                    place,
                });
            }
            let stored = facts.stored(place);
            if stored == Some(*record) {
                let group = facts.group_of[member];
                delivered.entry(group).or_default().insert(place);
            } else if !facts.sent.contains_key(record) || !facts.may_be_deleted(*record) {
                violations.push(Violation::OtherRecord {
                    member: *member,
                    place,
                    record: *record,
                    stored,
                });
            }
        }
    }
    for assignment in &facts.assignments {
        check_steps(assignment, history, facts, violations);
    }
    check_all_delivered(history, &delivered, violations);
}

/// The offsets of an assignment grow by one record at a time. Those of a recreated topic start again.
fn check_steps(
    assignment: &Assignment,
    history: &History,
    facts: &HistoryFacts<'_>,
    violations: &mut Vec<Violation>,
) {
    let is_current = |out: &HandOut| facts.is_stored(out.offset, assignment.partition, out.record);
    for pair in assignment.hand_outs.windows(2) {
        let [before, next] = [&pair[0], &pair[1]];
        let topics = (is_current(before), is_current(next));
        let place = PartitionOffset {
            partition: assignment.partition,
            offset: next.offset,
        };
        let (member, after) = (assignment.member, before.offset);
        if topics == (false, true) {
            continue;
        }
        if next.offset <= after || topics == (true, false) {
            violations.push(Violation::WentBack {
                member,
                place,
                after,
            });
        } else if topics == (true, true)
            && has_records_between(history, assignment.partition, after, next.offset)
        {
            violations.push(Violation::Skipped {
                member,
                place,
                after,
            });
        }
    }
}

fn has_records_between(history: &History, partition: i32, after: i64, before: i64) -> bool {
    let records = &history.log[&partition];
    records.range(after + 1..before).next().is_some()
}

fn check_all_delivered(
    history: &History,
    delivered: &BTreeMap<GroupId, BTreeSet<PartitionOffset>>,
    violations: &mut Vec<Violation>,
) {
    for group in history.groups.keys() {
        for (partition, records) in &history.log {
            for (offset, record) in records {
                let place = PartitionOffset {
                    partition: *partition,
                    offset: *offset,
                };
                if !delivered.get(group).is_some_and(|got| got.contains(&place)) {
                    violations.push(Violation::NotDelivered {
                        group: *group,
                        place,
                        record: *record,
                    });
                }
            }
        }
    }
}

/// Whether a member of the group got the record at this offset before the event.
pub(super) fn was_handed_out(
    facts: &HistoryFacts<'_>,
    group: GroupId,
    place: PartitionOffset,
    before: usize,
) -> bool {
    facts.assignments.iter().any(|assignment| {
        let mut got = assignment.hand_outs.iter();
        (assignment.group, assignment.partition) == (group, place.partition)
            && got.any(|out| out.offset == place.offset && out.event < before)
    })
}
