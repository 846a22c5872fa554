//! Decides whether a history breaks a promise. A pure function of the history.
//!
//! | promise | rule | file |
//! |---|---|---|
//! | no acknowledged record is lost, each is at its acknowledged position | [`Violation::Lost`], [`Violation::Misplaced`] | `stored.rs` |
//! | no record is written twice, unless its producer has given up an earlier one | [`Violation::Doubled`] | `stored.rs` |
//! | the records of a producer are in order in each partition | [`Violation::OutOfOrder`] | `stored.rs` |
//! | nothing is written that was not sent | [`Violation::NeverSent`] | `stored.rs` |
//! | two clients read the same log | [`Violation::ReadersDiffer`] | `stored.rs` |
//! | a member gets records of its own partitions only | [`Violation::NotOwned`] | `delivered.rs` |
//! | records are handed out as they are stored | [`Violation::OtherRecord`] | `delivered.rs` |
//! | offsets grow within an assignment, by one record at a time | [`Violation::WentBack`], [`Violation::Skipped`] | `delivered.rs` |
//! | an assignment starts at the committed offset | [`Violation::WrongStart`] | `starts.rs` |
//! | a group gets each record at least once | [`Violation::NotDelivered`] | `delivered.rs` |
//! | a partition has one owner at a time | [`Violation::TwoOwners`] | `owners.rs` |
//! | committed offsets never go back, and are commits of members | [`Violation::CommitWentBack`], [`Violation::NeverCommitted`] | `commits.rs` |
//!
//! A send or a commit whose result is unknown may have happened or not. After the topic was recreated, records and
//! commits of the old topic may be lost; the promises hold for those sent after each broker had the new topic.

mod assignments;
mod commits;
mod delivered;
mod facts;
mod owners;
mod starts;
mod stored;
#[cfg(test)]
mod tests;
mod violation;

use crate::history::History;
use crate::mutants::is_forgiven;

use facts::HistoryFacts;
pub use violation::{PartitionOffset, Violation};

/// All violations of the history; empty if it keeps every promise.
pub fn check(history: &History) -> Vec<Violation> {
    let facts = HistoryFacts::of(history);
    let mut violations = Vec::new();
    stored::check(history, &facts, &mut violations);
    delivered::check(history, &facts, &mut violations);
    starts::check(history, &facts, &mut violations);
    owners::check(history, &facts, &mut violations);
    commits::check(history, &facts, &mut violations);
    violations.retain(|violation| !is_forgiven(violation));
    violations
}
