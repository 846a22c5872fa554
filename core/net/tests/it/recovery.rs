//! A client that returns to its bootstrap addresses (KIP-899, KIP-1102).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater_client::{Purpose, Transport as _};
use headwater_protocol::metadata_response::MetadataResponseBroker;
use headwater_protocol::{ErrorCode, MetadataResponse, Response};
use rstest::rstest;

use crate::support::{Peer, ask, lane_of, transport};

/// A broker that answers metadata requests with one broker, and with this code while `is_refusing`.
async fn broker(is_refusing: &Arc<AtomicBool>) -> Peer {
    let is_refusing = Arc::clone(is_refusing);
    Peer::start(move |mut broker, _| {
        let is_refusing = Arc::clone(&is_refusing);
        async move {
            broker.greet().await;
            while let Some(request) = broker.next().await {
                let code = if is_refusing.load(Ordering::SeqCst) {
                    ErrorCode::RebootstrapRequired
                } else {
                    ErrorCode::None
                };
                broker.reply(&request, metadata(code)).await;
            }
        }
    })
    .await
}

fn metadata(code: ErrorCode) -> MetadataResponse {
    MetadataResponse {
        brokers: vec![MetadataResponseBroker::default()],
        error_code: code.code(),
        ..MetadataResponse::default()
    }
}

fn code(response: Response) -> ErrorCode {
    let Response::Metadata(metadata) = response else {
        panic!("{response:?}");
    };
    ErrorCode::from_code(metadata.error_code)
}

/// All connections end, also those for other purposes.
#[tokio::test]
async fn a_broker_may_send_the_client_back_to_its_bootstrap_addresses() {
    let (never, refusing) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let (bootstrap, known) = (broker(&never).await, broker(&refusing).await);
    let transport = transport(&[&bootstrap.address], &[]);
    let lanes = [Purpose::Admin, Purpose::Fetch].map(|purpose| lane_of(&transport, purpose));
    transport.learn(&[known.broker(1)]);
    for lane in &lanes {
        ask(&**lane).await.unwrap();
    }
    assert_eq!((bootstrap.accepted(), known.accepted()), (0, 2));
    refusing.store(true, Ordering::SeqCst);
    let answer = ask(&*lanes[0]).await.unwrap();
    assert_eq!(code(answer), ErrorCode::RebootstrapRequired);
    for lane in &lanes {
        let answer = ask(&**lane).await.unwrap();
        assert_eq!(code(answer), ErrorCode::None);
    }
    assert_eq!((bootstrap.accepted(), known.accepted()), (2, 2));
}

#[rstest]
#[case::rebootstrap("rebootstrap", 1)]
#[case::none("none", 0)]
#[tokio::test]
async fn a_client_whose_brokers_are_gone_uses_its_bootstrap_addresses_again(
    #[case] strategy: &str,
    #[case] expected: usize,
) {
    let bootstrap = Peer::obliging().await;
    let gone = Peer::start(|_, _| async {}).await;
    let transport = transport(
        &[&bootstrap.address],
        &[("metadata.recovery.strategy", strategy)],
    );
    let lane = lane_of(&transport, Purpose::Admin);
    transport.learn(&[gone.broker(1)]);
    let answer = ask(&*lane).await;
    assert_eq!(answer.is_ok(), expected == 1, "{answer:?}");
    assert_eq!(bootstrap.accepted(), expected);
}

/// The response of a broker that starts, or has left its cluster, has no brokers.
#[tokio::test]
async fn a_client_without_usable_metadata_returns_to_its_bootstrap_addresses() {
    let bootstrap = broker(&Arc::default()).await;
    let alone = Peer::obliging().await;
    let trigger = Duration::from_millis(200);
    let pairs = [("metadata.recovery.rebootstrap.trigger.ms", "200")];
    let transport = transport(&[&bootstrap.address], &pairs);
    let lane = lane_of(&transport, Purpose::Admin);
    transport.learn(&[alone.broker(1)]);
    let start = Instant::now();
    while bootstrap.accepted() == 0 {
        ask(&*lane).await.unwrap();
        assert!(start.elapsed() < 50 * trigger);
        tokio::time::sleep(trigger / 20).await;
    }
    assert!(start.elapsed() > trigger);
    assert_eq!(alone.accepted(), 1);
}
