//! Membership in a consumer group, by the classic protocol.
//!
//! [`Member`](member::Member) decides, the task in [`background`] sends what it says, and [`Group`] is how the consumer that polls takes
//! part. Nothing here waits for the caller while it holds the lock.

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

pub(crate) use caller::{Identity, Taking, Todo};
use member::Member;
pub(crate) use member::Settings;
use subscription::Subscription;

/// A membership. Dropping it ends the heartbeats without a word: the group notices at the end of the session.
#[derive(Debug)]
pub(crate) struct Group {
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    cluster: Cluster,
    coordinator: Arc<Coordinator>,
    member: Mutex<Member>,
    max_poll_interval: Duration,
    exclude_internal_topics: bool,
    /// The task has something new to look at.
    wake: Notify,
    /// The caller has something new to look at.
    changed: Notify,
}

impl Group {
    /// Joins with the first poll, in the background.
    pub(crate) fn join(
        cluster: &Cluster,
        coordinator: Arc<Coordinator>,
        settings: Settings,
        subscription: Subscription,
    ) -> Self {
        let shared = Arc::new(Shared {
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
            .spawn(Arc::clone(&shared).keep_membership())
            .abort_handle();
        Self { shared, task }
    }

    pub(crate) fn todo(&self) -> Todo {
        self.shared.member.lock().todo()
    }

    /// The caller knows why the member failed.
    pub(crate) fn failure_told(&self) {
        self.shared.member.lock().failure_told(Instant::now());
        self.shared.wake.notify_one();
    }

    /// The caller polls.
    pub(crate) fn polled(&self) {
        let was_silent = self.shared.member.lock().polled(Instant::now());
        if was_silent {
            self.shared.wake.notify_one();
        }
    }

    /// Topics may have changed: the member looks at those that it watches.
    pub(crate) fn look_soon(&self) {
        self.shared.member.lock().look_due = Instant::now();
        self.shared.wake.notify_one();
    }

    pub(crate) fn subscribe(&self, subscription: Subscription) {
        self.shared.member.lock().subscribe(subscription);
        self.shared.wake.notify_one();
    }

    /// The caller does not read these any more.
    pub(crate) fn gave_up(&self, partitions: &[TopicPartition]) {
        self.shared.member.lock().gave_up(partitions);
        self.shared.wake.notify_one();
    }

    /// The caller reads what it was given; false if the group has moved on since.
    pub(crate) fn took(&self, generation: i32) -> bool {
        let took = self.shared.member.lock().took(generation);
        self.shared.wake.notify_one();
        took
    }

    pub(crate) fn identity(&self) -> Identity {
        self.shared.member.lock().identity()
    }

    /// A commit in this name was refused.
    pub(crate) fn commit_refused(&self, code: ErrorCode, identity: &Identity) {
        let now = Instant::now();
        self.shared
            .member
            .lock()
            .commit_refused(code, identity, now);
        self.shared.wake.notify_one();
    }

    /// Waits until there may be something new to do.
    pub(crate) fn news(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        async move { shared.changed.notified().await }
    }

    /// Leaves the group, so that the others need not wait for the end of the session.
    pub(crate) async fn leave(self) {
        self.task.abort();
        let Some(request) = self.shared.member.lock().end() else {
            return;
        };
        let left = self.shared.coordinator.call(&self.shared.cluster, request);
        if let Err(error) = left.await {
            tracing::info!(%error, "the group waits for the end of the session");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.task.abort();
    }
}
