//! A member of a consumer group (KIP-848): the broker assigns, and members communicate by heartbeats only.
//!
//! [`ConsumerMember`] is the state machine. The task in [`background`] sends its requests.

mod answers;
mod background;
mod caller;
mod member;
mod partitions;
mod requests;
#[cfg(test)]
mod tests;

pub(super) use member::ConsumerMember;
