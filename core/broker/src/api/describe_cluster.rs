//! `DescribeCluster` (key 60), versions 0-2.
//!
//! Behaviour: the cluster's id, its controller and its brokers, as the listener of the request advertises them.
//!
//! Notes: there are no access rules yet, so no authorized operations are told.

use headwater_env::Env;
use headwater_protocol::describe_cluster_response::DescribeClusterBroker;
use headwater_protocol::{DescribeClusterRequest, DescribeClusterResponse, ErrorCode};

use crate::RequestContext;
use crate::state::State;

/// `cluster_authorized_operations` when they were not asked for or are not known.
pub(super) const NO_OPERATIONS: i32 = i32::MIN;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let image = state.image();
    let wanted = image
        .brokers()
        .filter(|(_, broker)| request.include_fenced_brokers || !broker.fenced);
    let brokers = wanted.map(|(id, broker)| DescribeClusterBroker {
        broker_id: id,
        host: (&*context.listener.host).into(),
        port: i32::from(context.listener.port),
        rack: broker.rack.as_ref().map(|rack| (&**rack).into()),
        is_fenced: broker.fenced,
        ..DescribeClusterBroker::default()
    });
    DescribeClusterResponse {
        error_code: ErrorCode::None.code(),
        endpoint_type: request.endpoint_type,
        cluster_id: state.cluster_id.as_str().into(),
        controller_id: state.node_id,
        brokers: brokers.collect(),
        cluster_authorized_operations: NO_OPERATIONS,
        ..DescribeClusterResponse::default()
    }
}
