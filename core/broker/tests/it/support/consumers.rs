//! A test client of consumer groups (KIP-848).

use super::groups::*;
use super::*;
use headwater_protocol::consumer_group_describe_response::DescribedGroup;
use headwater_protocol::consumer_group_heartbeat_request::TopicPartitions;
use headwater_protocol::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    ErrorCode,
};

/// The protocol state of a client: its last response.
pub struct Client {
    pub id: &'static str,
    pub instance_id: Option<&'static str>,
    pub epoch: i32,
    pub owned: Vec<TopicPartitions>,
}

impl Client {
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            instance_id: None,
            epoch: 0,
            owned: Vec::new(),
        }
    }

    pub fn request(&self) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: "g".into(),
            member_id: self.id.into(),
            member_epoch: self.epoch,
            instance_id: self.instance_id.map(Into::into),
            rebalance_timeout_ms: 30_000,
            subscribed_topic_names: Some(vec!["t".into()]),
            topic_partitions: Some(self.owned.clone()),
            ..Default::default()
        }
    }

    /// Only the mandatory fields of a heartbeat.
    pub fn bare(&self) -> ConsumerGroupHeartbeatRequest {
        ConsumerGroupHeartbeatRequest {
            group_id: "g".into(),
            member_id: self.id.into(),
            member_epoch: self.epoch,
            instance_id: self.instance_id.map(Into::into),
            ..Default::default()
        }
    }

    pub fn beat(&mut self, broker: &Sim) -> ErrorCode {
        let response = ask(broker, self.request());
        self.receive(&response);
        code(response.error_code)
    }

    pub fn receive(&mut self, response: &ConsumerGroupHeartbeatResponse) {
        if response.error_code != 0 {
            return;
        }
        self.epoch = response.member_epoch;
        if let Some(assignment) = &response.assignment {
            let topics = assignment.topic_partitions.iter();
            self.owned = topics
                .map(|topic| TopicPartitions {
                    topic_id: topic.topic_id,
                    partitions: topic.partitions.clone(),
                    ..Default::default()
                })
                .collect();
        }
    }

    pub fn partitions(&self) -> Vec<i32> {
        let mut partitions: Vec<_> = self
            .owned
            .iter()
            .flat_map(|topic| topic.partitions.clone())
            .collect();
        partitions.sort_unstable();
        partitions
    }
}

pub fn describe(broker: &Sim) -> DescribedGroup {
    let request = ConsumerGroupDescribeRequest {
        group_ids: vec!["g".into()],
        ..Default::default()
    };
    ask(broker, request).groups.remove(0)
}

pub fn two_members(broker: &Sim) -> [Client; 2] {
    let mut clients = [Client::new("a"), Client::new("b")];
    for _ in 0..3 {
        for client in &mut clients {
            assert_eq!(client.beat(broker), ErrorCode::None);
        }
    }
    clients
}
