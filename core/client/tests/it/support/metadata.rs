//! Metadata requests.

use headwater_protocol::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use headwater_protocol::{ErrorCode, MetadataRequest, MetadataResponse, Str};
use uuid::Uuid;

use super::FakeCluster;
use super::state::State;

impl FakeCluster {
    pub(super) async fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let takes = {
            let mut state = self.state();
            state.metadata_requests += 1;
            state.metadata_takes
        };
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let state = self.state();
        let all = || state.partitions.keys().map(|name| Str::from(name.as_str()));
        let names: Vec<Str> = match &request.topics {
            None => all().collect(),
            Some(topics) => topics
                .iter()
                .filter_map(|topic| topic.name.clone())
                .collect(),
        };
        MetadataResponse {
            brokers: state.nodes.iter().map(|node| address(*node)).collect(),
            controller_id: state.controller,
            topics: names.iter().map(|name| describe(&state, name)).collect(),
            ..Default::default()
        }
    }
}

fn address(node: i32) -> MetadataResponseBroker {
    MetadataResponseBroker {
        node_id: node,
        host: format!("node{node}").as_str().into(),
        port: 9092,
        ..Default::default()
    }
}

fn describe(state: &State, name: &Str) -> MetadataResponseTopic {
    let Some(count) = state.partitions.get(&**name) else {
        return MetadataResponseTopic {
            error_code: ErrorCode::UnknownTopicOrPartition.code(),
            name: Some(name.clone()),
            ..Default::default()
        };
    };
    let leaders = state.lagging.as_ref().unwrap_or(&state.leaders);
    let partition = |index| {
        let leadership = leaders[&(name.to_string(), index)];
        MetadataResponsePartition {
            partition_index: index,
            leader_id: leadership.node,
            leader_epoch: leadership.epoch,
            ..Default::default()
        }
    };
    MetadataResponseTopic {
        name: Some(name.clone()),
        topic_id: Uuid::from_u128(1),
        partitions: (0..*count).map(partition).collect(),
        ..Default::default()
    }
}
