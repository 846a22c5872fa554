//! The counters of a transport.

use std::time::Duration;

use headwater_client::{BrokerMetrics, Node, Purpose, Transport as _};
use headwater_protocol::{MetadataRequest, ProduceRequest};

use crate::support::{Peer, ask, ask_node, lane_of, transport};

/// The metrics of the only broker.
fn only(metrics: Vec<BrokerMetrics>) -> BrokerMetrics {
    assert_eq!(metrics.len(), 1, "{metrics:?}");
    metrics.into_iter().next().unwrap()
}

#[tokio::test]
async fn connections_requests_and_bytes_are_counted_for_each_broker() {
    let peer = Peer::obliging().await;
    let transport = transport(&[&peer.address], &[]);
    assert_eq!(transport.broker_metrics(), []);
    let lanes = [Purpose::Admin, Purpose::Fetch].map(|purpose| lane_of(&transport, purpose));
    for lane in &lanes {
        ask(&**lane).await.unwrap();
        ask(&**lane).await.unwrap();
    }
    let counted = only(transport.broker_metrics());
    assert_eq!((counted.id, &counted.address), (None, &peer.address));
    assert_eq!((counted.connections, counted.connections_opened), (2, 2));
    assert_eq!(
        (counted.requests, counted.errors, counted.in_flight),
        (4, 0, 0)
    );
    assert_eq!(counted.latency.count, 4);
    assert!(
        counted.latency.p50 <= counted.latency.p99 && counted.latency.p99 <= counted.latency.max
    );
    assert!(
        counted.bytes_sent >= 4 * 12 && counted.bytes_received >= 4 * 8,
        "{counted:?}"
    );

    transport.learn(&[peer.broker(5)]);
    ask_node(&*lanes[0], Node::Id(5)).await.unwrap();
    let named = only(transport.broker_metrics());
    assert_eq!((named.id, named.requests), (Some(5), 5));
    assert!(named.bytes_sent > counted.bytes_sent);
    transport.close();
    assert_eq!(only(transport.broker_metrics()).connections, 0);
}

#[tokio::test]
async fn lost_connections_and_failed_attempts_are_counted() {
    let peer = Peer::start(|mut broker, number| async move {
        if number == 0 {
            return;
        }
        broker.greet().await;
        broker.next().await;
    })
    .await;
    let transport = transport(&[&peer.address], &[("reconnect.backoff.ms", "1")]);
    let lane = lane_of(&transport, Purpose::Admin);
    ask(&*lane).await.unwrap_err();
    let counted = only(transport.broker_metrics());
    assert_eq!(
        (counted.connections_failed, counted.connections_opened),
        (1, 0)
    );
    ask(&*lane).await.unwrap_err();
    let counted = only(transport.broker_metrics());
    assert_eq!(
        (counted.connections_failed, counted.connections_opened),
        (1, 1)
    );
    assert_eq!(
        (counted.connections, counted.requests, counted.errors),
        (0, 1, 1)
    );
    assert_eq!(counted.latency.count, 0);
}

#[tokio::test]
async fn requests_without_a_response_do_not_stay_in_flight() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        while broker.next().await.is_some() {}
    })
    .await;
    let transport = transport(&[&peer.address], &[]);
    let lane = lane_of(&transport, Purpose::Produce);
    let produce = ProduceRequest {
        acks: 0,
        ..ProduceRequest::default()
    };
    lane.call(Node::Any, produce.into()).await.unwrap();
    let counted = only(transport.broker_metrics());
    assert_eq!((counted.requests, counted.in_flight), (1, 0));
    let unanswered = lane.call(Node::Any, MetadataRequest::default().into());
    let _ = tokio::time::timeout(Duration::from_millis(50), unanswered).await;
    assert_eq!(only(transport.broker_metrics()).in_flight, 1);
}
