//! The broker that coordinates a consumer group.

use headwater_protocol::{ApiRequest, ErrorCode, FindCoordinatorRequest, Str};
use parking_lot::Mutex;

use super::Cluster;
use crate::error::Result;
use crate::error_codes;
use crate::transport::Node;

/// Kafka's `CoordinatorType`: consumer groups.
const GROUP: i8 = 0;

/// The coordinator of one group: looked up at the first call, and again after it has moved. May be used concurrently.
#[derive(Debug)]
pub(crate) struct Coordinator {
    group_id: String,
    node: Mutex<Option<i32>>,
}

impl Coordinator {
    pub(crate) fn of(group_id: &str) -> Self {
        Self {
            group_id: group_id.to_owned(),
            node: Mutex::new(None),
        }
    }

    pub(crate) fn group_id(&self) -> &str {
        &self.group_id
    }

    /// Sends a request to the coordinator. After a failed request, the next call looks the coordinator up again.
    pub(crate) async fn call<R: ApiRequest>(
        &self,
        cluster: &Cluster,
        request: R,
    ) -> Result<R::Response> {
        let node = self.node(cluster).await?;
        let answer = cluster.call(node, request).await;
        answer.inspect_err(|_| self.forget())
    }

    /// The coordinator, looked up if unknown.
    pub(crate) async fn node(&self, cluster: &Cluster) -> Result<Node> {
        let known = *self.node.lock();
        match known {
            Some(node) => Ok(Node::Id(node)),
            None => self.find(cluster).await,
        }
    }

    /// Looks the coordinator up.
    pub(crate) async fn find(&self, cluster: &Cluster) -> Result<Node> {
        let key = Str::from(self.group_id.as_str());
        let request = FindCoordinatorRequest {
            key_type: GROUP,
            coordinator_keys: vec![key],
            ..Default::default()
        };
        let response = cluster.call(Node::Any, request).await?;
        let found = error_codes::only(response.coordinators, "FindCoordinator")?;
        let code = error_codes::code(found.error_code);
        if code != ErrorCode::None {
            let operation = format!("find the coordinator of group \"{}\"", self.group_id);
            let reason = found.error_message.as_deref();
            return Err(cluster.located(error_codes::error(code, reason, &operation)));
        }
        cluster.note_coordinator(&found);
        *self.node.lock() = Some(found.node_id);
        Ok(Node::Id(found.node_id))
    }

    /// Forgets the coordinator if this code means that it has moved.
    pub(crate) fn forget_if_moved(&self, code: ErrorCode) {
        if matches!(
            code,
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable
        ) {
            self.forget();
        }
    }

    /// Makes the next call look the coordinator up again.
    pub(crate) fn forget(&self) {
        *self.node.lock() = None;
    }
}
