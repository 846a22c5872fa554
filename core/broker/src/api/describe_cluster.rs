//! `DescribeCluster` (key 60), versions 0-2.
//!
//! Behaviour: the cluster id, the controller and the brokers, with the addresses that the listener of the request
//! advertises.
//!
//! Notes: other endpoint types (controllers, 2) are `MISMATCHED_ENDPOINT_TYPE`.

use headwater_env::Env;
use headwater_protocol::describe_cluster_response::DescribeClusterBroker;
use headwater_protocol::{DescribeClusterRequest, DescribeClusterResponse, ErrorCode};

use super::support::authorized_operations::{self, if_requested};
use crate::RequestContext;
use crate::controller::Controller;

const ENDPOINT_BROKERS: i8 = 1;
const ENDPOINT_CONTROLLERS: i8 = 2;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    match request.endpoint_type {
        ENDPOINT_BROKERS => {}
        ENDPOINT_CONTROLLERS => {
            let message =
                "the request is for controllers, and this is a broker: use endpoint type 1";
            return refused(ErrorCode::MismatchedEndpointType, &request, message);
        }
        _ => {
            let message = "the endpoint type is neither 1 (brokers) nor 2 (controllers)";
            return refused(ErrorCode::UnsupportedEndpointType, &request, message);
        }
    }
    let image = controller.image();
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
        cluster_id: controller.node.cluster_id.as_str().into(),
        controller_id: controller.node.id,
        brokers: brokers.collect(),
        cluster_authorized_operations: if_requested(
            request.include_cluster_authorized_operations,
            authorized_operations::CLUSTER,
        ),
        ..DescribeClusterResponse::default()
    }
}

fn refused(
    code: ErrorCode,
    request: &DescribeClusterRequest,
    message: &'static str,
) -> DescribeClusterResponse {
    DescribeClusterResponse {
        error_code: code.code(),
        error_message: Some(message.into()),
        endpoint_type: request.endpoint_type,
        ..DescribeClusterResponse::default()
    }
}
