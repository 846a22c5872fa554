//! The calls and results of clients while faults happened.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A record, identified by its value: its sender, and its number among the sender's records, from 0. Written `3-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The producer.
    pub producer: u32,
    /// The number of the record in the producer's sending order.
    pub sequence: u64,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.producer, self.sequence)
    }
}

/// A value that no producer of the test has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecordId(pub String);

impl FromStr for RecordId {
    type Err = InvalidRecordId;

    fn from_str(value: &str) -> Result<Self, InvalidRecordId> {
        let parse = || {
            let (producer, sequence) = value.split_once('-')?;
            Some(Self {
                producer: producer.parse().ok()?,
                sequence: sequence.parse().ok()?,
            })
        };
        parse().ok_or_else(|| InvalidRecordId(value.to_owned()))
    }
}

/// A consumer, from its start to its end. A restarted one is another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// A consumer group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// The offset of an acknowledged record that was written, but whose offset the broker has lost.
pub const UNKNOWN_OFFSET: i64 = -1;

/// An offset of each partition.
pub type Offsets = BTreeMap<i32, i64>;

/// An event. A call that takes time has two: its start and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A producer is about to send a record.
    Send(RecordId),
    /// The record is written at this position; with [`UNKNOWN_OFFSET`] it is somewhere in the partition.
    Acknowledged(RecordId, i32, i64),
    /// The record was not accepted and is not written.
    Refused(RecordId),
    /// Sending has failed: the record may be written.
    Unknown(RecordId),
    /// A consumer is about to join a group.
    Join(MemberId, GroupId),
    /// The member owns these partitions from now on.
    Assigned(MemberId, Vec<i32>),
    /// The member is about to release these partitions.
    Released(MemberId, Vec<i32>),
    /// The member has learned that others may already own these partitions.
    Lost(MemberId, Vec<i32>),
    /// The member has ended. If it did not leave its group, the group detects it later.
    Ended(MemberId),
    /// The member got these records of a partition, each at its offset.
    HandedOut(MemberId, i32, Vec<(i64, RecordId)>),
    /// The member is about to commit.
    Commit(MemberId, Offsets),
    /// The commit is acknowledged.
    Committed(MemberId, Offsets),
    /// An observer is about to request the committed offsets of a group.
    AskCommitted(GroupId),
    /// The committed offsets of the group, in response to the last request.
    SawCommitted(GroupId, Offsets),
    /// The topic is about to be deleted.
    DeleteTopic,
    /// The topic was created again, and each broker has the new one.
    Recreated,
}

/// An event, and its time since the start of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedEvent {
    /// The time since the start.
    pub at: Duration,
    /// The event.
    pub event: Event,
}

/// How a group commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// Its members commit the records that they got, and record it.
    Explicit,
    /// The client commits automatically.
    Automatic,
}

/// A group of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// How it commits.
    pub commits: Commits,
    /// The time after which the group assigns a silent member's partitions to others.
    pub session_timeout: Duration,
}

/// The records of a topic at the end, by partition and offset.
pub type Log = BTreeMap<i32, BTreeMap<i64, RecordId>>;

/// A whole history of one topic. The topic is not compacted and deletes no records, and no producer uses transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The groups that read the topic.
    pub groups: BTreeMap<GroupId, GroupSettings>,
    /// The events, in order.
    pub events: Vec<TimedEvent>,
    /// The log at the end, read by our own client.
    pub log: Log,
    /// The log at the end, read by another client.
    pub foreign_log: Log,
}

impl History {
    /// The history as lines of text, for debugging a violation.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for TimedEvent { at, event } in &self.events {
            writeln!(text, "{:9.3} {event:?}", at.as_secs_f64())
                .expect("writing to a string cannot fail");
        }
        for (partition, records) in &self.log {
            for (offset, record) in records {
                writeln!(text, "log {partition} {offset} {record}")
                    .expect("writing to a string cannot fail");
            }
        }
        text
    }
}

/// Records the events of many threads in one order.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    events: Mutex<Vec<TimedEvent>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            events: Mutex::default(),
        }
    }
}

impl Recorder {
    /// Records an event with the current time.
    pub fn record(&self, event: Event) {
        let mut events = self.events.lock();
        let at = self.start.elapsed();
        events.push(TimedEvent { at, event });
    }

    /// The events so far.
    pub fn events(&self) -> Vec<TimedEvent> {
        self.events.lock().clone()
    }

    /// The number of events so far that pass the filter.
    pub fn count(&self, filter: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock();
        events.iter().filter(|timed| filter(&timed.event)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_is_read_as_it_is_written() {
        let id = RecordId {
            producer: 3,
            sequence: 17,
        };
        assert_eq!(id.to_string().parse(), Ok(id));
        for value in ["", "3", "3-", "-17", "a-1"] {
            assert_eq!(
                value.parse::<RecordId>(),
                Err(InvalidRecordId(value.to_owned()))
            );
        }
    }
}
