//! What the state machines are told besides the request: the time, the limits; and what they hand back.

use std::time::Duration;

use headwater_protocol::{
    ErrorCode, GroupMetadataValue, JoinGroupResponse, Str, SyncGroupResponse,
};

/// The time: members live by the monotonic clock, offsets by the wall clock, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) monotonic: Duration,
    pub(crate) wall_ms: i64,
}

/// The limits of classic groups that the configuration sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `group.initial.rebalance.delay.ms`
    pub(crate) initial_rebalance_delay: Duration,
    /// `group.max.size`
    pub(crate) members_max: usize,
}

/// What every transition of a classic group is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) now: Now,
    pub(crate) limits: Limits,
}

/// Names one request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// What a transition of a classic group wants done: the record first, then the answers.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) joins: Vec<(Ticket, JoinGroupResponse)>,
    pub(crate) syncs: Vec<(Ticket, SyncGroupResponse)>,
    /// To be written before anything else happens to the group; then the group is told by `stored` how that went.
    pub(crate) record: Option<GroupMetadataValue>,
}

impl Outbox {
    pub(super) fn refuse_join(&mut self, ticket: Ticket, member_id: Str, code: ErrorCode) {
        let response = JoinGroupResponse {
            error_code: code.code(),
            member_id,
            ..JoinGroupResponse::default()
        };
        self.joins.push((ticket, response));
    }

    pub(super) fn refuse_sync(&mut self, ticket: Ticket, code: ErrorCode) {
        let response = SyncGroupResponse {
            error_code: code.code(),
            ..SyncGroupResponse::default()
        };
        self.syncs.push((ticket, response));
    }
}
