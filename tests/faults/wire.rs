//! Requests that our client does not send, each on a separate connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use headwater_protocol::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use headwater_protocol::elect_leaders_request::TopicPartitions;
use headwater_protocol::frame::{decode_response, encode_request};
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::MetadataResponseTopic;
use headwater_protocol::{
    AlterPartitionReassignmentsRequest, ApiRequest, ElectLeadersRequest, ErrorCode,
    MetadataRequest, Request, Str,
};

/// The response of a broker to a request of this version. `None` if the broker is unreachable now.
fn call<R: ApiRequest>(address: &str, request: R, version: i16) -> Option<R::Response> {
    let request: Request = request.into();
    let mut out = BytesMut::new();
    encode_request(&mut out, &request, version, 1, None).unwrap();
    let exchange = || -> std::io::Result<Bytes> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(&out)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame)?;
        Ok(frame.into())
    };
    let frame = exchange().ok()?;
    let (_, response) = decode_response(frame, R::API, version).unwrap();
    Some(R::Response::try_from(response).unwrap())
}

/// A topic according to this broker.
pub(crate) fn topic(address: &str, name: &str) -> Option<MetadataResponseTopic> {
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some(Str::from(name)),
            ..MetadataRequestTopic::default()
        }]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    let mut response = call(address, request, 12)?;
    let topic = response.topics.pop()?;
    (topic.error_code == ErrorCode::None.code()).then_some(topic)
}

/// Makes a replica of a partition its preferred leader, and its leader. Returns whether the cluster did it.
pub(crate) fn move_leader(address: &str, name: &str, partition: i32, replicas: Vec<i32>) -> bool {
    let reassign = AlterPartitionReassignmentsRequest {
        topics: vec![ReassignableTopic {
            name: Str::from(name),
            partitions: vec![ReassignablePartition {
                partition_index: partition,
                replicas: Some(replicas),
                ..ReassignablePartition::default()
            }],
            ..ReassignableTopic::default()
        }],
        ..AlterPartitionReassignmentsRequest::default()
    };
    let Some(reassigned) = call(address, reassign, 0) else {
        return false;
    };
    let accepted = reassigned.error_code == 0
        && reassigned
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
            .all(|partition| partition.error_code == 0);
    let elect = ElectLeadersRequest {
        topic_partitions: Some(vec![TopicPartitions {
            topic: Str::from(name),
            partitions: vec![partition],
            ..TopicPartitions::default()
        }]),
        timeout_ms: 10_000,
        ..ElectLeadersRequest::default()
    };
    accepted && call(address, elect, 2).is_some_and(|elected| elected.error_code == 0)
}
