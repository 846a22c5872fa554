//! Facts about a history that several rules need.

use std::collections::BTreeMap;

use super::assignments::{Assignment, assignments};
use super::violation::PartitionOffset;
use crate::history::{Event, GroupId, History, MemberId, Offsets, RecordId};

/// A commit of one partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit {
    pub(super) group: GroupId,
    pub(super) member: MemberId,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// The event that started it.
    pub(super) begun: usize,
    /// The event that acknowledged it.
    pub(super) acknowledged: Option<usize>,
    /// Whether it certainly concerns the topic that exists at the end.
    pub(super) is_current: bool,
}

/// An observation of the committed offsets of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenCommits<'h> {
    pub(super) group: GroupId,
    /// The event of the request.
    pub(super) asked: usize,
    /// The event of the answer.
    pub(super) answered: usize,
    pub(super) offsets: &'h Offsets,
}

/// Facts about a history that several rules need. Events are represented by their index.
#[derive(Debug)]
pub(super) struct HistoryFacts<'h> {
    history: &'h History,
    pub(super) sent: BTreeMap<RecordId, usize>,
    /// The first record of each producer that could not be sent.
    first_unknown: BTreeMap<u32, u64>,
    pub(super) group_of: BTreeMap<MemberId, GroupId>,
    /// The event before the deletion of the topic.
    pub(super) deleted: Option<usize>,
    /// The event when each broker had the new topic.
    pub(super) recreated: Option<usize>,
    pub(super) assignments: Vec<Assignment>,
    pub(super) commits: Vec<Commit>,
    pub(super) seen: Vec<SeenCommits<'h>>,
}

impl<'h> HistoryFacts<'h> {
    pub(super) fn of(history: &'h History) -> Self {
        let mut facts = Self {
            history,
            sent: BTreeMap::new(),
            first_unknown: BTreeMap::new(),
            group_of: BTreeMap::new(),
            deleted: None,
            recreated: None,
            assignments: Vec::new(),
            commits: Vec::new(),
            seen: Vec::new(),
        };
        let mut asked: BTreeMap<GroupId, usize> = BTreeMap::new();
        for (index, timed) in history.events.iter().enumerate() {
            match &timed.event {
                Event::Send(record) => {
                    facts.sent.insert(*record, index);
                }
                Event::Unknown(record) => {
                    let first = facts.first_unknown.entry(record.producer);
                    let first = first.or_insert(record.sequence);
                    *first = record.sequence.min(*first);
                }
                Event::Join(member, group) => {
                    facts.group_of.insert(*member, *group);
                }
                Event::DeleteTopic => facts.deleted = Some(index),
                Event::Recreated => facts.recreated = Some(index),
                Event::AskCommitted(group) => {
                    asked.insert(*group, index);
                }
                Event::SawCommitted(group, offsets) => facts.seen.push(SeenCommits {
                    group: *group,
                    asked: asked[group],
                    answered: index,
                    offsets,
                }),
                _ => {}
            }
        }
        facts.assignments = assignments(history, &facts.group_of);
        facts.commits = facts.commits();
        facts
    }

    fn commits(&self) -> Vec<Commit> {
        let mut commits: Vec<Commit> = Vec::new();
        for (index, timed) in self.history.events.iter().enumerate() {
            match &timed.event {
                Event::Commit(member, offsets) => {
                    let begun = offsets.iter().map(|(partition, offset)| Commit {
                        group: self.group_of[member],
                        member: *member,
                        partition: *partition,
                        offset: *offset,
                        begun: index,
                        acknowledged: None,
                        is_current: self.has_current(*member, *partition, index),
                    });
                    commits.extend(begun);
                }
                Event::Committed(member, offsets) => {
                    for (partition, offset) in offsets {
                        let last = commits.iter_mut().rev().find(|commit| {
                            (commit.member, commit.partition, commit.offset)
                                == (*member, *partition, *offset)
                        });
                        last.expect("a commit starts before it is acknowledged")
                            .acknowledged = Some(index);
                    }
                }
                _ => {}
            }
        }
        commits
    }

    /// Whether the topic was recreated between two events.
    pub(super) fn is_recreated_between(&self, earlier: usize, later: usize) -> bool {
        self.recreated
            .is_some_and(|recreated| (earlier..later).contains(&recreated))
    }

    /// Whether the member reads the partition of the topic that exists at the end: always, unless the topic was
    /// recreated and it got no record of the new one in this assignment.
    fn has_current(&self, member: MemberId, partition: i32, index: usize) -> bool {
        self.deleted.is_none()
            || self.assignments.iter().any(|assignment| {
                assignment.is_of(member, partition)
                    && assignment.start < index
                    && assignment.hand_outs.iter().any(|out| {
                        out.event < index && self.is_stored(out.offset, partition, out.record)
                    })
            })
    }

    /// Whether the log has this record at the offset.
    pub(super) fn is_stored(&self, offset: i64, partition: i32, record: RecordId) -> bool {
        self.stored(PartitionOffset { partition, offset }) == Some(record)
    }

    /// The record of the log at the offset.
    pub(super) fn stored(&self, place: PartitionOffset) -> Option<RecordId> {
        let partition = self.history.log.get(&place.partition)?;
        partition.get(&place.offset).copied()
    }

    /// Whether the producer has given up an earlier record: then it continues with a new epoch, and a late request of
    /// the old epoch on an abandoned connection may write a record that is sent again. Kafka's protocol cannot detect
    /// such duplicates.
    pub(super) fn may_be_doubled(&self, record: RecordId) -> bool {
        let first_unknown = self.first_unknown.get(&record.producer);
        first_unknown.is_some_and(|first| *first < record.sequence)
    }

    /// Whether the record may have been deleted with the topic.
    pub(super) fn may_be_deleted(&self, record: RecordId) -> bool {
        let sent = self.sent.get(&record);
        match (self.recreated, sent) {
            (Some(recreated), Some(sent)) => *sent < recreated,
            (None, _) => self.deleted.is_some(),
            (Some(_), None) => false,
        }
    }
}
