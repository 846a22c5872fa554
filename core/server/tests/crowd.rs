//! A thousand connections at once: idle ones, ones that send a byte per second, ones that read nothing. Other clients
//! are served, and the memory is bounded. This test measures the memory of its process, so it runs alone.
#![allow(clippy::unwrap_used, reason = "a panic shows the failing line")]
#![cfg(target_os = "linux")]

#[path = "it/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "this test uses a part of it")]
mod support;

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use headwater_protocol::frame::encode_request;
use headwater_protocol::{ApiKey, ApiVersionsRequest, ErrorCode, MetadataRequest};
use headwater_server::Server;
use support::{Client, batch, broker, code, connect, fetch, local, produce, serve, tcp};

const IDLE: usize = 650;
const SLOW: usize = 200;
const DEAF: usize = 150;
/// The number of bytes that each slow client sends while the good one works.
const BYTES: usize = 6;
/// The number of fetches of a client that reads nothing: 200 responses of nearly a megabyte.
const UNREAD: usize = 200;
const RECORD_BYTES: usize = 900_000;

/// The resident size of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: usize = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024
}

fn deaf(server: &Server) -> Client<TcpStream> {
    let mut client = connect(server);
    // The system's buffers fill up; from then on the client waits only this long.
    let short = Duration::from_millis(1);
    client.stream.set_write_timeout(Some(short)).unwrap();
    let mut bytes = BytesMut::new();
    for id in 0..UNREAD {
        let request = fetch("t", 0, 0).into();
        encode_request(&mut bytes, &request, 11, id as i32, None).unwrap();
    }
    match client.stream.write_all(&bytes) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
    }
    client
}

/// Sends one byte per second from each client.
fn trickle(clients: &mut [Client<TcpStream>], request: &[u8], sent: &AtomicUsize) {
    for byte in &request[..BYTES] {
        for client in &mut *clients {
            client.send_bytes(&[*byte]);
        }
        sent.fetch_add(1, Ordering::Release);
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Runs typical requests on a new connection.
fn work(server: &Server, round: usize) {
    let mut client = connect(server);
    let answer = client.ask(produce("u", batch(&round.to_be_bytes()), -1), 9);
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!(code(partition.error_code), ErrorCode::None);
    assert_eq!(partition.base_offset, round as i64);
    let answer = client.ask(fetch("u", round as i64, 0), 11);
    let partition = &answer.responses[0].partitions[0];
    assert_eq!(partition.high_watermark, round as i64 + 1);
    assert!(
        partition
            .records
            .as_ref()
            .is_some_and(|bytes| !bytes.is_empty())
    );
    assert_eq!(client.ask(MetadataRequest::default(), 9).brokers.len(), 1);
}

#[test]
fn a_thousand_idle_slow_or_deaf_connections_do_not_affect_others() {
    let files = headwater_env::allow_most_open_files().unwrap();
    assert!(
        files > 2 * (IDLE + SLOW + DEAF) as u64 + 100,
        "both ends of a thousand connections are in this process, which may have {files} files: raise ulimit -Hn"
    );
    let server = serve(local());
    let mut first = connect(&server);
    for topic in ["t", "u"] {
        first.create_topic(topic, 1);
    }
    first.ask(produce("t", batch(&vec![7; RECORD_BYTES]), 1), 9);
    let before = resident();

    let idle: Vec<_> = (0..IDLE).map(|_| connect(&server)).collect();
    let deaf: Vec<_> = (0..DEAF).map(|_| deaf(&server)).collect();
    let mut slow: Vec<_> = (0..SLOW).map(|_| connect(&server)).collect();
    let mut request = BytesMut::new();
    encode_request(
        &mut request,
        &ApiVersionsRequest::default().into(),
        3,
        1,
        None,
    )
    .unwrap();
    let sent = AtomicUsize::new(0);
    let mut rounds = 0;
    let mut most = 0;
    std::thread::scope(|scope| {
        let trickling = scope.spawn(|| trickle(&mut slow, &request, &sent));
        while !trickling.is_finished() {
            work(&server, rounds);
            rounds += 1;
            most = most.max(resident());
        }
    });
    assert_eq!(sent.into_inner(), BYTES);
    let grown = most.saturating_sub(before) >> 20;
    let held = server.memory_used() >> 20;
    println!(
        "{rounds} rounds beside; {grown} MiB more resident, {held} MiB held for requests and answers"
    );
    assert!(rounds > BYTES, "only {rounds} rounds in {BYTES} seconds");
    assert!(grown < 512, "the resident size grew by {grown} MiB");
    assert!(held < 512, "{held} MiB are held for requests and answers");

    for mut client in slow {
        client.send_bytes(&request[BYTES..]);
        client.receive(ApiKey::ApiVersions, 3);
    }
    for mut client in idle {
        client.ask(ApiVersionsRequest::default(), 3);
    }
    drop(deaf);
    work(&server, rounds);
}

/// A connection from this loopback address.
fn connect_from(address: &str, server: &Server) -> Client<TcpStream> {
    let local: SocketAddr = address.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(local).unwrap();
        let stream = socket.connect(server.addresses()[0]).await.unwrap();
        stream.into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    Client::new(stream)
}

#[test]
fn one_more_connection_from_an_address_than_allowed_is_closed_at_once() {
    let config = [("max.connections.per.ip", "2")];
    let server = Server::start(broker(&config), local()).unwrap();
    let (mut first, mut second) = (connect(&server), connect(&server));
    for client in [&mut first, &mut second] {
        client.ask(ApiVersionsRequest::default(), 3);
    }
    for _ in 0..3 {
        assert!(connect(&server).is_closed());
    }
    let mut other = connect_from("127.0.0.2:0", &server);
    other.ask(ApiVersionsRequest::default(), 3);
    second.ask(ApiVersionsRequest::default(), 3);
    drop(first);
    // The server notices the disconnect with a delay.
    let is_served = || {
        let mut client = Client::new(tcp(server.addresses()[0]));
        let mut bytes = BytesMut::new();
        encode_request(
            &mut bytes,
            &ApiVersionsRequest::default().into(),
            3,
            1,
            None,
        )
        .unwrap();
        client.stream.write_all(&bytes).is_ok() && client.frame().is_some()
    };
    assert!(
        (0..3_000).any(|_| is_served() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }),
        "a released permit must be available"
    );
}
