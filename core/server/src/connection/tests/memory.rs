//! The memory of a connection is bounded, and short memory is shared.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_no_response_uses_bounded_memory_and_can_continue() {
    let mut client = connect(Limits::default());
    for _ in 0..50 {
        client.send(fetch(), 12).await;
    }
    settle().await;
    let started = client.handler.started();
    assert!((1..=3).contains(&started), "{started} fetches were begun");
    assert!(client.memory.used() <= 3 * RECORDS_BYTES);
    for expected in 0..50 {
        let (id, response) = client.receive(ApiKey::Fetch, 12).await;
        assert_eq!((id, response), (expected, records()));
    }
    settle().await;
    assert_eq!(client.memory.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn pending_fetches_of_a_client_that_reads_nothing_complete_one_by_one() {
    let mut client = connect(Limits::default());
    let gate = client.handler.hold("Fetch");
    for _ in 0..20 {
        client.send(fetch(), 12).await;
    }
    settle().await;
    assert_eq!(client.handler.started(), 20);
    for _ in 0..20 {
        gate.notify_one();
        gate.notify_waiters();
    }
    settle().await;
    assert!(
        client.memory.used() <= 3 * RECORDS_BYTES,
        "{}",
        client.memory.used()
    );
}

#[tokio::test(start_paused = true)]
async fn with_short_memory_small_requests_are_handled_and_fetches_return_little() {
    let memory = Arc::new(RequestMemory::new(2 * RECORDS_BYTES));
    let mut hog = ConnectionMemory::new(Arc::clone(&memory));
    hog.set(4 * RECORDS_BYTES);
    let mut client = connect_to(Limits::default(), ScriptedHandler::default(), memory);
    client.heartbeat("a").await;
    assert_eq!(client.receive_heartbeat().await, 0);
    client.send(fetch(), 12).await;
    client.receive(ApiKey::Fetch, 12).await;
    assert_eq!(client.handler.0.lock().fetch_bytes_max, [64 * 1024]);
    // A long request waits for memory.
    let mut long = BytesMut::from(&client.encode(heartbeat("b"), 4)[..]);
    let padded = long.len() + 4 * FREE_BYTES;
    long.resize(padded, 0);
    long[..4].copy_from_slice(&(padded as i32 - 4).to_be_bytes());
    let sending = client.stream.write_all(&long);
    assert!(timeout(Duration::from_secs(1), sending).await.is_err());
    assert_eq!(client.handler.started(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_request_resumes_when_other_connections_release_memory() {
    let memory = Arc::new(RequestMemory::new(RECORDS_BYTES));
    let mut hog = ConnectionMemory::new(Arc::clone(&memory));
    hog.set(4 * RECORDS_BYTES);
    let mut client = connect_to(Limits::default(), ScriptedHandler::default(), memory);
    let mut long = BytesMut::from(&client.encode(heartbeat("b"), 4)[..]);
    let padded = long.len() + 8 * FREE_BYTES;
    long.resize(padded, 0);
    long[..4].copy_from_slice(&(padded as i32 - 4).to_be_bytes());
    let (mut read, mut write) = tokio::io::split(client.stream);
    let sending = tokio::spawn(async move { write.write_all(&long).await.map(|()| write) });
    settle().await;
    assert_eq!(client.handler.started(), 0);
    drop(hog);
    let _open = sending.await.unwrap().unwrap();
    read.read_u8().await.unwrap();
    assert_eq!(client.handler.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_connection_ends_while_memory_is_short() {
    let memory = Arc::new(RequestMemory::new(RECORDS_BYTES));
    let mut client = connect_to(Limits::default(), ScriptedHandler::default(), memory);
    for _ in 0..2 {
        client.send(fetch(), 12).await;
    }
    let started = Instant::now();
    let Client { end, stream, .. } = client;
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Stalled)));
    assert!(started.elapsed() < Duration::from_secs(30));
    drop(stream);
}
