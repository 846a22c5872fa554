//! The interface between the consumer and the state machine of its group protocol.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::{
    ApiRequest, ConsumerGroupHeartbeatRequest, ErrorCode, LeaveGroupRequest, Str,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::subscription::Subscription;
use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator};
use crate::config::{GroupConfig, RetryConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;

/// The configuration of a member.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) group: GroupConfig,
    pub(crate) retry: RetryConfig,
    /// The interval at which a classic member checks for new partitions, and for new topics that match a pattern.
    pub(crate) metadata_max_age: Duration,
    /// Whether the pattern of a classic member skips internal topics.
    pub(crate) exclude_internal_topics: bool,
}

/// The next action of the consumer.
#[derive(Debug, Clone)]
pub(crate) enum Todo {
    Nothing,
    /// Commit and release these partitions; the rebalance waits for it.
    Revoke(Vec<TopicPartition>),
    /// Release these partitions without a commit: they may already belong to others.
    Lose(Vec<TopicPartition>),
    /// Apply this assignment.
    Assign(NewAssignment),
    /// Return this error: the member cannot join.
    Fail(Error),
}

/// An assignment. The version distinguishes it from earlier and later ones.
#[derive(Debug, Clone)]
pub(crate) struct NewAssignment {
    pub(crate) version: i32,
    pub(crate) partitions: Vec<TopicPartition>,
}

/// The sign that a member has all partitions that the group intends for it. A description of the group has it, under
/// the member's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Completeness {
    /// None is necessary: each assignment is complete.
    Always,
    /// Its target assignment (KIP-848).
    Target(Str),
    /// All members keep their partitions in this generation of a cooperative group. `None`: the member has no
    /// assignment of a generation at present, or will rejoin.
    NothingMoves(Str, Option<i32>),
}

/// The member in a request about offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) member_id: Str,
    pub(crate) instance_id: Option<Str>,
    /// -1 for a commit without membership.
    pub(crate) generation_or_epoch: i32,
}

impl Identity {
    /// The identity of a consumer that is not a member.
    pub(crate) fn none() -> Self {
        Self {
            member_id: Str::default(),
            instance_id: None,
            generation_or_epoch: -1,
        }
    }
}

/// The request that leaves a group.
#[derive(Debug, PartialEq)]
pub(super) enum LeaveRequest {
    Classic(LeaveGroupRequest),
    Consumer(ConsumerGroupHeartbeatRequest),
}

/// The consumer's view of a group member: the state machine of either protocol. It does no I/O.
pub(super) trait Member: fmt::Debug + Send {
    fn todo(&self) -> Todo;

    /// Records a poll. Returns whether the previous one was too long ago.
    fn polled(&mut self, now: Instant) -> bool;

    /// Replaces the subscription.
    fn subscribe(&mut self, subscription: Subscription);

    /// Records that the consumer no longer owns these partitions.
    fn release(&mut self, partitions: &[TopicPartition]);

    /// Records that the consumer takes over its assignment. Returns false, and the consumer must not apply it, if it is
    /// no longer current.
    fn accept_assignment(&mut self, version: i32) -> bool;

    /// Records that the failure was returned to the caller. After a storage error, which may have been repaired, the
    /// next poll joins again.
    fn failure_reported(&mut self, now: Instant);

    /// Records that a topic of the consumer has changed.
    fn topic_changed(&mut self, now: Instant);

    /// The sign that the assignment of the member is complete.
    fn completeness(&self) -> Completeness;

    /// Records that the coordinator may have a new assignment.
    fn expect_assignment(&mut self, _now: Instant) {}

    /// The identity for a commit.
    fn committer(&self) -> Identity;

    /// The id of the leader, and the assignor of this generation. `None` while it is in none, or if the broker assigns.
    fn election(&self) -> Option<(Str, Str)> {
        None
    }

    /// The identity for reading committed offsets; `None`: without membership.
    fn reader(&self) -> Option<Identity>;

    /// Handles the error of a request about offsets that was sent with `identity`.
    fn offsets_refused(&mut self, code: ErrorCode, identity: &Identity, now: Instant);

    /// The request to send on close, if any.
    fn leave_on_close(&self) -> Option<LeaveRequest>;
}

/// The state that the consumer and the background task share. The lock on the member is never held across an `await`.
#[derive(Debug)]
pub(super) struct Membership<M: ?Sized> {
    pub(super) cluster: Cluster,
    pub(super) coordinator: Arc<Coordinator>,
    /// Wakes the background task.
    pub(super) wake: Notify,
    /// Wakes the polling consumer.
    pub(super) changed: Notify,
    pub(super) member: Mutex<M>,
}

impl<M: Member> Membership<M> {
    pub(super) fn new(cluster: Cluster, coordinator: Arc<Coordinator>, member: M) -> Self {
        Self {
            cluster,
            coordinator,
            wake: Notify::new(),
            changed: Notify::new(),
            member: Mutex::new(member),
        }
    }

    /// Waits until this time, or until woken. Wakes the caller first if it has something to do.
    pub(super) async fn rest(&self, until: Option<Instant>) {
        // Wake the caller only for a todo: a wakeup cuts its fetch short.
        if !matches!(self.member.lock().todo(), Todo::Nothing) {
            self.changed.notify_one();
        }
        let woken = self.wake.notified();
        match until {
            Some(until) => {
                let _ = tokio::time::timeout_at(until.into(), woken).await;
            }
            None => woken.await,
        }
    }

    /// Sends one request to the coordinator.
    pub(super) async fn call_coordinator<R: ApiRequest>(
        &self,
        request: R,
        timeout: Duration,
    ) -> Result<R::Response> {
        let node = self.coordinator.node(&self.cluster).await?;
        self.cluster.call_within(node, request, timeout).await
    }

    /// Sends a request that leaves the group. Without a response the session expires.
    pub(super) async fn leave_with<R: ApiRequest>(&self, request: R) {
        let timeout = self.cluster.config().request_timeout;
        if let Err(error) = self.call_coordinator(request, timeout).await {
            tracing::info!(%error, "could not leave the group; the session will expire");
        }
    }
}

/// The error for a code that ends the membership.
pub(super) fn refusal(
    code: ErrorCode,
    reason: Option<&str>,
    operation: &str,
    group_id: &str,
) -> Error {
    let error = error_codes::error(code, reason, &format!("{operation} \"{group_id}\""));
    match code {
        ErrorCode::FencedInstanceId => error.fatal(),
        // A retry would not help: the same broker would answer the same.
        ErrorCode::KafkaStorageError | ErrorCode::CorruptMessage => error.retriable(false),
        _ => error,
    }
}

/// Whether the coordinator could not read or write its log, which may be repaired later.
pub(super) fn is_storage_error(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Storage | ErrorKind::CorruptLog)
        || error.code() == ErrorCode::UnknownServerError
}
