//! New leaders in Produce and Fetch responses (KIP-951): requests follow a partition to its new leader without a
//! Metadata request.

use headwater_protocol::{ErrorCode, FetchResponse, ProduceResponse, Response, Str};
use headwater_record::PartitionId;
use uuid::Uuid;

use crate::transport::BrokerAddress;

/// The new leader of a partition, from a broker that does not lead it any more.
#[derive(Debug)]
pub(super) struct NamedLeader {
    /// The topic's name; empty if the response has its id.
    pub(super) topic: Str,
    pub(super) topic_id: Uuid,
    pub(super) partition: PartitionId,
    pub(super) leader: i32,
    pub(super) leader_epoch: i32,
}

/// The new leaders in a response, and the addresses of these brokers.
#[derive(Debug, Default)]
pub(super) struct NamedLeaders {
    pub(super) leaders: Vec<NamedLeader>,
    pub(super) brokers: Vec<BrokerAddress>,
}

impl NamedLeaders {
    /// Extracts the new leaders from a response; `None` if it has none, like most responses.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let named = match response {
            Response::Produce(response) if !response.node_endpoints.is_empty() => {
                of_produce(response)
            }
            Response::Fetch(response) if !response.node_endpoints.is_empty() => of_fetch(response),
            _ => return None,
        };
        Some(named)
    }
}

fn of_produce(response: &ProduceResponse) -> NamedLeaders {
    let mut named = NamedLeaders::default();
    for topic in &response.responses {
        for partition in &topic.partition_responses {
            let current = &partition.current_leader;
            if names_leader(
                partition.error_code,
                current.leader_id,
                current.leader_epoch,
            ) {
                named.leaders.push(NamedLeader {
                    topic: topic.name.clone(),
                    topic_id: topic.topic_id,
                    partition: PartitionId::new(partition.index),
                    leader: current.leader_id,
                    leader_epoch: current.leader_epoch,
                });
            }
        }
    }
    for node in &response.node_endpoints {
        named.brokers.push(address(
            node.node_id,
            &node.host,
            node.port,
            node.rack.as_ref(),
        ));
    }
    named
}

fn of_fetch(response: &FetchResponse) -> NamedLeaders {
    let mut named = NamedLeaders::default();
    for topic in &response.responses {
        for partition in &topic.partitions {
            let current = &partition.current_leader;
            if names_leader(
                partition.error_code,
                current.leader_id,
                current.leader_epoch,
            ) {
                named.leaders.push(NamedLeader {
                    topic: topic.topic.clone(),
                    topic_id: topic.topic_id,
                    partition: PartitionId::new(partition.partition_index),
                    leader: current.leader_id,
                    leader_epoch: current.leader_epoch,
                });
            }
        }
    }
    for node in &response.node_endpoints {
        named.brokers.push(address(
            node.node_id,
            &node.host,
            node.port,
            node.rack.as_ref(),
        ));
    }
    named
}

fn names_leader(error_code: i16, leader: i32, leader_epoch: i32) -> bool {
    let code = ErrorCode::from_code(error_code);
    let is_about_leader = matches!(
        code,
        ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
    );
    is_about_leader && leader >= 0 && leader_epoch >= 0
}

fn address(id: i32, host: &Str, port: i32, rack: Option<&Str>) -> BrokerAddress {
    BrokerAddress {
        id,
        host: host.to_string(),
        port: u16::try_from(port).unwrap_or_default(),
        rack: rack.map(ToString::to_string),
    }
}
