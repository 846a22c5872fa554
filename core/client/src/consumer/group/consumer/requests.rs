//! Builds the heartbeats of a member. Joining heartbeats, and those after an error, report everything; the others only
//! changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_protocol::{ConsumerGroupHeartbeatRequest, Str};

use super::member::ConsumerMember;
use super::partitions::{self, IdPartition};
use crate::duration::wire_ms;
use crate::mutants::{self, Mutant};

/// The epoch that joins.
const JOIN: i32 = 0;
/// The epoch that leaves for good.
const LEAVE: i32 = -1;
/// The epoch of a static member that leaves and may come back: its partitions wait for it until its session expires.
const LEAVE_FOR_A_WHILE: i32 = -2;
/// A rebalance timeout that has not changed.
const UNCHANGED: i32 = -1;

/// The content of a heartbeat that may change from one to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    topics: BTreeSet<Arc<str>>,
    pattern: Option<Str>,
    pub(super) owned: BTreeSet<IdPartition>,
    /// The version of the assignment that the caller has applied. Each one is reported, even if the owned partitions do
    /// not change: the coordinator waits for the report.
    applied: i32,
}

impl Report {
    fn has_same_partitions(&self, other: &Self) -> bool {
        (&self.owned, self.applied) == (&other.owned, other.applied)
    }
}

impl ConsumerMember {
    /// Whether a heartbeat would report a change.
    pub(super) fn has_news(&self) -> bool {
        self.sent.as_ref() != Some(&self.report())
    }

    fn report(&self) -> Report {
        Report {
            topics: self.subscription.names().unwrap_or_default(),
            pattern: self.subscription.pattern_text().map(Str::from),
            owned: self.reported_partitions(),
            applied: self.target.applied,
        }
    }

    fn reported_partitions(&self) -> BTreeSet<IdPartition> {
        if mutants::is_active(Mutant::ReleaseEarly) {
            return &self.owned - &self.to_release();
        }
        self.owned.clone()
    }

    /// The next heartbeat.
    pub(super) fn heartbeat(&mut self) -> ConsumerGroupHeartbeatRequest {
        self.may_be_member = true;
        let report = self.report();
        let before = self.sent.replace(report.clone());
        let changed = |is_same: fn(&Report, &Report) -> bool| {
            before
                .as_ref()
                .is_none_or(|before| !is_same(before, &report))
        };
        let is_full = before.is_none();
        self.awaits_answer |= changed(Report::has_same_partitions);
        let had_pattern = before
            .as_ref()
            .is_some_and(|before| before.pattern.is_some());
        // An empty pattern removes the previous one.
        let pattern = report.pattern.clone();
        let pattern = pattern.or_else(|| had_pattern.then(Str::default));
        let topics = report.topics.iter().map(|topic| Str::from(&**topic));
        ConsumerGroupHeartbeatRequest {
            rack_id: optional(self.settings.group.rack_id.as_deref(), is_full),
            rebalance_timeout_ms: if is_full {
                wire_ms(self.settings.group.max_poll_interval)
            } else {
                UNCHANGED
            },
            subscribed_topic_names: changed(|a, b| a.topics == b.topics).then(|| topics.collect()),
            subscribed_topic_regex: pattern.filter(|_| changed(|a, b| a.pattern == b.pattern)),
            server_assignor: optional(self.config.remote_assignor.as_deref(), is_full),
            topic_partitions: changed(Report::has_same_partitions)
                .then(|| partitions::write(&report.owned)),
            ..self.bare_heartbeat(self.epoch().unwrap_or(JOIN))
        }
    }

    /// The heartbeat that leaves the group.
    pub(super) fn leave(&self) -> ConsumerGroupHeartbeatRequest {
        let is_static = self.settings.group.instance_id.is_some();
        self.bare_heartbeat(if is_static { LEAVE_FOR_A_WHILE } else { LEAVE })
    }

    fn bare_heartbeat(&self, member_epoch: i32) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: self.settings.group.group_id.as_str().into(),
            member_id: self.id.clone(),
            member_epoch,
            instance_id: self.instance_id(),
            rack_id: None,
            rebalance_timeout_ms: UNCHANGED,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
            ..Default::default()
        }
    }

    pub(super) fn instance_id(&self) -> Option<Str> {
        self.settings.group.instance_id.as_deref().map(Str::from)
    }
}

/// A value that only full heartbeats have.
fn optional(value: Option<&str>, is_full: bool) -> Option<Str> {
    value.filter(|_| is_full).map(Str::from)
}
