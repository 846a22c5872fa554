//! Requests to the controller, to coordinators, and to every broker.

use headwater_client::{TransportError, TransportErrorKind};
use headwater_protocol::create_topics_response::CreatableTopicResult;
use headwater_protocol::delete_groups_response::DeletableGroupResult;
use headwater_protocol::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use headwater_protocol::delete_topics_response::DeletableTopicResult;
use headwater_protocol::describe_configs_response::DescribeConfigsResult;
use headwater_protocol::describe_groups_response::DescribedGroup;
use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::list_groups_response::ListedGroup;
use headwater_protocol::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteGroupsRequest, DeleteGroupsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DescribeConfigsRequest, DescribeConfigsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse, ListGroupsResponse, Request,
    Response,
};

use super::{FakeCluster, not_here};

impl FakeCluster {
    pub(super) fn answer_admin(
        &self,
        node: i32,
        request: Request,
    ) -> Result<Response, TransportError> {
        match request {
            Request::CreateTopics(request) => Ok(self.create_topics(node, &request).into()),
            Request::DeleteTopics(request) => Ok(self.delete_topics(&request).into()),
            Request::DescribeConfigs(request) => Ok(self.describe_configs(&request).into()),
            Request::DeleteRecords(request) => Ok(self.delete_records(node, &request).into()),
            Request::FindCoordinator(request) => Ok(self.find_coordinator(&request).into()),
            Request::DescribeGroups(request) => Ok(describe_classic_groups(&request).into()),
            Request::ListGroups(_) => Ok(self.list_groups(node).into()),
            Request::DeleteGroups(request) => Ok(self.delete_groups(node, &request).into()),
            other => Err(TransportError {
                reason: format!("no test needs {other:?}"),
                sent: false,
                kind: TransportErrorKind::Unreachable,
            }),
        }
    }

    fn create_topics(&self, node: i32, request: &CreateTopicsRequest) -> CreateTopicsResponse {
        let mut state = self.state();
        let is_here = state.controller == node;
        let mut topics = Vec::new();
        for topic in &request.topics {
            if is_here {
                state.add_topic(&topic.name, topic.num_partitions);
            }
            topics.push(CreatableTopicResult {
                name: topic.name.clone(),
                error_code: not_here(is_here, ErrorCode::NotController),
                ..Default::default()
            });
        }
        CreateTopicsResponse {
            topics,
            ..Default::default()
        }
    }

    fn delete_topics(&self, request: &DeleteTopicsRequest) -> DeleteTopicsResponse {
        let mut state = self.state();
        let responses = request.topics.iter().map(|topic| {
            let name = topic.name.clone().unwrap();
            let was_there = state.partitions.remove(&*name).is_some();
            state.leaders.retain(|(topic, _), _| *topic != *name);
            DeletableTopicResult {
                name: Some(name),
                error_code: not_here(was_there, ErrorCode::UnknownTopicOrPartition),
                ..Default::default()
            }
        });
        DeleteTopicsResponse {
            responses: responses.collect(),
            ..Default::default()
        }
    }

    fn describe_configs(&self, request: &DescribeConfigsRequest) -> DescribeConfigsResponse {
        let mut state = self.state();
        let forgets = state.metadata_forgets > 0;
        state.metadata_forgets = state.metadata_forgets.saturating_sub(1);
        let results = request.resources.iter().map(|resource| {
            let is_known = !forgets && state.partitions.contains_key(&*resource.resource_name);
            DescribeConfigsResult {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                error_code: not_here(is_known, ErrorCode::UnknownTopicOrPartition),
                ..Default::default()
            }
        });
        DescribeConfigsResponse {
            results: results.collect(),
            ..Default::default()
        }
    }

    fn delete_records(&self, node: i32, request: &DeleteRecordsRequest) -> DeleteRecordsResponse {
        let state = self.state();
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                let index = partition.partition_index;
                let refused = state.check_leader(node, &topic.name, index, -1);
                DeleteRecordsPartitionResult {
                    partition_index: index,
                    low_watermark: partition.offset,
                    error_code: refused.map_or(0, ErrorCode::code),
                    ..Default::default()
                }
            });
            DeleteRecordsTopicResult {
                name: topic.name.clone(),
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        DeleteRecordsResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    }

    fn find_coordinator(&self, request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
        let node_id = self.state().coordinator;
        if request.coordinator_keys.is_empty() {
            // Versions before 4 have a single key.
            return FindCoordinatorResponse {
                node_id,
                ..Default::default()
            };
        }
        let coordinators = request.coordinator_keys.iter().map(|key| Coordinator {
            key: key.clone(),
            node_id,
            host: format!("node{node_id}").as_str().into(),
            port: 9092,
            ..Default::default()
        });
        FindCoordinatorResponse {
            coordinators: coordinators.collect(),
            ..Default::default()
        }
    }

    fn list_groups(&self, node: i32) -> ListGroupsResponse {
        let state = self.state();
        let groups = state.groups.get(&node).into_iter().flatten();
        let listed = groups.map(|group| ListedGroup {
            group_id: group.as_str().into(),
            ..Default::default()
        });
        ListGroupsResponse {
            groups: listed.collect(),
            ..Default::default()
        }
    }

    fn delete_groups(&self, node: i32, request: &DeleteGroupsRequest) -> DeleteGroupsResponse {
        let is_here = self.state().coordinator == node;
        let results = request
            .groups_names
            .iter()
            .map(|group| DeletableGroupResult {
                group_id: group.clone(),
                error_code: not_here(is_here, ErrorCode::NotCoordinator),
                ..Default::default()
            });
        DeleteGroupsResponse {
            results: results.collect(),
            ..Default::default()
        }
    }
}

/// Classic groups without members.
fn describe_classic_groups(request: &DescribeGroupsRequest) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|group| DescribedGroup {
        group_id: group.clone(),
        group_state: "Empty".into(),
        ..Default::default()
    });
    DescribeGroupsResponse {
        groups: groups.collect(),
        ..Default::default()
    }
}
