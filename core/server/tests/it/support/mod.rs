//! Helpers of the socket tests: a server over a broker in memory, and a client that sends and receives frames.

pub mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

// Files that are built for the fuzzer need its runtime in each test of the package.
#[cfg(fuzzing)]
use bolero as _;
use bytes::{Bytes, BytesMut};
use headwater_broker::Broker;
use headwater_env::MemoryEnv;
use headwater_metadata::BrokerConfig;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::frame::{decode_response, encode_request, take_frame};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::{
    ApiKey, ApiRequest, CreateTopicsRequest, ErrorCode, FetchRequest, ProduceRequest, Request,
    Response, Str,
};
use headwater_record::{BatchBuilder, BatchOptions};
use headwater_server::{ListenerOptions, ServeOptions, Server};

/// Long enough for a slow machine; a test that waits for it fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub const CLIENT_ID: &str = "test";

pub fn broker(config: &[(&str, &str)]) -> Broker<MemoryEnv> {
    let config = BrokerConfig::parse(config.iter().copied()).unwrap();
    Broker::open(MemoryEnv::new(), Path::new("/data"), config)
        .unwrap()
        .0
}

pub fn local() -> ServeOptions {
    ServeOptions {
        listeners: vec![ListenerOptions::new("127.0.0.1", 0)],
        ..ServeOptions::default()
    }
}

pub fn serve(options: ServeOptions) -> Server {
    Server::start(broker(&[]), options).unwrap()
}

/// A client over any stream.
#[derive(Debug)]
pub struct Client<S> {
    pub stream: S,
    received: BytesMut,
    next: i32,
}

pub fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub fn connect(server: &Server) -> Client<TcpStream> {
    Client::new(tcp(server.addresses()[0]))
}

impl<S: Read + Write> Client<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
            next: 0,
        }
    }

    /// Sends a request. Returns its correlation id.
    pub fn send(&mut self, request: impl Into<Request>, version: i16) -> i32 {
        let mut out = BytesMut::new();
        let client_id = Str::from(CLIENT_ID);
        encode_request(
            &mut out,
            &request.into(),
            version,
            self.next,
            Some(&client_id),
        )
        .unwrap();
        self.send_bytes(&out);
        self.next += 1;
        self.next - 1
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// The next frame; `None` if the server has closed the connection.
    pub fn frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = take_frame(&mut self.received, u32::MAX).unwrap() {
                return Some(frame);
            }
            let mut chunk = vec![0; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(read) => self.received.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn is_closed(&mut self) -> bool {
        self.frame().is_none()
    }

    pub fn receive(&mut self, api: ApiKey, version: i16) -> (i32, Response) {
        let frame = self.frame().expect("the connection is open");
        let (header, response) = decode_response(frame, api, version).unwrap();
        (header.correlation_id, response)
    }

    /// Sends a request and waits for the response.
    pub fn ask<R: ApiRequest>(&mut self, request: R, version: i16) -> R::Response {
        let id = self.send(request, version);
        let (answered, response) = self.receive(R::API, version);
        assert_eq!(answered, id);
        R::Response::try_from(response).unwrap()
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) {
        self.create(creation(name, partitions, &[]));
    }

    /// Creates the topics of the request.
    pub fn create(&mut self, request: CreateTopicsRequest) {
        let response = self.ask(request, 7);
        assert_eq!(code(response.topics[0].error_code), ErrorCode::None);
    }
}

/// A request for one topic with this configuration.
pub fn creation(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreateTopicsRequest {
    let configs = configs.iter().map(|(name, value)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
        ..Default::default()
    });
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.collect(),
        ..Default::default()
    };
    CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: 1_000,
        ..Default::default()
    }
}

pub fn code(raw: i16) -> ErrorCode {
    ErrorCode::from_code(raw)
}

/// A batch with one record.
pub fn batch(value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder
        .try_append(1_000, Some(b"key"), Some(value), &[])
        .unwrap();
    builder.finish().unwrap()
}

pub fn produce(topic: &str, records: Bytes, acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData {
        index: 0,
        records: Some(records),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: topic.into(),
        partition_data: vec![partition],
        ..Default::default()
    };
    ProduceRequest {
        acks,
        timeout_ms: 1_000,
        topic_data: vec![topic],
        ..Default::default()
    }
}

pub fn fetch(topic: &str, offset: i64, max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition {
        partition: 0,
        fetch_offset: offset,
        partition_max_bytes: 10 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![topic],
        ..Default::default()
    }
}
