//! The violations that a history can have.

use std::fmt;

use crate::history::{GroupId, MemberId, RecordId};

/// A partition and an offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionOffset {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl fmt::Display for PartitionOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {} of partition {}", self.offset, self.partition)
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are named in the text of each violation"
)]
pub enum Violation {
    /// An acknowledged record is not in the log.
    Lost {
        record: RecordId,
        place: PartitionOffset,
    },
    /// An acknowledged record is not at its acknowledged position.
    Misplaced {
        record: RecordId,
        acknowledged: PartitionOffset,
        stored: PartitionOffset,
    },
    /// A record is in the log twice.
    Doubled {
        record: RecordId,
        places: [PartitionOffset; 2],
    },
    /// Two records of a producer are stored in another order than they were sent.
    OutOfOrder {
        partition: i32,
        first: RecordId,
        then: RecordId,
    },
    /// A record is stored that was not sent, or that was refused.
    NeverSent {
        record: RecordId,
        place: PartitionOffset,
    },
    /// Two clients read different logs.
    ReadersDiffer {
        place: PartitionOffset,
        ours: Option<RecordId>,
        theirs: Option<RecordId>,
    },
    /// A member got a record of a partition that it does not own.
    NotOwned {
        member: MemberId,
        place: PartitionOffset,
    },
    /// A member got another record than the one that is stored there.
    OtherRecord {
        member: MemberId,
        place: PartitionOffset,
        record: RecordId,
        stored: Option<RecordId>,
    },
    /// Within an assignment, a member got an offset that is not after the previous one.
    WentBack {
        member: MemberId,
        place: PartitionOffset,
        after: i64,
    },
    /// Within an assignment, a member skipped a record between two that it got.
    Skipped {
        member: MemberId,
        place: PartitionOffset,
        after: i64,
    },
    /// An assignment did not start at the committed offset.
    WrongStart {
        member: MemberId,
        place: PartitionOffset,
        committed: Option<i64>,
    },
    /// A group did not get a record.
    NotDelivered {
        group: GroupId,
        place: PartitionOffset,
        record: RecordId,
    },
    /// A partition had two owners.
    TwoOwners {
        group: GroupId,
        partition: i32,
        members: [MemberId; 2],
    },
    /// A committed offset went back, or was lost (`to` is `None`).
    CommitWentBack {
        group: GroupId,
        partition: i32,
        from: i64,
        to: Option<i64>,
    },
    /// The committed offset of a group was not committed by any member.
    NeverCommitted {
        group: GroupId,
        partition: i32,
        seen: i64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { record, place } => {
                write!(f, "record {record} was acknowledged at {place} and is lost")
            }
            Self::Misplaced {
                record,
                acknowledged,
                stored,
            } => write!(
                f,
                "record {record} was acknowledged at {acknowledged} and is stored at {stored}"
            ),
            Self::Doubled { record, places } => write!(
                f,
                "record {record} is stored twice: at {} and at {}",
                places[0], places[1]
            ),
            Self::OutOfOrder {
                partition,
                first,
                then,
            } => write!(
                f,
                "partition {partition} has record {first} before {then}, which was sent first"
            ),
            Self::NeverSent { record, place } => {
                write!(
                    f,
                    "record {record} at {place} was not sent, or was refused before it was sent"
                )
            }
            Self::ReadersDiffer {
                place,
                ours,
                theirs,
            } => write!(
                f,
                "our client reads {} at {place}, and another client {}",
                named(*ours),
                named(*theirs)
            ),
            _ => self.fmt_of_group(f),
        }
    }
}

impl Violation {
    /// [`fmt::Display`] for violations of consumers and groups.
    fn fmt_of_group(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwned { member, place } => write!(
                f,
                "{member:?} got {place} of a partition that it does not own"
            ),
            Self::OtherRecord {
                member,
                place,
                record,
                stored,
            } => write!(
                f,
                "{member:?} got record {record} at {place}, where {} is stored",
                named(*stored)
            ),
            Self::WentBack {
                member,
                place,
                after,
            } => write!(f, "{member:?} got {place} after offset {after}"),
            Self::Skipped {
                member,
                place,
                after,
            } => write!(
                f,
                "{member:?} got {place} after offset {after}, and there are records in between"
            ),
            Self::WrongStart {
                member,
                place,
                committed,
            } => write!(
                f,
                "{member:?} started at {place}; the committed offset was {}",
                committed.map_or("not set".to_owned(), |offset| format!("{offset} or later"))
            ),
            Self::NotDelivered {
                group,
                place,
                record,
            } => write!(f, "{group:?} never got record {record} at {place}"),
            Self::TwoOwners {
                group,
                partition,
                members: [one, other],
            } => write!(
                f,
                "partition {partition} of {group:?} was given to {other:?} while {one:?} had it"
            ),
            Self::CommitWentBack {
                group,
                partition,
                from,
                to,
            } => write!(
                f,
                "the committed offset of partition {partition} of {group:?} went from {from} to {}",
                to.map_or("none".to_owned(), |offset| offset.to_string())
            ),
            Self::NeverCommitted {
                group,
                partition,
                seen,
            } => write!(
                f,
                "the committed offset of partition {partition} of {group:?} is {seen}, which no member has committed"
            ),
            _ => unreachable!("violations of the log have their text already"),
        }
    }
}

fn named(record: Option<RecordId>) -> String {
    record.map_or("nothing".to_owned(), |record| format!("record {record}"))
}
