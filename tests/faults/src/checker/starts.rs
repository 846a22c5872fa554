//! The start of an assignment: the committed offset of the group, or the log start if there is none.

use super::assignments::Assignment;
use super::commits::lowest_committed;
use super::delivered::was_handed_out;
use super::facts::HistoryFacts;
use super::violation::{PartitionOffset, Violation};
use crate::history::{Commits, History};

pub(super) fn check(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    for assignment in &facts.assignments {
        // The first record may be one of the deleted topic; then the start in the new one is unknown.
        let is_after_recreation = facts.deleted.is_none()
            || facts
                .recreated
                .is_some_and(|recreated| recreated < assignment.start);
        let Some(first) = assignment.hand_outs.first().filter(|_| is_after_recreation) else {
            continue;
        };
        let place = PartitionOffset {
            partition: assignment.partition,
            offset: first.offset,
        };
        let committed = lowest_committed(
            facts,
            assignment.group,
            assignment.partition,
            assignment.start,
        );
        let is_low = committed.is_some_and(|committed| first.offset < committed);
        if is_low || !is_start(history, facts, assignment, place, first.event) {
            violations.push(Violation::WrongStart {
                member: assignment.member,
                place,
                committed,
            });
        }
    }
}

/// Whether the group may have had this committed offset, or none if the log starts there.
fn is_start(
    history: &History,
    facts: &HistoryFacts<'_>,
    assignment: &Assignment,
    place: PartitionOffset,
    before: usize,
) -> bool {
    let log = history.log.get(&place.partition);
    let log_start = log.and_then(|records| records.keys().next());
    let was_committed = facts.commits.iter().any(|commit| {
        (commit.group, commit.partition, commit.offset)
            == (assignment.group, place.partition, place.offset)
            && commit.begun < before
    });
    let last_finished = PartitionOffset {
        offset: place.offset - 1,
        ..place
    };
    log_start == Some(&place.offset)
        || was_committed
        || (history.groups[&assignment.group].commits == Commits::Automatic
            && was_handed_out(facts, assignment.group, last_finished, before))
}
