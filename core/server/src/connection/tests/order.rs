//! Requests are begun and answered in their order.

use super::*;

#[tokio::test(start_paused = true)]
async fn answers_keep_the_order_of_the_requests_whatever_ends_first() {
    let mut client = connect(Limits::default());
    let (first, third) = (client.handler.hold("first"), client.handler.hold("third"));
    for group in ["first", "second", "third", "fourth"] {
        client.heartbeat(group).await;
    }
    settle().await;
    assert_eq!(
        client.handler.0.lock().begun,
        ["first", "second", "third", "fourth"]
    );
    third.notify_one();
    settle().await;
    let early = timeout(Duration::from_secs(1), client.receive_heartbeat()).await;
    assert!(early.is_err(), "the first request is not done");
    first.notify_one();
    for expected in 0..4 {
        assert_eq!(client.receive_heartbeat().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_begun_than_may_be_in_flight() {
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
    assert_eq!(client.handler.begun(), 3);
    gate.notify_one();
    for expected in 0..11 {
        assert_eq!(client.receive_heartbeat().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_may_come_one_byte_at_a_time() {
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
async fn draining_answers_what_was_begun_and_nothing_more() {
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
    assert_eq!(client.handler.begun(), 1);
    assert!(matches!(client.end().await, End::Drained));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_request_that_cannot_be_served_is_answered() {
    let mut client = connect(Limits::default());
    client.heartbeat("a").await;
    client.stream.write_all(&[0, 0, 0, 2, 0, 0]).await.unwrap();
    assert_eq!(client.receive_heartbeat().await, 0);
    assert!(matches!(client.end().await, End::Refused));
}
