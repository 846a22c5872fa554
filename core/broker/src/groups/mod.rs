//! Consumer groups: who is in them, who gets what, and what they have committed.
//!
//! The state machines ([`classic`], [`consumer`], and the offsets in [`committed`]) are pure: they take a request, the time and the limits, and hand back
//! answers and records. The [`coordinator`] is the shell around them: one lock for each partition of `__consumer_offsets`, under which a
//! record is appended before anybody is told what it says, so that the order of the log is the order of the answers. A partition is read
//! when it is first needed ([`offsets_topic`]), and whatever state it says is the state.
//!
//! A request that has to wait (`JoinGroup`, `SyncGroup`) leaves a ticket in the state machine and waits for its answer without the lock.
//! Time-outs happen when their group is next asked for anything, and at the latest when the [`alarm`] goes off.

pub(crate) mod alarm;
pub(crate) mod classic;
pub(crate) mod committed;
pub(crate) mod consumer;
mod consumer_membership;
pub(crate) mod coordinator;
pub(crate) mod facts;
pub(crate) mod group;
mod membership;
mod migration;
pub(crate) mod offset_store;
pub(crate) mod offsets_topic;
mod record;
mod retention;
pub(crate) mod shard;

pub(crate) use consumer_membership::ConsumerLeaver;
pub(crate) use coordinator::{Coordinator, Groups};
pub(crate) use membership::Waiting;

use bytes::Bytes;
use headwater_protocol::Str;

/// Where a member is that is in the broker's own process. It ends with the broker.
pub(crate) const IN_PROCESS_HOST: &str = "/in-process";

/// A copy that shares nothing: what is kept must not keep the frame alive that it came in.
pub(crate) fn detached(text: &str) -> Str {
    Str::from(text)
}

/// A copy that shares nothing.
pub(crate) fn detached_bytes(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
