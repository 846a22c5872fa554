//! Lists, describes and deletes groups.

use headwater_protocol::{
    ConsumerGroupDescribeRequest, DeleteGroupsRequest, DescribeGroupsRequest, ErrorCode,
    ListGroupsRequest, Str,
};

use super::described_group::{described, described_classic};
use super::{Admin, check};
use crate::batch::TopicPartition;
use crate::cluster::Coordinator;
use crate::error::Result;
use crate::error_codes::{self, only};
use crate::transport::Node;

/// A listed group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub group_id: String,
    /// The group type: `classic` or `consumer`.
    pub group_type: String,
    /// The protocol type: `consumer`, or another one of its members.
    pub protocol_type: String,
    /// Its state, by Kafka's name: `Stable`, `Empty`, ...
    pub state: String,
}

/// A description of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its entry in the list.
    pub info: GroupInfo,
    /// The assignor.
    pub assignor: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id within the group.
    pub member_id: String,
    /// Its `group.instance.id`, for a static member.
    pub instance_id: Option<String>,
    /// Its `client.id`.
    pub client_id: String,
    /// Its host.
    pub host: String,
    /// The topics of its subscription, by name; empty for other protocol types than `consumer`.
    pub topics: Vec<String>,
    /// Its assigned partitions; empty for other protocol types than `consumer`.
    pub assignment: Vec<TopicPartition>,
}

impl Admin {
    /// All groups, sorted by name. Each broker lists the groups that it coordinates.
    pub async fn list_groups(&self) -> Result<Vec<GroupInfo>> {
        let listed = self
            .cluster
            .retried(None, || async {
                let brokers = self.cluster.brokers().await?;
                let requests = brokers
                    .into_iter()
                    .map(|broker| self.list_groups_at(broker));
                futures_util::future::try_join_all(requests).await
            })
            .await?;
        let mut groups: Vec<_> = listed.into_iter().flatten().collect();
        groups.sort_unstable_by(|one, other| one.group_id.cmp(&other.group_id));
        // A group that moves meanwhile may be listed by both brokers.
        groups.dedup_by(|one, other| one.group_id == other.group_id);
        Ok(groups)
    }

    async fn list_groups_at(&self, broker: Node) -> Result<Vec<GroupInfo>> {
        let request = ListGroupsRequest::default();
        let response = self.cluster.call(broker, request).await?;
        check(response.error_code, None, "list groups")?;
        let groups = response.groups.into_iter().map(|group| GroupInfo {
            group_id: group.group_id.to_string(),
            group_type: group.group_type.to_string(),
            protocol_type: group.protocol_type.to_string(),
            state: group.group_state.to_string(),
        });
        Ok(groups.collect())
    }

    /// Describes a group of either type.
    pub async fn describe_group(&self, group_id: &str) -> Result<GroupDescription> {
        let coordinator = Coordinator::of(group_id);
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![Str::from(group_id)],
            ..Default::default()
        };
        self.cluster
            .retried(None, || async {
                let response = match coordinator.call(&self.cluster, request.clone()).await {
                    // A broker before KIP-848 has classic groups only.
                    Err(error) if error.code() == ErrorCode::UnsupportedVersion => {
                        return self.describe_classic_group(&coordinator).await;
                    }
                    response => response?,
                };
                let group = only(response.groups, "ConsumerGroupDescribe")?;
                // A broker whose groups are all classic because of its configuration refuses the request.
                let is_classic = matches!(
                    error_codes::code(group.error_code),
                    ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion
                );
                if is_classic {
                    return self.describe_classic_group(&coordinator).await;
                }
                check_group(group.error_code, "describe", &coordinator)?;
                Ok(described(&group))
            })
            .await
    }

    async fn describe_classic_group(&self, coordinator: &Coordinator) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest {
            groups: vec![Str::from(coordinator.group_id())],
            ..Default::default()
        };
        let response = coordinator.call(&self.cluster, request).await?;
        let group = only(response.groups, "DescribeGroups")?;
        check_group(group.error_code, "describe", coordinator)?;
        Ok(described_classic(group))
    }

    /// Deletes an empty group and its offsets.
    pub async fn delete_group(&self, group_id: &str) -> Result<()> {
        let coordinator = Coordinator::of(group_id);
        let request = DeleteGroupsRequest {
            groups_names: vec![Str::from(group_id)],
            ..Default::default()
        };
        self.cluster
            .retried(None, || async {
                let response = coordinator.call(&self.cluster, request.clone()).await?;
                let result = only(response.results, "DeleteGroups")?;
                check_group(result.error_code, "delete", &coordinator)
            })
            .await
    }
}

/// Checks a code from a group's coordinator. If the group has moved, the next call looks its coordinator up again.
pub(super) fn check_group(code: i16, operation: &str, coordinator: &Coordinator) -> Result<()> {
    let known = error_codes::code(code);
    coordinator.forget_if_moved(known);
    let operation = format!("{operation} group \"{}\"", coordinator.group_id());
    check(code, reason(known), &operation)
}

/// A message for operators; Kafka's message is for members.
fn reason(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::NonEmptyGroup | ErrorCode::UnknownMemberId => {
            Some("it has members: stop them first")
        }
        ErrorCode::GroupIdNotFound => {
            Some("there is no such group: list the groups to see their names")
        }
        _ => None,
    }
}
