//! The assignments: when each member had a partition, and the records that it got.

use std::collections::BTreeMap;

use crate::history::{Event, GroupId, History, MemberId, RecordId};

/// A record that a member got.
#[derive(Debug, Clone, Copy)]
pub(super) struct HandOut {
    pub(super) event: usize,
    pub(super) offset: i64,
    pub(super) record: RecordId,
}

/// The end of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The member releases it or ends, or the history ends.
    Released,
    /// The member learns that it has lost it.
    Lost,
}

/// A partition of a member, from its assignment to its end.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) member: MemberId,
    pub(super) group: GroupId,
    pub(super) partition: i32,
    /// The event that assigned it.
    pub(super) start: usize,
    /// The event that ended it, or the number of events.
    pub(super) end: usize,
    pub(super) how: End,
    pub(super) hand_outs: Vec<HandOut>,
}

impl Assignment {
    pub(super) fn is_of(&self, member: MemberId, partition: i32) -> bool {
        (self.member, self.partition) == (member, partition)
    }
}

/// All assignments of a history, in the order of their start.
pub(super) fn assignments(
    history: &History,
    group_of: &BTreeMap<MemberId, GroupId>,
) -> Vec<Assignment> {
    let mut found = Vec::new();
    // The open assignments, by member and partition.
    let mut open: BTreeMap<(MemberId, i32), usize> = BTreeMap::new();
    for (event, timed) in history.events.iter().enumerate() {
        let (member, ended, how) = match &timed.event {
            Event::Assigned(member, partitions) => {
                for partition in partitions {
                    open.insert((*member, *partition), found.len());
                    found.push(Assignment {
                        member: *member,
                        group: group_of[member],
                        partition: *partition,
                        start: event,
                        end: history.events.len(),
                        how: End::Released,
                        hand_outs: Vec::new(),
                    });
                }
                continue;
            }
            Event::HandedOut(member, partition, records) => {
                if let Some(index) = open.get(&(*member, *partition)) {
                    let got = records.iter().map(|(offset, record)| HandOut {
                        event,
                        offset: *offset,
                        record: *record,
                    });
                    found[*index].hand_outs.extend(got);
                }
                continue;
            }
            Event::Released(member, partitions) => (*member, partitions.clone(), End::Released),
            Event::Lost(member, partitions) => (*member, partitions.clone(), End::Lost),
            Event::Ended(member) => {
                let of_member = open.keys().filter(|(owner, _)| owner == member);
                let partitions = of_member.map(|(_, partition)| *partition).collect();
                (*member, partitions, End::Released)
            }
            _ => continue,
        };
        for partition in ended {
            if let Some(index) = open.remove(&(member, partition)) {
                found[index].end = event;
                found[index].how = how;
            }
        }
    }
    found
}
