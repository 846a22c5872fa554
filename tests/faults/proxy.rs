//! Tests of the proxy, with our own server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use headwater::{
    Engine, ListenerOptions, NO_CONFIG, NewTopic, ProducerConfig, Record, ServeOptions, Server,
};
use headwater_fault_tests::proxy::{CutAt, CutHow, Direction, Fault, Proxy, Rule};
use headwater_protocol::frame::encode_request;
use headwater_protocol::{ApiKey, ApiVersionsRequest, Request};

use crate::judge;

/// A server that advertises a proxy.
struct ProxiedServer {
    proxy: Proxy,
    engine: Engine,
    _server: Server,
}

fn start() -> ProxiedServer {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = ListenerOptions {
        advertised_port: Some(listener.local_addr().unwrap().port()),
        ..ListenerOptions::new("127.0.0.1", 0)
    };
    let server = engine.serve(ServeOptions {
        listeners: vec![options],
        ..ServeOptions::default()
    });
    let server = server.unwrap();
    // The runtime of an engine in this process has no sockets.
    let runtime = sockets();
    let proxy = Proxy::start(runtime, listener, server.addresses()[0], 1).unwrap();
    ProxiedServer {
        proxy,
        engine,
        _server: server,
    }
}

/// A runtime for all proxies of this file.
fn sockets() -> &'static tokio::runtime::Handle {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> = std::sync::LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    });
    RUNTIME.handle()
}

impl ProxiedServer {
    fn client(&self) -> Engine {
        headwater::connect(&self.proxy.address(), NO_CONFIG).unwrap()
    }

    /// A topic and a client that has sent a record to it, so that it is connected.
    fn client_with_topic(&self) -> (Engine, headwater::Producer) {
        let client = self.client();
        client
            .block_on(client.admin().create_topic(NewTopic::new("t")))
            .unwrap();
        let producer = client.producer(ProducerConfig::default());
        send(&producer, "0-0");
        (client, producer)
    }

    fn stored(&self) -> Vec<String> {
        let scan = judge::scan(&self.engine, "t");
        let log = self.engine.block_on(scan).unwrap();
        let values = log.values().flat_map(std::collections::BTreeMap::values);
        values.map(ToString::to_string).collect()
    }
}

fn send(producer: &headwater::Producer, value: &str) {
    let record = Record::new("t", value.as_bytes());
    producer.send_blocking(&record).unwrap().wait().unwrap();
}

fn cut(direction: Direction, api: ApiKey, at: CutAt, how: CutHow) -> Vec<Rule> {
    vec![Rule::new(direction, [api], 1, Fault::Cut(at, how)).times(2)]
}

#[test]
fn without_faults_everything_passes() {
    let proxied = start();
    let (_client, producer) = proxied.client_with_topic();
    send(&producer, "0-1");
    assert_eq!(proxied.stored(), ["0-0", "0-1"]);
    assert!(proxied.proxy.happened().is_empty());
}

#[test]
fn a_produce_whose_response_is_cut_is_sent_again_and_stored_once() {
    for (at, name) in [
        (CutAt::Before, "cut before a response"),
        (CutAt::Middle, "cut in a response"),
    ] {
        for how in [CutHow::Close, CutHow::Reset] {
            let proxied = start();
            let (_client, producer) = proxied.client_with_topic();
            proxied
                .proxy
                .set_rules(cut(Direction::Response, ApiKey::Produce, at, how));
            send(&producer, "0-1");
            assert_eq!(proxied.stored(), ["0-0", "0-1"]);
            assert_eq!(proxied.proxy.happened()[name], 2);
        }
    }
}

#[test]
fn a_request_that_is_cut_in_its_middle_is_not_handled() {
    let proxied = start();
    let (_client, producer) = proxied.client_with_topic();
    let rules = cut(
        Direction::Request,
        ApiKey::Produce,
        CutAt::Middle,
        CutHow::Close,
    );
    proxied.proxy.set_rules(rules);
    send(&producer, "0-1");
    assert_eq!(proxied.stored(), ["0-0", "0-1"]);
    assert_eq!(proxied.proxy.happened()["cut in a request"], 2);
}

#[test]
fn rules_apply_only_to_their_apis() {
    let proxied = start();
    let (_client, producer) = proxied.client_with_topic();
    let rules = cut(
        Direction::Response,
        ApiKey::OffsetCommit,
        CutAt::Before,
        CutHow::Reset,
    );
    proxied.proxy.set_rules(rules);
    send(&producer, "0-1");
    assert!(proxied.proxy.happened().is_empty());
}

#[test]
fn a_repeated_produce_is_stored_once() {
    for direction in [Direction::Request, Direction::Response] {
        let proxied = start();
        let (_client, producer) = proxied.client_with_topic();
        let repeat = Rule::new(direction, [ApiKey::Produce], 1, Fault::Repeat).times(2);
        proxied.proxy.set_rules([repeat]);
        let sent: Vec<String> = (1..5).map(|number| format!("0-{number}")).collect();
        for value in &sent {
            send(&producer, value);
        }
        assert_eq!(proxied.stored()[1..], sent);
        assert_eq!(proxied.proxy.happened()["repeat"], 2);
    }
}

#[test]
fn delays_and_stalls_only_take_time() {
    let proxied = start();
    let (_client, producer) = proxied.client_with_topic();
    let millis = Duration::from_millis(1)..Duration::from_millis(20);
    proxied.proxy.set_rules([
        Rule::new(Direction::Request, [], 1, Fault::Delay(millis.clone())),
        Rule::new(Direction::Response, [], 1, Fault::Stall(millis)),
    ]);
    for number in 1..5 {
        send(&producer, &format!("0-{number}"));
    }
    assert_eq!(proxied.stored().len(), 5);
    let happened = proxied.proxy.happened();
    assert!(happened["delay"] >= 4 && happened["stall"] >= 4);
}

#[test]
fn a_held_request_stops_in_its_middle_and_arrives_after_the_release() {
    let proxied = start();
    let (_client, producer) = proxied.client_with_topic();
    proxied.proxy.hold(Direction::Request);
    let handle = producer.send_blocking(&Record::new("t", b"0-1")).unwrap();
    handle.send_now();
    std::thread::sleep(Duration::from_millis(100));
    assert!(!handle.is_done());
    assert_eq!(proxied.stored(), ["0-0"]);
    proxied.proxy.release();
    handle.wait().unwrap();
    assert_eq!(proxied.stored(), ["0-0", "0-1"]);
}

#[test]
fn a_held_response_arrives_half_and_completely_after_the_release() {
    let proxied = start();
    let mut stream = TcpStream::connect(proxied.proxy.address()).unwrap();
    let short = Some(Duration::from_millis(200));
    stream.set_read_timeout(short).unwrap();
    proxied.proxy.hold(Direction::Response);
    let mut request = BytesMut::new();
    let versions: Request = ApiVersionsRequest::default().into();
    encode_request(&mut request, &versions, 0, 7, None).unwrap();
    stream.write_all(&request).unwrap();
    let mut received = vec![0; 1 << 16];
    let half = stream.read(&mut received).unwrap();
    let whole = 4 + u32::from_be_bytes(*received.first_chunk().unwrap()) as usize;
    assert_eq!(half, whole / 2);
    assert!(stream.read(&mut received[half..]).is_err(), "nothing more");
    proxied.proxy.release();
    stream.read_exact(&mut received[half..whole]).unwrap();
    assert_eq!(received[4..8], 7_i32.to_be_bytes());
}

#[test]
fn cutting_all_connections_resets_them() {
    let proxied = start();
    let mut stream = TcpStream::connect(proxied.proxy.address()).unwrap();
    let mut request = BytesMut::new();
    let versions: Request = ApiVersionsRequest::default().into();
    encode_request(&mut request, &versions, 0, 7, None).unwrap();
    stream.write_all(&request).unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    proxied.proxy.cut_all();
    let error = loop {
        match stream.read(&mut [0; 1024]) {
            Ok(0) => panic!("the connection was closed in order"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
