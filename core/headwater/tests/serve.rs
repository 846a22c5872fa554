//! An engine with clients in other processes: each sees the changes of the other.
#![allow(clippy::unwrap_used, reason = "a panic shows where a test failed")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use headwater::{
    Engine, ErrorKind, ListenerOptions, NO_CONFIG, NewTopic, Record, ScanOptions, ServeOptions,
    Server,
};
use headwater_protocol::create_topics_request::CreatableTopic;
use headwater_protocol::frame::{decode_response, encode_request, take_frame};
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::{ApiRequest, CreateTopicsRequest, ListOffsetsRequest, MetadataRequest};

const LATEST: i64 = -1;

fn serve(engine: &Engine) -> Server {
    let options = ServeOptions {
        listeners: vec![ListenerOptions::new("127.0.0.1", 0)],
        ..ServeOptions::default()
    };
    engine.serve(options).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

fn ask<R: ApiRequest>(stream: &mut TcpStream, request: R, version: i16) -> R::Response {
    let mut bytes = BytesMut::new();
    encode_request(&mut bytes, &request.into(), version, 1, None).unwrap();
    stream.write_all(&bytes).unwrap();
    let mut received = BytesMut::new();
    let frame = loop {
        if let Some(frame) = take_frame(&mut received, u32::MAX).unwrap() {
            break frame;
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the server closed the connection");
        received.extend_from_slice(&chunk[..read]);
    };
    let (_, response) = decode_response(frame, R::API, version).unwrap();
    R::Response::try_from(response).unwrap()
}

fn end_offset(stream: &mut TcpStream, topic: &str) -> i64 {
    let partition = ListOffsetsPartition {
        timestamp: LATEST,
        ..Default::default()
    };
    let topic = ListOffsetsTopic {
        name: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    ask(stream, request, 5).topics[0].partitions[0].offset
}

fn send(engine: &Engine, topic: &str) {
    let producer = engine.producer(headwater::ProducerConfig::default());
    let record = Record::new(topic, b"value");
    producer.send_blocking(&record).unwrap().wait().unwrap();
}

#[test]
fn clients_and_the_process_see_the_records_and_topics_of_each_other() {
    let directory = tempfile::tempdir().unwrap();
    for path in [None, Some(directory.path())] {
        let engine = headwater::open(path, NO_CONFIG).unwrap();
        let server = serve(&engine);
        let mut client = connect(&server);
        engine
            .block_on(engine.admin().create_topic(NewTopic::new("ours")))
            .unwrap();
        send(&engine, "ours");
        assert_eq!(end_offset(&mut client, "ours"), 1);
        let topic = CreatableTopic {
            name: "theirs".into(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        ask(&mut client, request, 5);
        send(&engine, "theirs");
        let scan = engine.topic("theirs").scan(ScanOptions::default());
        assert_eq!(engine.block_on(scan.collect()).unwrap().len(), 1);
        server.shutdown();
        send(&engine, "ours");
    }
}

#[test]
fn closing_the_engine_closes_its_connections_and_it_is_not_served_again() {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    let server = serve(&engine);
    let mut client = connect(&server);
    ask(&mut client, MetadataRequest::default(), 5);
    engine.close().unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let error = engine.serve(ServeOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn a_server_keeps_its_engine_open() {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    let server = serve(&engine);
    drop(engine);
    let answer = ask(&mut connect(&server), MetadataRequest::default(), 5);
    assert_eq!(answer.brokers.len(), 1);
}

#[test]
fn an_address_reachable_from_outside_is_refused_with_advice() {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    let options = ServeOptions {
        listeners: vec![ListenerOptions::new("0.0.0.0", 0)],
        ..ServeOptions::default()
    };
    let error = engine.serve(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("SASL_SSL"), "{error:?}");
}
