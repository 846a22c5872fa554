//! Requests are started and answered in order.

use super::*;

#[tokio::test(start_paused = true)]
async fn responses_are_in_the_order_of_the_requests() {
    let mut client = connect(Limits::default());
    let (first, third) = (client.handler.hold("first"), client.handler.hold("third"));
    for group in ["first", "second", "third", "fourth"] {
        client.heartbeat(group).await;
    }
    settle().await;
    assert_eq!(
        client.handler.0.lock().started,
        ["first", "second", "third", "fourth"]
    );
    third.notify_one();
    settle().await;
    let early = timeout(Duration::from_secs(1), client.receive_heartbeat()).await;
    assert!(early.is_err(), "the first request is pending");
    first.notify_one();
    for expected in 0..4 {
        assert_eq!(client.receive_heartbeat().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_number_of_requests_in_flight_is_limited() {
    let limits = Limits {
        requests_in_flight_max: 3,
        ..Limits::default()
    };
    let mut client = connect(limits);
    let gate = client.handler.hold("slow");
    client.heartbeat("slow").await;
    for _ in 0..10 {
        client.heartbeat("quick").await;
    }
    settle().await;
    assert_eq!(client.handler.started(), 3);
    gate.notify_one();
    for expected in 0..11 {
        assert_eq!(client.receive_heartbeat().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_may_arrive_byte_by_byte() {
    let mut client = connect(Limits::default());
    let bytes = [
        client.encode(heartbeat("a"), 4),
        client.encode(ApiVersionsRequest::default(), 3),
    ]
    .concat();
    for byte in bytes {
        client.stream.write_all(&[byte]).await.unwrap();
        settle().await;
    }
    assert_eq!(client.receive_heartbeat().await, 0);
    assert_eq!(client.receive(ApiKey::ApiVersions, 3).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn draining_completes_started_requests_and_starts_no_others() {
    let mut client = connect(Limits::default());
    let gate = client.handler.hold("slow");
    client.heartbeat("slow").await;
    settle().await;
    client.drain.take().unwrap().send(()).unwrap();
    settle().await;
    client.heartbeat("late").await;
    settle().await;
    gate.notify_one();
    assert_eq!(client.receive_heartbeat().await, 0);
    assert_eq!(client.handler.started(), 1);
    assert!(matches!(client.end().await, End::Drained));
}

#[tokio::test(start_paused = true)]
async fn requests_before_an_unsupported_one_are_answered() {
    let mut client = connect(Limits::default());
    client.heartbeat("a").await;
    client.stream.write_all(&[0, 0, 0, 2, 0, 0]).await.unwrap();
    assert_eq!(client.receive_heartbeat().await, 0);
    assert!(matches!(client.end().await, End::Refused));
}
