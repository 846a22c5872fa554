//! Fetches that wait. The clock advances only while these tests sleep.

use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::MemoryEnv;
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse, Response};

fn waiting(
    broker: &Arc<Broker<MemoryEnv>>,
    request: FetchRequest,
) -> tokio::task::JoinHandle<FetchResponse> {
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        match broker
            .handle(&RequestContext::default(), request.into())
            .await
        {
            Response::Fetch(response) => response,
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_fetch_waits_until_records_arrive() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 2, &[]);
    let started = tokio::time::Instant::now();
    let fetch = waiting(
        &broker,
        FetchRequest {
            max_wait_ms: 60_000,
            ..fetch_request("t", &[(0, 0), (1, 0)])
        },
    );
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!fetch.is_finished());
    append(&broker, "t", 1, batch(&["a"]));
    let response = fetch.await.unwrap();
    assert_eq!(
        records(&response.responses[0].partitions[1]),
        [(0, "a".into())]
    );
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "it was woken, not timed out"
    );
}

#[tokio::test(start_paused = true)]
async fn min_bytes_counts_all_partitions_of_a_fetch() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 2, &[]);
    let one = batch(&["0123456789"]);
    let min_bytes = one.len() as i32 * 3;
    let fetch = waiting(
        &broker,
        FetchRequest {
            max_wait_ms: 60_000,
            min_bytes,
            ..fetch_request("t", &[(0, 0), (1, 0)])
        },
    );
    for partition in [0, 1] {
        tokio::time::sleep(Duration::from_millis(5)).await;
        append(&broker, "t", partition, one.clone());
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!fetch.is_finished());
    append(&broker, "t", 0, one);
    let response = fetch.await.unwrap();
    assert_eq!(records(&response.responses[0].partitions[0]).len(), 2);
    assert_eq!(records(&response.responses[0].partitions[1]).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_without_records_returns_after_max_wait() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 1, &[]);
    let started = tokio::time::Instant::now();
    let response = waiting(
        &broker,
        FetchRequest {
            max_wait_ms: 500,
            ..fetch_request("t", &[(0, 0)])
        },
    )
    .await
    .unwrap();
    assert_eq!(records(&first(response)), []);
    assert_eq!(started.elapsed().as_millis(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_with_an_error_does_not_wait() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 1, &[]);
    let request = FetchRequest {
        max_wait_ms: 60_000,
        ..fetch_request("t", &[(0, 9)])
    };
    let data = first(waiting(&broker, request).await.unwrap());
    assert_eq!(code(data.error_code), ErrorCode::OffsetOutOfRange);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_fetch_fails_when_its_topic_is_deleted() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 1, &[]);
    let fetch = waiting(
        &broker,
        FetchRequest {
            max_wait_ms: 60_000,
            ..fetch_request("t", &[(0, 0)])
        },
    );
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(delete(&*broker, "t"), ErrorCode::None);
    assert_eq!(
        code(first(fetch.await.unwrap()).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiting_fetch_returns_when_the_broker_closes() {
    let broker = Arc::new(in_memory());
    create(&*broker, "t", 1, &[]);
    let fetch = waiting(
        &broker,
        FetchRequest {
            max_wait_ms: 60_000,
            ..fetch_request("t", &[(0, 0)])
        },
    );
    tokio::time::sleep(Duration::from_millis(5)).await;
    broker.close().unwrap();
    assert_eq!(
        code(first(fetch.await.unwrap()).error_code),
        ErrorCode::BrokerNotAvailable
    );
    let late = produce(&*broker, "t", 0, batch(&["a"]));
    assert_eq!(code(late.error_code), ErrorCode::BrokerNotAvailable);
}
