//! Groups as an operator sees them: listed, described, their offsets read and reset, deleted.

mod described;
mod offsets;

use headwater_protocol::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ErrorCode,
    FindCoordinatorRequest, ListGroupsRequest, Str,
};

use crate::batch::TopicPartition;
use crate::client::Client;
use crate::error::Result;
use crate::error_codes;
use crate::transport::Node;

use described::{described, described_classic};
pub use offsets::GroupOffset;

/// `FindCoordinator` for a group.
const KEY_TYPE_GROUP: i8 = 0;
/// A line of the list of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub group_id: String,
    /// `classic` or `consumer`: how its members agree.
    pub group_type: String,
    /// What the group is for: `consumer`, or what its members say.
    pub protocol_type: String,
    /// Kafka's name of its state: `Stable`, `Empty`, ...
    pub state: String,
}

/// A group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// What the list says of it.
    pub info: GroupInfo,
    /// Who decides which member gets which partitions.
    pub assignor: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id within the group.
    pub member_id: String,
    /// The name that it keeps over restarts (`group.instance.id`).
    pub instance_id: Option<String>,
    /// The name of its client (`client.id`).
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What it has; nothing where the members' protocol is not a consumer's.
    pub assignment: Vec<TopicPartition>,
}

impl Client {
    /// Every group that the broker coordinates, by name.
    pub async fn list_groups(&self) -> Result<Vec<GroupInfo>> {
        self.retried(None, || async {
            let response = self.call(Node::Any, ListGroupsRequest::default()).await?;
            checked(response.error_code, "list groups")?;
            let mut groups: Vec<_> = response
                .groups
                .into_iter()
                .map(|group| GroupInfo {
                    group_id: group.group_id.to_string(),
                    group_type: group.group_type.to_string(),
                    protocol_type: group.protocol_type.to_string(),
                    state: group.group_state.to_string(),
                })
                .collect();
            groups.sort_unstable_by(|one, other| one.group_id.cmp(&other.group_id));
            Ok(groups)
        })
        .await
    }

    /// State and members of a group of either type.
    pub async fn describe_group(&self, group_id: &str) -> Result<GroupDescription> {
        self.retried(None, || async {
            let node = self.group_coordinator(group_id).await?;
            let request = ConsumerGroupDescribeRequest {
                group_ids: vec![Str::from(group_id)],
                ..Default::default()
            };
            let response = self.call(node, request).await?;
            let group = only(response.groups, "ConsumerGroupDescribe")?;
            let code = error_codes::code(group.error_code);
            if code == ErrorCode::GroupIdNotFound {
                return self.describe_classic_group(node, group_id).await;
            }
            checked(group.error_code, &doing("describe", group_id))?;
            Ok(described(&group))
        })
        .await
    }

    async fn describe_classic_group(&self, node: Node, group_id: &str) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest {
            groups: vec![Str::from(group_id)],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let group = only(response.groups, "DescribeGroups")?;
        checked(group.error_code, &doing("describe", group_id))?;
        Ok(described_classic(group))
    }

    /// Deletes a group that has no members, with its offsets.
    pub async fn delete_group(&self, group_id: &str) -> Result<()> {
        self.retried(None, || async {
            let node = self.group_coordinator(group_id).await?;
            let request = DeleteGroupsRequest {
                groups_names: vec![Str::from(group_id)],
                ..Default::default()
            };
            let response = self.call(node, request).await?;
            let result = only(response.results, "DeleteGroups")?;
            checked(result.error_code, &doing("delete", group_id))
        })
        .await
    }

    /// The broker that keeps the group.
    async fn group_coordinator(&self, group_id: &str) -> Result<Node> {
        let request = FindCoordinatorRequest {
            key_type: KEY_TYPE_GROUP,
            coordinator_keys: vec![Str::from(group_id)],
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let found = only(response.coordinators, "FindCoordinator")?;
        checked(
            found.error_code,
            &doing("find the coordinator of", group_id),
        )?;
        Ok(Node::Id(found.node_id))
    }
}

fn only<T>(answers: Vec<T>, api: &str) -> Result<T> {
    answers
        .into_iter()
        .next()
        .ok_or_else(|| error_codes::no_answer(api))
}

fn doing(what: &str, group_id: &str) -> String {
    format!("{what} group \"{group_id}\"")
}

fn checked(wire: i16, doing: &str) -> Result<()> {
    match error_codes::code(wire) {
        ErrorCode::None => Ok(()),
        code => Err(error_codes::error(code, told(code), doing)),
    }
}

/// What a code means to an operator, where Kafka's own words are for members.
fn told(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NonEmptyGroup | ErrorCode::UnknownMemberId => {
            Some("it has members: stop them first")
        }
        ErrorCode::GroupIdNotFound => Some("there is no such group: list them to see their names"),
        _ => None,
    }
}
