//! Peers that do not exist, or do not match the configuration.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{ClientConfig, Node, Purpose, Transport as _, TransportErrorKind};
use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::{ApiKey, ErrorCode};
use rstest::rstest;
use tokio::io::AsyncReadExt as _;

use crate::support::{Peer, ask, ask_node, lane, lane_of, transport};

/// An address without a listener.
async fn unused_address() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn an_address_without_a_listener_is_reported_with_the_remedy() {
    let address = unused_address().await;
    let error = ask(&*lane(&[&address], &[])).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable);
    assert!(!error.sent);
    assert!(error.reason.contains(&address), "{error}");
    assert!(error.reason.contains("start the broker"), "{error}");
}

#[tokio::test]
async fn every_bootstrap_address_is_tried_and_named() {
    let (one, two) = (unused_address().await, unused_address().await);
    let error = ask(&*lane(&[&one, &two], &[])).await.unwrap_err();
    assert!(error.reason.contains(&one) && error.reason.contains(&two));
    let there = Peer::obliging().await;
    let lane = lane(&[&one, &two, &there.address], &[]);
    for _ in 0..5 {
        ask(&*lane).await.unwrap();
    }
    assert_eq!(there.accepted(), 1);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_reported() {
    let error = ask(&*lane(&["no-such-host.invalid:9092"], &[]))
        .await
        .unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable);
    assert!(error.reason.contains("no-such-host.invalid"), "{error}");
    assert!(error.reason.contains("does not resolve"), "{error}");
}

#[rstest]
#[case::web_server(
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "answers in HTTP"
)]
#[case::tls_server(b"\x15\x03\x03\x00\x02\x02\x46", "set security.protocol to SSL")]
#[case::something_else(b"SSH-2.0-OpenSSH_9.9\r\n", "not a Kafka broker")]
#[case::nothing(b"", "closed the connection at the first request")]
#[tokio::test]
async fn a_server_that_is_not_a_broker_is_recognised(
    #[case] greeting: &'static [u8],
    #[case] expected: &str,
) {
    let peer = Peer::start(move |mut broker, _| async move {
        let mut first = [0; 4];
        let _ = broker.stream.read_exact(&mut first).await;
        broker.write(greeting).await;
    })
    .await;
    let error = ask(&*lane(&[&peer.address], &[])).await.unwrap_err();
    assert!(error.reason.contains(expected), "{error}");
    assert!(error.reason.contains(&peer.address), "{error}");
}

#[tokio::test(start_paused = true)]
async fn connecting_to_a_silent_server_ends_with_an_error() {
    let peer = Peer::start(|broker, _| async move {
        std::future::pending::<()>().await;
        drop(broker);
    })
    .await;
    let lane = lane(
        &[&peer.address],
        &[("socket.connection.setup.timeout.ms", "700")],
    );
    let asked = tokio::time::timeout(Duration::from_secs(20), ask(&*lane)).await;
    let error = asked.unwrap().unwrap_err();
    assert!(error.reason.contains("within 700 ms"), "{error}");
    assert_eq!(error.kind, TransportErrorKind::Unreachable);
}

#[tokio::test]
async fn the_error_of_tls_to_a_plaintext_listener_has_the_key_to_change() {
    let peer = Peer::start(|mut broker, _| async move {
        // A broker takes the client's greeting for a frame that is too long, and closes.
        let mut greeting = [0; 4];
        let _ = broker.stream.read_exact(&mut greeting).await;
    })
    .await;
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = certificate.cert.pem();
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", trusted.as_str()),
    ];
    let error = ask(&*lane(&[&peer.address], &pairs)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable, "{error}");
    assert!(error.reason.contains("PLAINTEXT"), "{error}");
}

#[tokio::test]
async fn the_error_of_an_unreachable_advertised_listener_has_the_bootstrap_address() {
    let peer = Peer::obliging().await;
    let transport = transport(&[&peer.address], &[]);
    let mut advertised = peer.broker(7);
    advertised.host = "kafka.invalid".to_owned();
    transport.learn(&[advertised]);
    let lane = lane_of(&transport, Purpose::Produce);
    let error = ask_node(&*lane, Node::Id(7)).await.unwrap_err();
    assert!(!error.sent);
    for part in [
        "Broker 7",
        "kafka.invalid",
        &peer.address,
        "advertised.listeners",
    ] {
        assert!(error.reason.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_broker_without_metadata_cannot_be_called() {
    let peer = Peer::obliging().await;
    let error = ask_node(&*lane(&[&peer.address], &[]), Node::Id(3))
        .await
        .unwrap_err();
    assert!(error.reason.contains("Broker 3"), "{error}");
    assert!(!error.sent);
}

#[tokio::test]
async fn an_outdated_broker_has_its_own_error() {
    let peer = Peer::start(|mut broker, _| async move {
        let asked = broker.next().await.unwrap();
        let old = headwater_protocol::ApiVersionsResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            ..Default::default()
        };
        broker.reply_at(&asked, old, 0).await;
        // It supports only a version of Produce that Kafka 4 and this client have dropped.
        let asked = broker.next().await.unwrap();
        let versions = headwater_protocol::ApiVersionsResponse {
            api_keys: vec![ApiVersion {
                api_key: ApiKey::Produce.code(),
                min_version: 0,
                max_version: 2,
                ..ApiVersion::default()
            }],
            ..Default::default()
        };
        broker.reply(&asked, versions).await;
        while broker.next().await.is_some() {}
    })
    .await;
    let error = ask(&*lane(&[&peer.address], &[])).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unsupported, "{error}");
    assert!(error.reason.contains("newer"), "{error}");
    assert!(error.reason.contains(&peer.address), "{error}");
}

#[tokio::test]
async fn a_lane_has_its_own_time_limit_for_a_silent_broker() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        while broker.next().await.is_some() {}
    })
    .await;
    // The transport's other lanes have Kafka's default of 30 seconds.
    let transport = transport(&[&peer.address], &[("reconnect.backoff.ms", "1")]);
    let patient = lane_of(&transport, Purpose::Admin);
    let hasty = Arc::clone(&transport).lane(
        Purpose::Produce,
        &ClientConfig::parse([("request.timeout.ms", "50")]).unwrap(),
    );
    let waiting = tokio::spawn(async move { ask(&*patient).await });
    while peer.accepted() < 3 {
        let _ = tokio::time::timeout(Duration::from_millis(60), ask(&*hasty)).await;
    }
    assert!(!waiting.is_finished(), "its broker may still answer");
    waiting.abort();
}
