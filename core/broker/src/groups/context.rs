//! The context of a transition (time and limits) and its effects.

use std::time::Duration;

use headwater_protocol::{
    ErrorCode, GroupMetadataValue, JoinGroupResponse, Str, SyncGroupResponse,
};

/// The client host of members in the broker's process. These members end with the broker.
pub(crate) const IN_PROCESS_HOST: &str = "/in-process";

/// The time. Members use the monotonic clock, offsets the wall clock, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) monotonic: Duration,
    pub(crate) wall_ms: i64,
}

/// The configured limits of classic groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `group.initial.rebalance.delay.ms`
    pub(crate) initial_rebalance_delay: Duration,
    /// `group.max.size`
    pub(crate) members_max: usize,
}

/// The context of a transition of a classic group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupContext {
    pub(crate) now: Now,
    pub(crate) limits: Limits,
}

/// Identifies a request that waits for its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PendingRequestId(pub(crate) u64);

/// The effects of a transition: a record to write, then responses to send.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) joins: Vec<(PendingRequestId, JoinGroupResponse)>,
    pub(crate) syncs: Vec<(PendingRequestId, SyncGroupResponse)>,
    /// Write this before any other change of the group, then report the result to `record_written`.
    pub(crate) record: Option<GroupMetadataValue>,
}

impl Effects {
    pub(super) fn refuse_join(
        &mut self,
        request_id: PendingRequestId,
        member_id: Str,
        code: ErrorCode,
    ) {
        let response = JoinGroupResponse {
            error_code: code.code(),
            member_id,
            ..JoinGroupResponse::default()
        };
        self.joins.push((request_id, response));
    }

    pub(super) fn refuse_sync(&mut self, request_id: PendingRequestId, code: ErrorCode) {
        let response = SyncGroupResponse {
            error_code: code.code(),
            ..SyncGroupResponse::default()
        };
        self.syncs.push((request_id, response));
    }
}
