//! What clients did and saw while faults happened.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A record, by what its value says: who sent it, and which of the sender's records it is, from 0. Written `3-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The producer.
    pub producer: u32,
    /// The number of the record in the order in which the producer sent them.
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

/// A consumer, from its start to its end. One that starts again is another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

/// A consumer group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

/// The offset of an acknowledged record that was written, but the broker does not know any more where.
pub const UNKNOWN_OFFSET: i64 = -1;

/// An offset of each partition.
pub type Offsets = BTreeMap<i32, i64>;

/// Something that happened. A call that takes time is two events: when it began and when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A producer is about to send a record.
    Send(RecordId),
    /// The record is written at this place; at [`UNKNOWN_OFFSET`] it is somewhere in the partition.
    Acknowledged(RecordId, i32, i64),
    /// The record was not accepted: it is not written.
    Refused(RecordId),
    /// Sending has failed: the record may be written.
    Unknown(RecordId),
    /// A consumer is about to join a group.
    Join(MemberId, GroupId),
    /// The member has these partitions from now on.
    Assigned(MemberId, Vec<i32>),
    /// The member is about to give these partitions back.
    Released(MemberId, Vec<i32>),
    /// The member was told that others may have these partitions already.
    Lost(MemberId, Vec<i32>),
    /// The member has ended. If it did not leave its group, the group notices later.
    Ended(MemberId),
    /// The member got these records of a partition, each at its offset.
    HandedOut(MemberId, i32, Vec<(i64, RecordId)>),
    /// The member is about to commit.
    Commit(MemberId, Offsets),
    /// The commit is acknowledged.
    Committed(MemberId, Offsets),
    /// Somebody is about to ask for the committed offsets of a group.
    AskCommitted(GroupId),
    /// The committed offsets of the group, which were asked for last.
    SawCommitted(GroupId, Offsets),
    /// The topic is about to be deleted.
    DeleteTopic,
    /// The topic was created again, and each broker knows the new one.
    Recreated,
}

/// An event, and when it happened after the start of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedEvent {
    /// The time since the start.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// How a group commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// Its members commit what they got, and record it.
    Explicit,
    /// The client commits by itself.
    Automatic,
}

/// A group of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// How it commits.
    pub commits: Commits,
    /// How long a member may be silent before the group gives its partitions to others.
    pub session_timeout: Duration,
}

/// The records of a topic at the end, by partition and offset.
pub type Log = BTreeMap<i32, BTreeMap<i64, RecordId>>;

/// A whole history of one topic. The topic is not compacted and deletes no records, and no producer uses transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The groups that read the topic.
    pub groups: BTreeMap<GroupId, GroupSettings>,
    /// What happened, in this order.
    pub events: Vec<TimedEvent>,
    /// The log at the end, as our own client reads it.
    pub log: Log,
    /// The log at the end, as another client reads it.
    pub foreign_log: Log,
}

impl History {
    /// The history as lines of text, for a person who looks for the reason of a violation.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for TimedEvent { at, event } in &self.events {
            writeln!(text, "{:9.3} {event:?}", at.as_secs_f64()).expect("a string takes all");
        }
        for (partition, records) in &self.log {
            for (offset, record) in records {
                writeln!(text, "log {partition} {offset} {record}").expect("a string takes all");
            }
        }
        text
    }
}

/// Records events of many threads in one order.
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
    /// Records that something happens now.
    pub fn record(&self, event: Event) {
        let mut events = self.events.lock();
        let at = self.start.elapsed();
        events.push(TimedEvent { at, event });
    }

    /// The events so far.
    pub fn events(&self) -> Vec<TimedEvent> {
        self.events.lock().clone()
    }

    /// How many events so far pass the filter.
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
