//! One connection over an in-memory pipe, with a paused clock.

mod ends;
mod hostile;
mod memory;
mod order;
mod requests;
mod runs;

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use headwater_broker::{FREE_BYTES, Listener, ListenerRegistration, OpenListener, RequestContext};
use headwater_metadata::{BrokerConfig, ScramCredential, ScramMechanism};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::frame::{decode_response, encode_request, take_frame};
use headwater_protocol::{
    ApiKey, ApiRequest, ApiVersionsRequest, ApiVersionsResponse, ErrorCode, FetchRequest,
    FetchResponse, HeartbeatRequest, HeartbeatResponse, ProduceRequest, ProduceResponse, Request,
    Response,
};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::watch::Overdue;
use super::*;
use crate::sasl::{Decoy, Session};
use crate::{BrokerLimits, Limits};

const PIPE_BYTES: usize = 16 * 1024;
const RECORDS_BYTES: usize = 1 << 20;

/// Responds at once, except to heartbeats of groups that the test holds.
#[derive(Clone, Default)]
struct ScriptedHandler(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    started: Vec<String>,
    held: HashMap<String, Arc<Notify>>,
    fetch_bytes_max: Vec<i32>,
    /// The number of requests of each run.
    produced: Vec<usize>,
}

impl ScriptedHandler {
    fn hold(&self, group: &str) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        self.0.lock().held.insert(group.to_owned(), gate.clone());
        gate
    }

    fn started(&self) -> usize {
        self.0.lock().started.len()
    }
}

impl Handler for ScriptedHandler {
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
                    other => other.api_key().to_string(),
                };
                if let Request::Fetch(fetch) = &request {
                    script.fetch_bytes_max.push(fetch.max_bytes);
                }
                script.started.push(name.clone());
                script.held.get(&name).cloned()
            };
            if let Some(gate) = gate {
                gate.notified().await;
            }
            match request {
                Request::Fetch(_) => records(),
                Request::ApiVersions(_) => ApiVersionsResponse::default().into(),
                _ => HeartbeatResponse::default().into(),
            }
        }
    }

    fn produce(&self, _: &RequestContext, requests: Vec<ProduceRequest>) -> Vec<ProduceResponse> {
        let script = &mut self.0.lock();
        script.produced.push(requests.len());
        let names = requests.iter().map(|_| "Produce".to_owned());
        script.started.extend(names);
        requests
            .iter()
            .map(|_| ProduceResponse::default())
            .collect()
    }

    fn served(&self) -> &'static [ApiKey] {
        &[
            ApiKey::Produce,
            ApiKey::Fetch,
            ApiKey::Heartbeat,
            ApiKey::ApiVersions,
        ]
    }

    fn limits(&self) -> BrokerLimits {
        unreachable!("there is no server")
    }

    fn register_listeners(&self, _: Vec<OpenListener>) -> Option<ListenerRegistration> {
        unreachable!("there is no server")
    }

    fn memory(&self) -> Arc<RequestMemory> {
        unreachable!("there is no server")
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
    memory: Arc<RequestMemory>,
    handler: ScriptedHandler,
    drain: Option<oneshot::Sender<()>>,
    end: JoinHandle<End>,
}

/// These limits, with those of a broker with the default configuration.
fn bounds(limits: Limits) -> Bounds {
    Bounds {
        limits,
        broker: BrokerLimits::from(&BrokerConfig::default()),
    }
}

fn connect(limits: Limits) -> Client {
    let handler = ScriptedHandler::default();
    let memory = Arc::new(RequestMemory::new(512 << 20));
    connect_to(limits, handler, memory)
}

fn connect_to(limits: Limits, handler: ScriptedHandler, memory: Arc<RequestMemory>) -> Client {
    let (stream, theirs) = duplex(PIPE_BYTES);
    let (drain, drained) = oneshot::channel();
    let dispatch = Dispatch::new(
        handler.clone(),
        Arc::clone(&memory),
        Listener::default(),
        Arc::from("test"),
        Session::not_required(Arc::new(Decoy::new())),
    );
    let connection = Connection::new(
        theirs,
        dispatch,
        Arc::new(bounds(limits)),
        Arc::clone(&memory),
        Box::pin(async move {
            if drained.await.is_err() {
                std::future::pending::<()>().await;
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

/// Runs all tasks until they wait.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// An in-memory pipe does not send files.
impl Sink for DuplexStream {}
