//! Membership in a consumer group.
//!
//! Each group protocol is a state machine behind the trait [`Member`](membership::Member): [`classic`], whose members
//! assign, and [`consumer`] (KIP-848), whose broker assigns. A task in the background sends the requests of the
//! machine, and [`Group`] is the consumer's handle. Only [`Group::join`] distinguishes the protocols.

mod classic;
mod consumer;
mod membership;
pub(crate) mod offsets;
pub(crate) mod subscription;
mod target;
mod timers;

use std::sync::Arc;
use std::time::Instant;

use headwater_protocol::ErrorCode;
use tokio::task::AbortHandle;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator};
use crate::config::GroupProtocol;
use crate::consumer::group_metadata::GroupMetadata;
use crate::transport::Purpose;

use classic::ClassicMember;
use consumer::ConsumerMember;
pub(crate) use membership::{Identity, NewAssignment, Settings, Todo};
use membership::{LeaveRequest, Member, Membership};
use subscription::Subscription;

/// The consumer's handle on its membership. Dropping it stops the heartbeats without leaving the group: the session
/// then expires.
#[derive(Debug)]
pub(crate) struct Group {
    membership: Arc<Membership<dyn Member>>,
    task: AbortHandle,
}

impl Group {
    /// Starts the background task. It joins the group after the first poll.
    pub(crate) fn join(
        cluster: &Cluster,
        coordinator: Arc<Coordinator>,
        settings: Settings,
        subscription: Subscription,
    ) -> Self {
        let lane = cluster.with_lane(Purpose::Group);
        let now = Instant::now();
        match settings.group.protocol.clone() {
            GroupProtocol::Classic(config) => {
                let member = ClassicMember::new(settings, config, subscription, now);
                let membership = Arc::new(Membership::new(lane, coordinator, member));
                let task = cluster.runtime().spawn(Arc::clone(&membership).run());
                Self {
                    membership,
                    task: task.abort_handle(),
                }
            }
            GroupProtocol::Consumer(config) => {
                let member = ConsumerMember::new(settings, config, subscription, now);
                let membership = Arc::new(Membership::new(lane, coordinator, member));
                let task = cluster.runtime().spawn(Arc::clone(&membership).run());
                Self {
                    membership,
                    task: task.abort_handle(),
                }
            }
        }
    }

    pub(crate) fn todo(&self) -> Todo {
        self.membership.member.lock().todo()
    }

    /// Records that the failure was returned to the caller.
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

    /// Records that a topic has changed: the group rebalances as soon as possible.
    pub(crate) fn topic_changed(&self) {
        self.membership.member.lock().topic_changed(Instant::now());
        self.membership.wake.notify_one();
    }

    /// Records that a heartbeat may return a new assignment: it is sent as soon as possible.
    fn expect_assignment(&self) {
        self.membership
            .member
            .lock()
            .expect_assignment(Instant::now());
        self.membership.wake.notify_one();
    }

    pub(crate) fn subscribe(&self, subscription: Subscription) {
        self.membership.member.lock().subscribe(subscription);
        self.membership.wake.notify_one();
    }

    /// Records that the consumer no longer owns these partitions.
    pub(crate) fn release(&self, partitions: &[TopicPartition]) {
        self.membership.member.lock().release(partitions);
        self.membership.wake.notify_one();
    }

    /// Records that the consumer takes over its assignment. Returns false if it is no longer current.
    pub(crate) fn accept_assignment(&self, version: i32) -> bool {
        let accepted = self.membership.member.lock().accept_assignment(version);
        self.membership.wake.notify_one();
        accepted
    }

    /// The member for requests about offsets.
    pub(crate) fn committer(&self) -> Committer {
        Committer(Some(Arc::clone(&self.membership)))
    }

    /// Waits for a new [`Todo`]; may wake up spuriously.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let membership = Arc::clone(&self.membership);
        async move { membership.changed.notified().await }
    }

    /// Leaves, so that the group rebalances before the session expires.
    pub(crate) async fn leave(self) {
        self.task.abort();
        let Some(request) = self.membership.member.lock().leave_on_close() else {
            return;
        };
        let (cluster, coordinator) = (&self.membership.cluster, &self.membership.coordinator);
        let left = match request {
            LeaveRequest::Classic(request) => coordinator.call(cluster, request).await.map(drop),
            LeaveRequest::Consumer(request) => coordinator.call(cluster, request).await.map(drop),
        };
        if let Err(error) = left {
            tracing::info!(%error, "could not leave the group; the session will expire");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The member for requests about offsets, if there is one. Its generation or epoch may change between two attempts.
#[derive(Debug, Clone)]
pub(crate) struct Committer(Option<Arc<Membership<dyn Member>>>);

impl Committer {
    /// The committer of a consumer that is not a member.
    pub(crate) const fn without_membership() -> Self {
        Self(None)
    }

    /// The identity for a commit that is sent now.
    fn identity(&self) -> Identity {
        let membership = self.0.as_ref();
        membership.map_or_else(Identity::none, |membership| {
            membership.member.lock().committer()
        })
    }

    /// The membership in the group with this name.
    pub(crate) fn metadata(&self, group_id: String) -> GroupMetadata {
        let (identity, election) = match &self.0 {
            None => (Identity::none(), None),
            Some(membership) => {
                let member = membership.member.lock();
                (member.committer(), member.election())
            }
        };
        let (leader_id, assignor) = election.unzip();
        GroupMetadata {
            group_id,
            member_id: identity.member_id.to_string(),
            generation_id: identity.generation_or_epoch,
            group_instance_id: identity.instance_id.map(|id| id.to_string()),
            leader_id: leader_id.map(|id| id.to_string()),
            assignor: assignor.map(|name| name.to_string()),
        }
    }

    /// The identity for reading committed offsets now.
    fn reader(&self) -> Option<Identity> {
        self.0.as_ref()?.member.lock().reader()
    }

    /// Reports that a request about offsets failed with `code`.
    fn refused(&self, code: ErrorCode, identity: &Identity) {
        if let Some(membership) = &self.0 {
            let mut member = membership.member.lock();
            member.offsets_refused(code, identity, Instant::now());
            drop(member);
            membership.wake.notify_one();
        }
    }
}
