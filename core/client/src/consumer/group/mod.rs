//! Membership in a consumer group, by the classic protocol.
//!
//! [`Member`](member::Member) is the state machine. The task in [`background`] sends its requests, and [`Group`] is the consumer's handle.
//! The lock on the member is never held across an `await`.

mod answers;
pub(crate) mod assignors;
mod background;
mod caller;
mod member;
#[cfg(test)]
mod member_tests;
pub(crate) mod offsets;
mod protocol;
mod requests;
pub(crate) mod subscription;

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_protocol::ErrorCode;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator};
use crate::transport::Purpose;

pub(crate) use caller::{Identity, NewAssignment, Todo};
use member::Member;
pub(crate) use member::Settings;
use subscription::Subscription;

/// The consumer's handle on its membership. Dropping it stops the heartbeats without leaving the group: the session then expires.
#[derive(Debug)]
pub(crate) struct Group {
    membership: Arc<Membership>,
    task: AbortHandle,
}

/// The state that the consumer and the background task share.
#[derive(Debug)]
struct Membership {
    cluster: Cluster,
    coordinator: Arc<Coordinator>,
    member: Mutex<Member>,
    max_poll_interval: Duration,
    exclude_internal_topics: bool,
    /// Wakes the background task.
    wake: Notify,
    /// Wakes the polling consumer.
    changed: Notify,
}

impl Group {
    /// Starts the background task. It joins the group after the first poll.
    pub(crate) fn join(
        cluster: &Cluster,
        coordinator: Arc<Coordinator>,
        settings: Settings,
        subscription: Subscription,
    ) -> Self {
        let membership = Arc::new(Membership {
            cluster: cluster.with_lane(Purpose::Group),
            coordinator,
            max_poll_interval: settings.group.max_poll_interval,
            exclude_internal_topics: settings.exclude_internal_topics,
            member: Mutex::new(Member::new(settings, subscription, Instant::now())),
            wake: Notify::new(),
            changed: Notify::new(),
        });
        let task = cluster
            .runtime()
            .spawn(Arc::clone(&membership).keep_membership())
            .abort_handle();
        Self { membership, task }
    }

    pub(crate) fn todo(&self) -> Todo {
        self.membership.member.lock().todo()
    }

    /// The failure was returned to the caller.
    pub(crate) fn failure_reported(&self) {
        self.membership
            .member
            .lock()
            .failure_reported(Instant::now());
        self.membership.wake.notify_one();
    }

    /// Records a poll.
    pub(crate) fn polled(&self) {
        let had_timed_out = self.membership.member.lock().polled(Instant::now());
        if had_timed_out {
            self.membership.wake.notify_one();
        }
    }

    /// Fetches the metadata of the watched topics as soon as possible.
    pub(crate) fn refresh_metadata_soon(&self) {
        self.membership.member.lock().metadata_due = Instant::now();
        self.membership.wake.notify_one();
    }

    pub(crate) fn subscribe(&self, subscription: Subscription) {
        self.membership.member.lock().subscribe(subscription);
        self.membership.wake.notify_one();
    }

    /// The consumer no longer owns these partitions.
    pub(crate) fn release(&self, partitions: &[TopicPartition]) {
        self.membership.member.lock().release(partitions);
        self.membership.wake.notify_one();
    }

    /// The consumer takes its assignment over. Returns false if the generation is no longer current.
    pub(crate) fn accept_assignment(&self, generation: i32) -> bool {
        let accepted = self.membership.member.lock().accept_assignment(generation);
        self.membership.wake.notify_one();
        accepted
    }

    pub(crate) fn identity(&self) -> Identity {
        self.membership.member.lock().identity()
    }

    /// Reports a commit that failed with `code`.
    pub(crate) fn commit_refused(&self, code: ErrorCode, identity: &Identity) {
        let now = Instant::now();
        self.membership
            .member
            .lock()
            .commit_refused(code, identity, now);
        self.membership.wake.notify_one();
    }

    /// Waits for a new [`Todo`]; may wake up spuriously.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let membership = Arc::clone(&self.membership);
        async move { membership.changed.notified().await }
    }

    /// Sends `LeaveGroup`, so that the group rebalances before the session expires.
    pub(crate) async fn leave(self) {
        self.task.abort();
        let Some(request) = self.membership.member.lock().leave_on_close() else {
            return;
        };
        let left = self
            .membership
            .coordinator
            .call(&self.membership.cluster, request);
        if let Err(error) = left.await {
            tracing::info!(%error, "could not leave the group; the session will expire");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.task.abort();
    }
}
