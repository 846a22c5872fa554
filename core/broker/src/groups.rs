//! Group coordination: members, assignments and committed offsets.
//!
//! The state machines ([`classic`], [`consumer`] and the offsets in [`committed`]) are pure: they take a request, the
//! time and the limits, and return records and responses. The [`coordinator`] does the I/O. Each partition of
//! `__consumer_offsets` has one lock. A record is appended under this lock before a response reveals the change, so the
//! log and the responses have the same order. A partition is loaded on its first use ([`offsets_topic`]); the log is
//! the only source of state.
//!
//! `JoinGroup` and `SyncGroup` may have to wait. The state machine keeps the id of the pending request, and the request
//! waits without the lock. Time-outs expire when a request reaches their group, and at the latest when the [`alarm`]
//! fires.

pub(crate) mod alarm;
pub(crate) mod classic;
pub(crate) mod committed;
pub(crate) mod consumer;
pub(crate) mod context;
pub(crate) mod coordinator;
pub(crate) mod detached;
pub(crate) mod group;
mod migration;
pub(crate) mod offset_store;
pub(crate) mod offsets_topic;
mod record;
mod retention;
pub(crate) mod shard;

pub(crate) use coordinator::Groups;
