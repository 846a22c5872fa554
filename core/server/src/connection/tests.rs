//! Claims about one connection over a pipe in memory, in time that the test moves.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use headwater_broker::{Listener, RequestContext};
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::frame::{decode_response, encode_request, take_frame};
use headwater_protocol::{
    ApiKey, ApiRequest, ApiVersionsRequest, ApiVersionsResponse, ErrorCode, FetchRequest,
    FetchResponse, HeartbeatRequest, HeartbeatResponse, MetadataRequest, MetadataResponse,
    ProduceRequest, ProduceResponse, Request, Response,
};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::watch::Overdue;
use super::*;
use crate::memory::FREE_BYTES;
use crate::sasl::{Decoy, Session};

const PIPE_BYTES: usize = 16 * 1024;
const RECORDS_BYTES: usize = 1 << 20;

/// Answers at once, but for heartbeats of groups that the test has not released.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    begun: Vec<String>,
    held: HashMap<String, Arc<Notify>>,
    fetch_bytes_max: Vec<i32>,
}

impl Scripted {
    fn hold(&self, group: &str) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        self.0.lock().held.insert(group.to_owned(), gate.clone());
        gate
    }

    fn begun(&self) -> usize {
        self.0.lock().begun.len()
    }
}

impl Handler for Scripted {
    fn handle(
        &self,
        _: RequestContext,
        request: Request,
    ) -> impl Future<Output = Response> + Send + 'static {
        let script = Arc::clone(&self.0);
        async move {
            let gate = {
                let mut script = script.lock();
                let name = match &request {
                    Request::Heartbeat(heartbeat) => heartbeat.group_id.to_string(),
                    Request::Metadata(metadata) => {
                        format!("Metadata {:?}", metadata.topics)
                    }
                    other => other.api_key().to_string(),
                };
                if let Request::Fetch(fetch) = &request {
                    script.fetch_bytes_max.push(fetch.max_bytes);
                }
                script.begun.push(name.clone());
                script.held.get(&name).cloned()
            };
            if let Some(gate) = gate {
                gate.notified().await;
            }
            match request {
                Request::Fetch(_) => records(),
                Request::ApiVersions(_) => ApiVersionsResponse::default().into(),
                Request::Metadata(_) => MetadataResponse::default().into(),
                Request::Produce(_) => ProduceResponse::default().into(),
                _ => HeartbeatResponse::default().into(),
            }
        }
    }

    fn served(&self) -> &'static [ApiKey] {
        &[
            ApiKey::Produce,
            ApiKey::Fetch,
            ApiKey::Metadata,
            ApiKey::Heartbeat,
            ApiKey::ApiVersions,
        ]
    }

    fn scram_credential(&self, _: &str, _: ScramMechanism) -> Option<ScramCredential> {
        None
    }
}

fn records() -> Response {
    let partition = PartitionData {
        records: Some(Bytes::from(vec![7; RECORDS_BYTES])),
        ..Default::default()
    };
    let topic = FetchableTopicResponse {
        topic: "t".into(),
        partitions: vec![partition],
        ..Default::default()
    };
    FetchResponse {
        responses: vec![topic],
        ..Default::default()
    }
    .into()
}

/// A client of a connection.
struct Client {
    stream: DuplexStream,
    received: BytesMut,
    next: i32,
    memory: Arc<Memory>,
    handler: Scripted,
    drain: Option<oneshot::Sender<()>>,
    end: JoinHandle<End>,
}

fn connect(limits: Limits) -> Client {
    let handler = Scripted::default();
    let memory = Arc::new(Memory::new(limits.memory_bytes_max));
    connect_to(limits, handler, memory)
}

fn connect_to(limits: Limits, handler: Scripted, memory: Arc<Memory>) -> Client {
    let (stream, theirs) = duplex(PIPE_BYTES);
    let (drain, drained) = oneshot::channel();
    let dispatch = Dispatch::new(
        handler.clone(),
        Arc::clone(&memory),
        Listener::default(),
        Arc::from("test"),
        Session::not_asked(Arc::new(Decoy::new())),
    );
    let connection = Connection::new(
        theirs,
        dispatch,
        Arc::new(limits),
        Arc::clone(&memory),
        Box::pin(async move {
            if drained.await.is_err() {
                std::future::pending().await
            }
        }),
    );
    Client {
        stream,
        received: BytesMut::new(),
        next: 0,
        memory,
        handler,
        drain: Some(drain),
        end: tokio::spawn(connection.run()),
    }
}

impl Client {
    fn encode(&mut self, request: impl Into<Request>, version: i16) -> Bytes {
        let mut out = BytesMut::new();
        encode_request(&mut out, &request.into(), version, self.next, None).unwrap();
        self.next += 1;
        out.freeze()
    }

    async fn send(&mut self, request: impl Into<Request>, version: i16) -> i32 {
        let bytes = self.encode(request, version);
        self.stream.write_all(&bytes).await.unwrap();
        self.next - 1
    }

    async fn heartbeat(&mut self, group: &str) -> i32 {
        self.send(heartbeat(group), 4).await
    }

    async fn receive(&mut self, api: ApiKey, version: i16) -> (i32, Response) {
        loop {
            if let Some(frame) = take_frame(&mut self.received, u32::MAX).unwrap() {
                let (header, response) = decode_response(frame, api, version).unwrap();
                return (header.correlation_id, response);
            }
            let read = self.stream.read_buf(&mut self.received).await.unwrap();
            assert!(read > 0, "the connection ended");
        }
    }

    async fn receive_heartbeat(&mut self) -> i32 {
        self.receive(ApiKey::Heartbeat, 4).await.0
    }

    async fn end(self) -> End {
        timeout(Duration::from_hours(24), self.end)
            .await
            .expect("it ends within a day")
            .unwrap()
    }
}

fn heartbeat(group: &str) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: group.into(),
        ..Default::default()
    }
}

fn fetch() -> FetchRequest {
    FetchRequest {
        max_bytes: i32::MAX,
        ..Default::default()
    }
}

/// Until nothing happens any more.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

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
async fn a_client_that_takes_no_answer_holds_a_bounded_amount_and_can_go_on() {
    let mut client = connect(Limits::default());
    for _ in 0..50 {
        client.send(fetch(), 12).await;
    }
    settle().await;
    let begun = client.handler.begun();
    assert!((1..=3).contains(&begun), "{begun} fetches were begun");
    assert!(client.memory.used() <= 3 * RECORDS_BYTES);
    for expected in 0..50 {
        let (id, response) = client.receive(ApiKey::Fetch, 12).await;
        assert_eq!((id, response), (expected, records()));
    }
    settle().await;
    assert_eq!(client.memory.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn fetches_that_wait_together_do_not_answer_together_to_a_client_that_takes_nothing() {
    let mut client = connect(Limits::default());
    let gate = client.handler.hold("Fetch");
    for _ in 0..20 {
        client.send(fetch(), 12).await;
    }
    settle().await;
    assert_eq!(client.handler.begun(), 20);
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
async fn while_memory_is_short_small_requests_are_served_and_fetches_get_little() {
    let limits = Limits {
        memory_bytes_max: 2 * RECORDS_BYTES,
        ..Limits::default()
    };
    let memory = Arc::new(Memory::new(limits.memory_bytes_max));
    let mut hog = Holding::new(Arc::clone(&memory));
    hog.set(4 * RECORDS_BYTES);
    let mut client = connect_to(limits, Scripted::default(), memory);
    client.heartbeat("a").await;
    assert_eq!(client.receive_heartbeat().await, 0);
    client.send(fetch(), 12).await;
    client.receive(ApiKey::Fetch, 12).await;
    assert_eq!(client.handler.0.lock().fetch_bytes_max, [64 * 1024]);
    // A long request waits until there is memory.
    let mut long = BytesMut::from(&client.encode(heartbeat("b"), 4)[..]);
    let padded = long.len() + 4 * FREE_BYTES;
    long.resize(padded, 0);
    long[..4].copy_from_slice(&(padded as i32 - 4).to_be_bytes());
    let sending = client.stream.write_all(&long);
    assert!(timeout(Duration::from_secs(1), sending).await.is_err());
    assert_eq!(client.handler.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_request_goes_on_when_others_give_memory_back() {
    let limits = Limits {
        memory_bytes_max: RECORDS_BYTES,
        ..Limits::default()
    };
    let memory = Arc::new(Memory::new(limits.memory_bytes_max));
    let mut hog = Holding::new(Arc::clone(&memory));
    hog.set(4 * RECORDS_BYTES);
    let mut client = connect_to(limits, Scripted::default(), memory);
    let mut long = BytesMut::from(&client.encode(heartbeat("b"), 4)[..]);
    let padded = long.len() + 8 * FREE_BYTES;
    long.resize(padded, 0);
    long[..4].copy_from_slice(&(padded as i32 - 4).to_be_bytes());
    let (mut read, mut write) = tokio::io::split(client.stream);
    let sending = tokio::spawn(async move { write.write_all(&long).await.map(|()| write) });
    settle().await;
    assert_eq!(client.handler.begun(), 0);
    drop(hog);
    let _open = sending.await.unwrap().unwrap();
    read.read_u8().await.unwrap();
    assert_eq!(client.handler.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_stalls_while_memory_is_short_is_ended() {
    let memory = Arc::new(Memory::new(RECORDS_BYTES));
    let limits = Limits {
        memory_bytes_max: RECORDS_BYTES,
        ..Limits::default()
    };
    let mut client = connect_to(limits, Scripted::default(), memory);
    for _ in 0..2 {
        client.send(fetch(), 12).await;
    }
    let begun = Instant::now();
    let Client { end, stream, .. } = client;
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Stalled)));
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_end_and_those_that_wait_for_an_answer_do_not() {
    let mut idle = connect(Limits::default());
    idle.heartbeat("a").await;
    assert_eq!(idle.receive_heartbeat().await, 0);
    let mut waiting = connect(Limits::default());
    let gate = waiting.handler.hold("slow");
    waiting.heartbeat("slow").await;
    let begun = Instant::now();
    let Client { end, stream, .. } = idle;
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Idle)));
    assert_eq!(begun.elapsed().as_secs(), 600);
    drop(stream);
    sleep(Duration::from_hours(1)).await;
    gate.notify_one();
    assert_eq!(waiting.receive_heartbeat().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_at_all_is_ended_too() {
    let Client { end, stream, .. } = connect(Limits::default());
    assert!(matches!(end.await.unwrap(), End::Overdue(Overdue::Idle)));
    drop(stream);
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

#[tokio::test(start_paused = true)]
async fn lengths_that_are_impossible_end_the_connection() {
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
async fn the_first_request_may_not_be_long_and_later_ones_may() {
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
async fn a_client_that_leaves_inside_a_frame_ends_its_connection() {
    let mut client = connect(Limits::default());
    let whole = client.encode(heartbeat("a"), 4);
    client.stream.write_all(&whole[..9]).await.unwrap();
    settle().await;
    let Client { end, stream, .. } = client;
    drop(stream);
    assert!(matches!(end.await.unwrap(), End::ByClient));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_version_of_api_versions_is_answered_in_layout_0_and_the_connection_goes_on() {
    let mut client = connect(Limits::default());
    let future = [0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 77, 0xFF, 0xFF, 1, 2];
    client.stream.write_all(&future).await.unwrap();
    let (id, response) = client.receive(ApiKey::ApiVersions, 0).await;
    let response = <ApiVersionsRequest as ApiRequest>::Response::try_from(response).unwrap();
    assert_eq!(id, 77);
    assert_eq!(
        ErrorCode::from_code(response.error_code),
        ErrorCode::UnsupportedVersion
    );
    let keys: Vec<_> = response.api_keys.iter().map(|api| api.api_key).collect();
    assert_eq!(keys, [0, 1, 3, 12, 17, 18, 36]);
    client.next = 0;
    client.heartbeat("a").await;
    assert_eq!(client.receive_heartbeat().await, 0);
}

#[tokio::test(start_paused = true)]
async fn apis_that_are_unknown_or_not_served_end_the_connection() {
    // 4 is LeaderAndIsr, 24 AddPartitionsToTxn, and Heartbeat has no version 9.
    for (api, version) in [(4_i16, 0_i16), (999, 0), (24, 0), (12, 9)] {
        let mut client = connect(Limits::default());
        let frame = [
            &[0, 0, 0, 12][..],
            &api.to_be_bytes(),
            &version.to_be_bytes(),
            &[0, 0, 0, 1, 0xFF, 0xFF, 0, 0],
        ]
        .concat();
        client.stream.write_all(&frame).await.unwrap();
        assert!(matches!(client.end().await, End::Refused), "{api}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_produce_without_acknowledgement_gets_no_answer() {
    let mut client = connect(Limits::default());
    let silent = ProduceRequest {
        acks: 0,
        ..Default::default()
    };
    client.send(silent, 9).await;
    client.heartbeat("after").await;
    assert_eq!(client.receive_heartbeat().await, 1);
    assert_eq!(client.handler.0.lock().begun, ["Produce", "after"]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_asks_for_all_topics_only_in_version_0_of_metadata() {
    let mut client = connect(Limits::default());
    for version in [0, 4] {
        let empty = MetadataRequest {
            topics: Some(Vec::new()),
            ..Default::default()
        };
        client.send(empty, version).await;
        client.receive(ApiKey::Metadata, version).await;
    }
    assert_eq!(
        client.handler.0.lock().begun,
        ["Metadata None", "Metadata Some([])"]
    );
}
