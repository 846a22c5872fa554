//! Committed offsets never go back, and are offsets that members have committed.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{HistoryFacts, SeenCommits};
use super::violation::Violation;
use crate::history::{Commits, GroupId, History};

pub(super) fn check(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    check_acknowledged(facts, violations);
    check_seen(history, facts, violations);
}

/// An acknowledged commit is not below one that was acknowledged before it started.
fn check_acknowledged(facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    let mut highest: BTreeMap<(GroupId, i32), Vec<(usize, i64)>> = BTreeMap::new();
    for commit in facts.commits.iter().filter(|commit| commit.is_current) {
        let Some(acknowledged) = commit.acknowledged else {
            continue;
        };
        let earlier = highest.entry((commit.group, commit.partition)).or_default();
        let before = earlier
            .iter()
            .filter(|(event, _)| *event < commit.begun)
            .map(|(_, offset)| *offset);
        if let Some(from) = before.max().filter(|from| *from > commit.offset) {
            violations.push(Violation::CommitWentBack {
                group: commit.group,
                partition: commit.partition,
                from,
                to: Some(commit.offset),
            });
        }
        earlier.push((acknowledged, commit.offset));
    }
}

/// An observed committed offset is between the acknowledged and the sent ones, and never below an earlier observation.
fn check_seen(history: &History, facts: &HistoryFacts<'_>, violations: &mut Vec<Violation>) {
    for seen in &facts.seen {
        // While the topic is deleted, its offsets may or may not exist.
        let is_deleted_meanwhile = facts
            .deleted
            .is_some_and(|deleted| seen.asked < deleted && deleted < seen.answered);
        if is_deleted_meanwhile {
            continue;
        }
        for partition in partitions(facts, seen) {
            let offset = seen.offsets.get(&partition).copied();
            let lowest = lowest_committed(facts, seen.group, partition, seen.asked);
            if let Some(from) = lowest.filter(|lowest| offset.is_none_or(|seen| seen < *lowest)) {
                violations.push(Violation::CommitWentBack {
                    group: seen.group,
                    partition,
                    from,
                    to: offset,
                });
            }
            let is_explicit = history.groups[&seen.group].commits == Commits::Explicit;
            if let Some(offset) = offset
                && is_explicit
                && !was_sent(facts, seen, partition, offset)
            {
                violations.push(Violation::NeverCommitted {
                    group: seen.group,
                    partition,
                    seen: offset,
                });
            }
        }
    }
}

/// The partitions that the group has committed, or whose committed offset was observed.
fn partitions(facts: &HistoryFacts<'_>, seen: &SeenCommits<'_>) -> BTreeSet<i32> {
    let commits = facts.commits.iter();
    let of_group = commits.filter(|commit| commit.group == seen.group);
    let committed = of_group.map(|commit| commit.partition);
    committed.chain(seen.offsets.keys().copied()).collect()
}

/// Whether a member has committed exactly this offset.
fn was_sent(facts: &HistoryFacts<'_>, seen: &SeenCommits<'_>, partition: i32, offset: i64) -> bool {
    facts.commits.iter().any(|commit| {
        (commit.group, commit.partition, commit.offset) == (seen.group, partition, offset)
            && commit.begun < seen.answered
    })
}

/// The lowest possible committed offset of the group at this event: the highest one that was acknowledged or observed
/// before it. Of a recreated topic only commits of the new one count.
pub(super) fn lowest_committed(
    facts: &HistoryFacts<'_>,
    group: GroupId,
    partition: i32,
    event: usize,
) -> Option<i64> {
    let is_before_deletion = facts.deleted.is_none_or(|deleted| event < deleted);
    let acknowledged = facts
        .commits
        .iter()
        .filter(|commit| (commit.group, commit.partition) == (group, partition))
        .filter(|commit| commit.is_current || is_before_deletion)
        .filter(|commit| commit.acknowledged.is_some_and(|at| at < event))
        .map(|commit| commit.offset);
    let seen = facts
        .seen
        .iter()
        .filter(|seen| seen.group == group && seen.answered < event && is_before_deletion)
        .filter_map(|seen| seen.offsets.get(&partition).copied());
    acknowledged.chain(seen).max()
}
