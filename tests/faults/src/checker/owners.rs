//! A partition of a group has one owner at a time.
//!
//! A member that was silent for longer than its session may have been replaced without knowing it. So two concurrent
//! owners are a violation only if the first one was certainly a member: it sent a commit that was acknowledged less
//! than a session before the other got the partition, or later. A member that learns that it has lost its partitions
//! owned them up to an unknown time.
//!
//! The partitions of a recreated topic are others than those of the deleted one: a coordinator may assign them while
//! members still release the old ones.

use super::assignments::{Assignment, End};
use super::facts::HistoryFacts;
use super::violation::Violation;
use crate::history::History;

pub(super) fn check(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    for (index, later) in facts.assignments.iter().enumerate() {
        for earlier in &facts.assignments[..index] {
            let same = (earlier.group, earlier.partition) == (later.group, later.partition);
            let overlap = same
                && earlier.member != later.member
                && later.start < earlier.end
                && !facts.is_recreated_between(earlier.start, later.start);
            if overlap
                && earlier.how == End::Released
                && was_member(history, facts, earlier, later.start)
            {
                violations.push(Violation::TwoOwners {
                    group: later.group,
                    partition: later.partition,
                    members: [earlier.member, later.member],
                });
            }
        }
    }
}

/// Whether the owner was certainly a member of the coordinator's group at this event.
fn was_member(
    history: &History,
    facts: &HistoryFacts<'_>,
    owner: &Assignment,
    event: usize,
) -> bool {
    let session = history.groups[&owner.group].session_timeout;
    let at = history.events[event].at;
    facts.commits.iter().any(|commit| {
        commit.member == owner.member
            && commit.acknowledged.is_some()
            && commit.begun > owner.start
            && history.events[commit.begun].at + session >= at
    })
}
