//! Metadata requests.

use headwater_protocol::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use headwater_protocol::{ErrorCode, MetadataRequest, MetadataResponse, Str};

use super::FakeCluster;
use super::state::State;

impl FakeCluster {
    pub(super) async fn metadata(&self, node: i32, request: &MetadataRequest) -> MetadataResponse {
        let takes = {
            let mut state = self.state();
            state.metadata_requests += 1;
            state.metadata_takes
        };
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let mut state = self.state();
        if state.rebootstraps > 0 {
            state.rebootstraps -= 1;
            return MetadataResponse {
                error_code: ErrorCode::RebootstrapRequired.code(),
                ..Default::default()
            };
        }
        let forgets = state.metadata_forgets > 0 || state.forgetful_node == Some(node);
        state.metadata_forgets = state.metadata_forgets.saturating_sub(1);
        let all = || state.partitions.keys().map(|name| Str::from(name.as_str()));
        let names: Vec<Str> = match &request.topics {
            None => all().collect(),
            Some(topics) => topics
                .iter()
                .filter_map(|topic| {
                    let name = topic.name.clone();
                    name.or_else(|| state.name_of(topic.topic_id).map(Str::from))
                })
                .collect(),
        };
        let without_leaders = state.metadata_without_leaders > 0;
        state.metadata_without_leaders = state.metadata_without_leaders.saturating_sub(1);
        let topic = |name| {
            if without_leaders {
                refused(name, ErrorCode::LeaderNotAvailable)
            } else {
                describe(&state, name, forgets)
            }
        };
        MetadataResponse {
            brokers: state.nodes.iter().map(|node| address(*node)).collect(),
            controller_id: state.controller,
            topics: names.iter().map(topic).collect(),
            ..Default::default()
        }
    }
}

/// The address of a node.
pub(super) fn address(node: i32) -> MetadataResponseBroker {
    MetadataResponseBroker {
        node_id: node,
        host: format!("node{node}").as_str().into(),
        port: 9092,
        ..Default::default()
    }
}

fn refused(name: &Str, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code.code(),
        name: Some(name.clone()),
        ..Default::default()
    }
}

fn describe(state: &State, name: &Str, forgets: bool) -> MetadataResponseTopic {
    let Some(count) = state.partitions.get(&**name).filter(|_| !forgets) else {
        return refused(name, ErrorCode::UnknownTopicOrPartition);
    };
    let leaders = state.lagging.as_ref().unwrap_or(&state.leaders);
    let partition = |index| {
        let leadership = leaders[&(name.to_string(), index)];
        MetadataResponsePartition {
            partition_index: index,
            leader_id: leadership.node,
            leader_epoch: leadership.epoch,
            replica_nodes: state.nodes.clone(),
            offline_replicas: state.offline_replicas.clone(),
            ..Default::default()
        }
    };
    MetadataResponseTopic {
        name: Some(name.clone()),
        topic_id: state.id_of(name),
        partitions: (0..*count).map(partition).collect(),
        ..Default::default()
    }
}
