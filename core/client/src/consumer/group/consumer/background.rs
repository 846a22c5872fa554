//! The background task of a member: carries out the steps of [`ConsumerMember`] in the client's runtime.

use std::sync::Arc;
use std::time::Instant;

use super::member::{ConsumerMember, Step};
use crate::consumer::group::membership::Membership;

impl Membership<ConsumerMember> {
    /// Runs until aborted.
    pub(in crate::consumer::group) async fn run(self: Arc<Self>) {
        let timeout = self.cluster.config().request_timeout;
        loop {
            let step = self.member.lock().next(Instant::now());
            match step {
                Step::Wait(until) => self.rest(until).await,
                Step::FindCoordinator => {
                    let found = self.coordinator.find(&self.cluster).await.map(drop);
                    self.member.lock().coordinator_found(found, Instant::now());
                }
                Step::LookUpTopics(ids) => {
                    let names = self.cluster.topic_names(&ids).await;
                    self.member.lock().topics_found(names, Instant::now());
                }
                Step::Heartbeat(request) => {
                    let answer = self.call_coordinator(request, timeout).await;
                    self.member
                        .lock()
                        .heartbeat_answered(answer, Instant::now());
                }
                Step::Leave(request) => {
                    self.leave_with(request).await;
                    self.member.lock().left(Instant::now());
                }
            }
        }
    }
}
