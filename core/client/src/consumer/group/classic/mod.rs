//! A member of a classic group: the members assign, by the leader's assignor.
//!
//! [`ClassicMember`] is the state machine. The task in [`background`] sends its requests.

mod answers;
mod assignors;
mod background;
mod caller;
mod member;
mod moving;
mod protocol;
mod requests;
#[cfg(test)]
mod tests;

pub(super) use assignors::PartitionCounts;
pub(super) use member::ClassicMember;
pub(super) use moving::keeps_partitions;
