//! The broker that coordinates a group.

use headwater_protocol::{ErrorCode, FindCoordinatorRequest, Str};
use parking_lot::Mutex;

use crate::client::Client;
use crate::error::Result;
use crate::error_codes;
use crate::transport::Node;

const GROUP: i8 = 0;

/// Knows the coordinator of a group until it turns out to be another.
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

    /// The coordinator, asked for if it is not known.
    pub(crate) async fn node(&self, client: &Client) -> Result<Node> {
        let known = *self.node.lock();
        match known {
            Some(node) => Ok(Node::Id(node)),
            None => self.find(client).await,
        }
    }

    /// Asks who it is.
    pub(crate) async fn find(&self, client: &Client) -> Result<Node> {
        let key = Str::from(self.group_id.as_str());
        let request = FindCoordinatorRequest {
            key_type: GROUP,
            coordinator_keys: vec![key],
            ..Default::default()
        };
        let response = client.call(Node::Any, request).await?;
        let found = response.coordinators.into_iter().next();
        let found = found.ok_or_else(|| error_codes::no_answer("FindCoordinator"))?;
        let code = error_codes::code(found.error_code);
        if code != ErrorCode::None {
            let doing = format!("find the coordinator of group \"{}\"", self.group_id);
            let told = found.error_message.as_deref();
            return Err(error_codes::error(code, told, &doing));
        }
        *self.node.lock() = Some(found.node_id);
        Ok(Node::Id(found.node_id))
    }

    /// It is another by now.
    pub(crate) fn forget(&self) {
        *self.node.lock() = None;
    }
}
