//! Reasons that end a connection.

use super::*;

#[tokio::test(start_paused = true)]
async fn idle_connections_end_unless_a_request_is_pending() {
    let mut idle = connect(Limits::default());
    idle.heartbeat("a").await;
    assert_eq!(idle.receive_heartbeat().await, 0);
    let mut waiting = connect(Limits::default());
    let gate = waiting.handler.hold("slow");
    waiting.heartbeat("slow").await;
    let started = Instant::now();
    let Client { end, stream, .. } = idle;
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Idle)));
    assert_eq!(started.elapsed().as_secs(), 600);
    drop(stream);
    sleep(Duration::from_hours(1)).await;
    gate.notify_one();
    assert_eq!(waiting.receive_heartbeat().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_any_request_ends_too() {
    let Client { end, stream, .. } = connect(Limits::default());
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Idle)));
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn impossible_lengths_end_the_connection() {
    for length in [-1, i32::MIN, i32::MAX, (100 << 20) + 1] {
        let mut client = connect(Limits::default());
        client.heartbeat("a").await;
        client.receive_heartbeat().await;
        client
            .stream
            .write_all(&length.to_be_bytes())
            .await
            .unwrap();
        assert!(matches!(client.end().await, End::Frame(_)), "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_first_request_is_limited_to_a_small_size() {
    let length = 3 << 20;
    let mut client = connect(Limits::default());
    let prefix = i32::to_be_bytes(length);
    client.stream.write_all(&prefix).await.unwrap();
    assert!(matches!(client.end().await, End::Frame(_)));
    let mut client = connect(Limits::default());
    client.heartbeat("a").await;
    client.receive_heartbeat().await;
    client.stream.write_all(&prefix).await.unwrap();
    settle().await;
    assert!(!client.end.is_finished());
}

#[tokio::test(start_paused = true)]
async fn an_empty_frame_ends_the_connection() {
    let mut client = connect(Limits::default());
    client.stream.write_all(&[0; 4]).await.unwrap();
    assert!(matches!(client.end().await, End::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_inside_a_frame_ends_the_connection() {
    let mut client = connect(Limits::default());
    let whole = client.encode(heartbeat("a"), 4);
    client.stream.write_all(&whole[..9]).await.unwrap();
    settle().await;
    let Client { end, stream, .. } = client;
    drop(stream);
    assert!(matches!(end.await.unwrap(), End::ByClient));
}

/// Found by the fuzzer: the connection was not read any more, so it lasted as long as the pending request.
#[tokio::test(start_paused = true)]
async fn a_pending_request_does_not_keep_an_unread_connection_open() {
    let mut refused = connect(Limits::default());
    refused.handler.hold("slow");
    refused.heartbeat("slow").await;
    refused.stream.write_all(&[0; 4]).await.unwrap();
    let mut full = connect(Limits::default());
    full.handler.hold("slow");
    for _ in 0..Limits::default().requests_in_flight_max {
        full.heartbeat("slow").await;
    }
    settle().await;
    for client in [refused, full] {
        let Client { end, stream, .. } = client;
        drop(stream);
        let end = timeout(Duration::from_hours(1), end).await;
        let end = end.expect("it ends in time").unwrap();
        assert!(matches!(end, End::Overdue(Overdue::Idle)), "{end}");
    }
}
