//! A valid history, and one for each way to violate a promise.

mod consumers;
mod producers;
mod recreated;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PartitionOffset, Violation, check};
use crate::history::Event::{
    self, Acknowledged, AskCommitted, Assigned, Commit, Committed, HandedOut, Join, SawCommitted,
    Send,
};
use crate::history::{
    Commits, GroupId, GroupSettings, History, Log, MemberId, RecordId, TimedEvent,
};

const GROUP: GroupId = GroupId(0);
const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const SESSION: Duration = Duration::from_secs(10);

fn id(sequence: u64) -> RecordId {
    RecordId {
        producer: 0,
        sequence,
    }
}

fn place(offset: i64) -> PartitionOffset {
    PartitionOffset {
        partition: 0,
        offset,
    }
}

/// Partition 0 with these records from offset 0 on.
fn log(records: &[RecordId]) -> Log {
    let records = records.iter().enumerate();
    let records = records.map(|(offset, record)| (offset as i64, *record));
    Log::from([(0, records.collect())])
}

/// A history of these events, one millisecond apart, that ends with this log. There is no group.
fn history(events: impl IntoIterator<Item = Event>, records: &[RecordId]) -> History {
    let timed = events
        .into_iter()
        .enumerate()
        .map(|(index, event)| TimedEvent {
            at: Duration::from_millis(index as u64),
            event,
        });
    History {
        groups: BTreeMap::new(),
        events: timed.collect(),
        log: log(records),
        foreign_log: log(records),
    }
}

/// Sends and acknowledges records 0 to `count` at offsets from 0 on.
fn produced(count: u64) -> Vec<Event> {
    let events = (0..count)
        .flat_map(|number| [Send(id(number)), Acknowledged(id(number), 0, number as i64)]);
    events.collect()
}

/// Four records that were produced without faults, followed by these events of a group that commits explicitly.
fn consumed(events: impl IntoIterator<Item = Event>) -> History {
    let all = produced(4).into_iter().chain(events);
    let mut history = history(all, &[id(0), id(1), id(2), id(3)]);
    history.groups.insert(
        GROUP,
        GroupSettings {
            commits: Commits::Explicit,
            session_timeout: SESSION,
        },
    );
    history
}

fn assigned(member: MemberId) -> [Event; 2] {
    [Join(member, GROUP), Assigned(member, vec![0])]
}

fn got(member: MemberId, offsets: std::ops::Range<u64>) -> Event {
    let records = offsets.map(|offset| (offset as i64, id(offset)));
    HandedOut(member, 0, records.collect())
}

fn committed(member: MemberId, offset: i64) -> [Event; 2] {
    let offsets = BTreeMap::from([(0, offset)]);
    [Commit(member, offsets.clone()), Committed(member, offsets)]
}

fn saw(offsets: &[(i32, i64)]) -> [Event; 2] {
    let offsets = offsets.iter().copied().collect();
    [AskCommitted(GROUP), SawCommitted(GROUP, offsets)]
}

/// All of these events, in sequence.
fn events(parts: impl IntoIterator<Item = Vec<Event>>) -> Vec<Event> {
    parts.into_iter().flatten().collect()
}
