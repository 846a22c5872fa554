//! How each request is shaped for the version that a broker supports.
//!
//! Above the transport, requests and responses have the shape of the newest version, and topics have both name and id.
//! A transport that encodes them calls [`ShapedRequest::new`] for the connection that carries the request, and
//! [`ShapedRequest::restore`] with the decoded response. Nothing else in the client depends on versions. In process
//! there is only the newest version, and no shaping.
//!
//! Fields that a version does not have and that Kafka's definition calls ignorable are left out by the codec. This file
//! has the rest:
//!
//! | API | version | shape |
//! |---|---|---|
//! | Produce, Fetch | < 13 | topics by name instead of id; a topic without id needs this shape |
//! | ListOffsets | >= 7, 8, 9, 11 | needed by the special timestamps -3, -4, -5, -6 |
//! | OffsetCommit, OffsetFetch | < 10 | topics by name; OffsetFetch for all topics needs this shape, because its response would name none |
//! | OffsetFetch | < 8, < 7 | a single group; offsets of open transactions are included |
//! | FindCoordinator | < 4 | a single key |
//! | LeaveGroup | < 3 | a single member |
//! | DescribeGroups | < 6 | an unknown group is "Dead", without an error |
//! | ListGroups | < 5 | no group types; all groups are classic |
//! | DeleteTopics | < 6 | topics by name only |
//! | DescribeConfigs | < 3 | no documentation |

use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};
use headwater_protocol::{
    ApiKey, DeleteTopicsRequest, DescribeGroupsResponse, ErrorCode, FetchRequest,
    FindCoordinatorRequest, FindCoordinatorResponse, LeaveGroupRequest, ListGroupsResponse,
    ListOffsetsRequest, OffsetFetchRequest, OffsetFetchResponse, Request, Response, Str,
    VersionRange,
};
use uuid::Uuid;

use crate::mutants::{self, Mutant};
use crate::node_versions::NodeVersions;
use crate::transport::TransportError;

/// A request in the shape of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapedRequest {
    /// The request.
    pub request: Request,
    /// The version to encode it in.
    pub version: i16,
}

impl ShapedRequest {
    /// Shapes a request for the newest version that the broker and the request allow. Fails if there is none; the
    /// message has the required broker version.
    pub fn new(request: Request, broker: &NodeVersions) -> Result<Self, TransportError> {
        let api = request.api_key();
        let common = broker.common(api).ok_or_else(|| missing(api))?;
        let needed = needed(&request);
        let usable = common
            .intersection(needed)
            .ok_or_else(|| outside(api, needed))?;
        let version = if mutants::is_active(Mutant::SendNewestVersion) {
            api.supported().highest
        } else {
            usable.highest
        };
        let request = match request {
            request if mutants::is_active(Mutant::KeepNewestShape) => request,
            Request::FindCoordinator(request) if version < 4 => one_key(request)?.into(),
            Request::OffsetFetch(request) if version < 8 => one_group(request, version)?.into(),
            Request::LeaveGroup(request) if version < 3 => one_member(request)?.into(),
            Request::DeleteTopics(request) if version < 6 => names_only(request).into(),
            Request::DescribeConfigs(mut request) if version < 3 => {
                request.include_documentation = false;
                request.into()
            }
            Request::Fetch(request) if version < 13 => without_replaced(request).into(),
            request => request,
        };
        Ok(Self { request, version })
    }

    /// The response to this request in the shape of the newest version.
    pub fn restore(&self, response: Response) -> Response {
        match (response, &self.request) {
            (Response::FindCoordinator(response), Request::FindCoordinator(request))
                if self.version < 4 =>
            {
                one_coordinator(response, request.key.clone()).into()
            }
            (Response::OffsetFetch(response), Request::OffsetFetch(request))
                if self.version < 8 =>
            {
                group_of(response, request.group_id.clone()).into()
            }
            (Response::DescribeGroups(response), _) if self.version < 6 => {
                with_unknown_groups(response).into()
            }
            (Response::ListGroups(response), _) if self.version < 5 => {
                with_classic_type(response).into()
            }
            (response, _) => response,
        }
    }
}

/// The versions that can carry this request.
fn needed(request: &Request) -> VersionRange {
    const ANY: VersionRange = VersionRange::new(0, i16::MAX);
    match request {
        Request::Produce(request) => {
            by_id_since(13, request.topic_data.iter().map(|topic| topic.topic_id))
        }
        Request::Fetch(request) => {
            let fetched = request.topics.iter().map(|topic| topic.topic_id);
            let forgotten = request.forgotten_topics_data.iter();
            by_id_since(13, fetched.chain(forgotten.map(|topic| topic.topic_id)))
        }
        Request::OffsetCommit(request) => {
            by_id_since(10, request.topics.iter().map(|topic| topic.topic_id))
        }
        Request::OffsetFetch(request) if request.groups.iter().any(|one| one.topics.is_none()) => {
            VersionRange::new(0, 9)
        }
        Request::OffsetFetch(request) => {
            let topics = request.groups.iter().flat_map(|group| &group.topics);
            by_id_since(10, topics.flatten().map(|topic| topic.topic_id))
        }
        Request::ListOffsets(request) => VersionRange::new(lowest_for(request), i16::MAX),
        _ => ANY,
    }
}

/// From `version` on topics are identified by id, so a topic without an id needs an earlier version.
fn by_id_since(version: i16, topic_ids: impl IntoIterator<Item = Uuid>) -> VersionRange {
    let is_any_without = topic_ids.into_iter().any(|id| id.is_nil());
    let highest = if is_any_without {
        version - 1
    } else {
        i16::MAX
    };
    VersionRange::new(0, highest)
}

/// The lowest version with the special timestamps of the request: max timestamp (KIP-734), earliest local (KIP-405),
/// latest tiered (KIP-1005), earliest pending upload (KIP-1023).
fn lowest_for(request: &ListOffsetsRequest) -> i16 {
    let partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    let lowest = partitions.map(|partition| match partition.timestamp {
        ..-5 => 11,
        -5 => 9,
        -4 => 8,
        -3 => 7,
        _ => 1,
    });
    lowest.max().unwrap_or(1)
}

fn one_key(request: FindCoordinatorRequest) -> Result<FindCoordinatorRequest, TransportError> {
    let [key] = single(request.coordinator_keys, ApiKey::FindCoordinator)?;
    Ok(FindCoordinatorRequest {
        key,
        coordinator_keys: Vec::new(),
        ..request
    })
}

fn one_coordinator(response: FindCoordinatorResponse, key: Str) -> FindCoordinatorResponse {
    let coordinator = Coordinator {
        key,
        node_id: response.node_id,
        host: response.host,
        port: response.port,
        error_code: response.error_code,
        error_message: response.error_message,
        ..Coordinator::default()
    };
    FindCoordinatorResponse {
        throttle_time_ms: response.throttle_time_ms,
        coordinators: vec![coordinator],
        ..FindCoordinatorResponse::default()
    }
}

fn one_group(
    request: OffsetFetchRequest,
    version: i16,
) -> Result<OffsetFetchRequest, TransportError> {
    let [group] = single(request.groups, ApiKey::OffsetFetch)?;
    let OffsetFetchRequestGroup {
        group_id, topics, ..
    } = group;
    let topics = topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopic {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopic::default()
        });
        topics.collect()
    });
    Ok(OffsetFetchRequest {
        group_id,
        topics,
        groups: Vec::new(),
        require_stable: request.require_stable && version >= 7,
        ..request
    })
}

fn group_of(response: OffsetFetchResponse, group_id: Str) -> OffsetFetchResponse {
    let partition = |old: OffsetFetchResponsePartition| OffsetFetchResponsePartitions {
        partition_index: old.partition_index,
        committed_offset: old.committed_offset,
        committed_leader_epoch: old.committed_leader_epoch,
        metadata: old.metadata,
        error_code: old.error_code,
        ..OffsetFetchResponsePartitions::default()
    };
    let topics = response.topics.into_iter();
    let topics = topics.map(|topic| OffsetFetchResponseTopics {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
        ..OffsetFetchResponseTopics::default()
    });
    let group = OffsetFetchResponseGroup {
        group_id,
        topics: topics.collect(),
        error_code: response.error_code,
        ..OffsetFetchResponseGroup::default()
    };
    OffsetFetchResponse {
        throttle_time_ms: response.throttle_time_ms,
        groups: vec![group],
        ..OffsetFetchResponse::default()
    }
}

fn one_member(request: LeaveGroupRequest) -> Result<LeaveGroupRequest, TransportError> {
    let [member] = single(request.members, ApiKey::LeaveGroup)?;
    Ok(LeaveGroupRequest {
        member_id: member.member_id,
        members: Vec::new(),
        ..request
    })
}

fn names_only(request: DeleteTopicsRequest) -> DeleteTopicsRequest {
    let names = request.topics.into_iter().filter_map(|topic| topic.name);
    DeleteTopicsRequest {
        topic_names: names.collect(),
        topics: Vec::new(),
        ..request
    }
}

/// Does not forget a recreated topic: it has the name of the new one, and a broker processes forgotten topics last.
fn without_replaced(mut request: FetchRequest) -> FetchRequest {
    let fetched = |name: &Str, number: i32| {
        let mut topics = request.topics.iter().filter(|topic| topic.topic == *name);
        topics.any(|topic| topic.partitions.iter().any(|one| one.partition == number))
    };
    let mut forgotten = std::mem::take(&mut request.forgotten_topics_data);
    for topic in &mut forgotten {
        let name = topic.topic.clone();
        topic.partitions.retain(|number| !fetched(&name, *number));
    }
    forgotten.retain(|topic| !topic.partitions.is_empty());
    request.forgotten_topics_data = forgotten;
    request
}

fn with_unknown_groups(mut response: DescribeGroupsResponse) -> DescribeGroupsResponse {
    for group in &mut response.groups {
        if group.error_code == ErrorCode::None.code() && *group.group_state == *"Dead" {
            group.error_code = ErrorCode::GroupIdNotFound.code();
        }
    }
    response
}

fn with_classic_type(mut response: ListGroupsResponse) -> ListGroupsResponse {
    for group in &mut response.groups {
        group.group_type = Str::from("classic");
    }
    response
}

fn single<T>(items: Vec<T>, api: ApiKey) -> Result<[T; 1], TransportError> {
    items.try_into().map_err(|items: Vec<T>| {
        TransportError::unsupported(format!(
            "the broker's version of {api} supports one item per request, but this request has {}",
            items.len()
        ))
    })
}

fn missing(api: ApiKey) -> TransportError {
    let needed = match api {
        ApiKey::DescribeUserScramCredentials | ApiKey::AlterUserScramCredentials => {
            "Apache Kafka 2.7 with ZooKeeper, or 3.5"
        }
        ApiKey::ConsumerGroupHeartbeat | ApiKey::ConsumerGroupDescribe => "Apache Kafka 4.0",
        _ => "Apache Kafka 2.8",
    };
    TransportError::unsupported(format!(
        "the broker does not support {api}, which needs {needed} or newer: upgrade the broker"
    ))
}

fn outside(api: ApiKey, needed: VersionRange) -> TransportError {
    let which = if needed.highest == i16::MAX {
        format!("version {} or newer", needed.lowest)
    } else {
        format!("version {} or older", needed.highest)
    };
    TransportError::unsupported(format!(
        "the request needs {api} {which}, which the broker does not support: use a broker of another release"
    ))
}

#[cfg(test)]
#[path = "request_shapes_tests.rs"]
mod tests;
