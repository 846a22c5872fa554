//! Administration: the cluster, topics and their configuration, records, groups and their offsets, users, log
//! directories.
//!
//! Each call goes to the controller, a leader, a coordinator or all brokers, and is retried like all requests of the
//! client.

mod cluster;
mod configs;
mod described_group;
mod group_offsets;
mod groups;
mod log_dirs;
mod records;
mod topics;
mod users;

use headwater_protocol::{ApiRequest, ErrorCode};

use crate::cluster::Cluster;
use crate::duration::wire_ms;
use crate::error::Result;
use crate::error_codes;

pub use cluster::ClusterDescription;
pub use configs::ConfigEntry;
pub use group_offsets::GroupOffset;
pub use groups::{GroupDescription, GroupInfo, GroupMember};
pub use topics::{IfExists, NewTopic, TopicChanges, TopicInfo};
pub use users::UserInfo;

/// Administers a cluster. Cloning is cheap. May be used concurrently.
#[derive(Debug, Clone)]
pub struct Admin {
    cluster: Cluster,
}

impl Admin {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// Sends a request to the controller and passes the response to `read`, with retries, as the controller may have
    /// moved.
    async fn at_controller<R: ApiRequest + Clone, T>(
        &self,
        request: R,
        read: impl Fn(R::Response) -> Result<T>,
    ) -> Result<T> {
        let answer = self.cluster.retried(None, || async {
            let node = self.cluster.controller().await?;
            read(self.cluster.call(node, request.clone()).await?)
        });
        match answer.await {
            Err(error) => Err(self.cluster.with_nearest_topic(error).await),
            answer => answer,
        }
    }

    /// The timeout of a change, for requests.
    fn timeout_ms(&self) -> i32 {
        wire_ms(self.cluster.config().request_timeout)
    }
}

/// Checks a result's code. `reason` is the broker's message, `operation` the attempted operation ("delete group
/// \"g\"").
fn check(code: i16, reason: Option<&str>, operation: &str) -> Result<()> {
    match error_codes::code(code) {
        ErrorCode::None => Ok(()),
        code => Err(error_codes::error(code, reason, operation)),
    }
}

/// [`check`] for a result about a topic. An unknown topic is not retried.
fn check_topic(code: i16, reason: Option<&str>, operation: &str, topic: &str) -> Result<()> {
    check(code, reason, &format!("{operation} topic \"{topic}\"")).map_err(|error| {
        let is_unknown = matches!(
            error.code(),
            ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId
        );
        let retriable = error.is_retriable() && !is_unknown;
        error.in_topic(topic).retriable(retriable)
    })
}
