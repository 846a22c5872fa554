//! PLAIN and SCRAM with scripted brokers. `core/headwater/tests/connect.rs` tests them with our server.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Purpose, TransportErrorKind};
use parking_lot::Mutex;
use rstest::rstest;

use crate::sasl_broker::{Answer, authenticate};
use crate::support::{Peer, ask, lane, lane_of, transport};

pub(crate) const PLAIN: [(&str, &str); 5] = [
    ("security.protocol", "SASL_PLAINTEXT"),
    ("sasl.mechanism", "PLAIN"),
    ("sasl.username", "ada"),
    ("sasl.password", "topsecret"),
    ("reconnect.backoff.ms", "1"),
];

/// A broker that accepts any message, each time with this lifetime.
async fn accepting(lifetime_ms: i64) -> (Peer, Arc<Mutex<Vec<Vec<u8>>>>) {
    let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let messages = Arc::clone(&seen);
    let peer = Peer::start(move |broker, _| {
        let seen = Arc::clone(&messages);
        async move {
            let accepted = authenticate(broker, |message| {
                seen.lock().push(message.to_vec());
                Answer::Accepted { lifetime_ms }
            });
            if let Some(broker) = accepted.await {
                broker.oblige().await;
            }
        }
    })
    .await;
    (peer, seen)
}

#[tokio::test]
async fn a_jaas_configuration_sets_user_and_password() {
    let (peer, seen) = accepting(0).await;
    let jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ada\" password=\"topsecret\";";
    let pairs = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.jaas.config", jaas),
    ];
    ask(&*lane(&[&peer.address], &pairs)).await.unwrap();
    assert_eq!(*seen.lock(), [b"\0ada\0topsecret".to_vec()]);
}

#[tokio::test]
async fn the_password_is_removed_from_a_refusal() {
    let peer = Peer::start(|broker, _| async move {
        let refuse =
            |message: &[u8]| Answer::Refused(format!("not {}", String::from_utf8_lossy(message)));
        authenticate(broker, refuse).await;
    })
    .await;
    let error = ask(&*lane(&[&peer.address], &PLAIN)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Authentication);
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("***") && !shown.contains("topsecret"),
        "{shown}"
    );
    assert!(shown.contains(&peer.address), "{shown}");
}

#[tokio::test]
async fn a_connection_is_replaced_before_its_authentication_expires_without_failures() {
    let (peer, seen) = accepting(200).await;
    let lane = lane(&[&peer.address], &PLAIN);
    while peer.accepted() < 4 {
        ask(&*lane).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(seen.lock().len() >= 3);
}

#[rstest]
#[case::plain("PLAIN")]
#[case::scram_256("SCRAM-SHA-256")]
#[case::scram_512("SCRAM-SHA-512")]
fn no_debug_output_contains_the_password(#[case] mechanism: &str) {
    let mut pairs = PLAIN;
    pairs[1].1 = mechanism;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let transport = transport(&["127.0.0.1:1"], &pairs);
    let lane = lane_of(&transport, Purpose::Admin);
    let config = headwater_net::ConnectionConfig::parse(pairs).unwrap();
    let shown = format!("{transport:?} {lane:?} {config:?} {config:#?}");
    assert!(!shown.contains("topsecret"), "{shown}");
}
