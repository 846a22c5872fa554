//! A server over real sockets, without authentication.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use crate::support::{batch, broker, code, connect, fetch, local, produce, serve};
use bytes::BytesMut;
use headwater_broker::RequestContext;
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::{
    ApiKey, ApiVersionsRequest, DescribeConfigsRequest, ErrorCode, FetchResponse, MetadataRequest,
    ProduceResponse, Response, SaslHandshakeRequest,
};
use headwater_server::{Exposure, ListenerOptions, SecurityProtocol, ServeError, Server};

#[test]
fn a_client_creates_a_topic_produces_to_it_and_reads_it_back() {
    let server = serve(local());
    let mut client = connect(&server);
    let versions = client.ask(ApiVersionsRequest::default(), 0);
    let keys: Vec<_> = versions.api_keys.iter().map(|api| api.api_key).collect();
    assert!(keys.is_sorted());
    for api in [ApiKey::Produce, ApiKey::SaslHandshake] {
        assert!(keys.contains(&api.code()), "{api}");
    }
    client.create_topic("flights", 1);
    let metadata = client.ask(MetadataRequest::default(), 9);
    assert_eq!(metadata.brokers.len(), 1);
    assert_eq!(&*metadata.brokers[0].host, "127.0.0.1");
    assert_eq!(
        metadata.brokers[0].port,
        i32::from(server.addresses()[0].port())
    );
    for version in 3..=11 {
        let value = [version as u8; 10_000];
        let answer = client.ask(produce("flights", batch(&value), -1), version);
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(code(partition.error_code), ErrorCode::None);
        assert_eq!(partition.base_offset, i64::from(version) - 3);
    }
    for version in 4..=12 {
        let answer = client.ask(fetch("flights", 5, 0), version);
        let partition = &answer.responses[0].partitions[0];
        assert_eq!(partition.high_watermark, 9);
        let records = partition.records.clone().unwrap();
        let value = [8_u8; 10_000];
        assert!(records.windows(value.len()).any(|part| part == value));
    }
}

#[test]
fn an_empty_list_means_all_topics_only_in_version_0_of_metadata() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("flights", 1);
    let empty = MetadataRequest {
        topics: Some(Vec::new()),
        ..Default::default()
    };
    let mut told = |version| client.ask(empty.clone(), version).topics;
    let [flights] = &told(0)[..] else {
        panic!("version 0 has no null, so an empty list means all");
    };
    assert_eq!(flights.name.as_deref(), Some("flights"));
    for version in [1, 9] {
        assert_eq!(told(version), [], "version {version}");
    }
}

#[test]
fn clients_get_the_advertised_address() {
    let mut options = local();
    options.listeners[0].advertised_host = Some("kafka.example".to_owned());
    options.listeners[0].advertised_port = Some(19_092);
    let server = serve(options);
    let metadata = connect(&server).ask(MetadataRequest::default(), 5);
    assert_eq!(&*metadata.brokers[0].host, "kafka.example");
    assert_eq!(metadata.brokers[0].port, 19_092);
}

#[test]
fn each_listener_advertises_its_own_address() {
    let mut options = local();
    options.listeners.push(ListenerOptions::new("localhost", 0));
    let server = serve(options);
    assert_eq!(server.addresses().len(), 2);
    let mut second = crate::support::Client::new(crate::support::tcp(server.addresses()[1]));
    let metadata = second.ask(MetadataRequest::default(), 5);
    assert_eq!(&*metadata.brokers[0].host, "localhost");
    assert_eq!(
        metadata.brokers[0].port,
        i32::from(server.addresses()[1].port())
    );
}

#[test]
fn a_waiting_fetch_does_not_block_later_produces() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    let waiting = client.send(fetch("t", 0, 20_000), 11);
    let produced = client.send(produce("t", batch(b"woken"), -1), 9);
    let (first, response) = client.receive(ApiKey::Fetch, 11);
    assert_eq!(first, waiting);
    let response = FetchResponse::try_from(response).unwrap();
    let records = response.responses[0].partitions[0].records.clone().unwrap();
    assert!(records.windows(5).any(|part| part == b"woken"));
    let (second, response) = client.receive(ApiKey::Produce, 9);
    assert_eq!(second, produced);
    ProduceResponse::try_from(response).unwrap();
}

#[test]
fn pipelined_produces_are_appended_in_their_order() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    let ids: Vec<_> = (0..200)
        .map(|number: i32| client.send(produce("t", batch(&number.to_be_bytes()), 1), 8))
        .collect();
    for (offset, id) in ids.into_iter().enumerate() {
        let (answered, response) = client.receive(ApiKey::Produce, 8);
        let response = ProduceResponse::try_from(response).unwrap();
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!((answered, partition.base_offset), (id, offset as i64));
    }
}

#[test]
fn a_produce_without_acknowledgement_is_appended_and_a_failed_one_ends_the_connection() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    client.send(produce("t", batch(b"silent"), 0), 9);
    let answer = client.ask(fetch("t", 0, 0), 11);
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 1);
    client.send(produce("nowhere", batch(b"lost"), 0), 9);
    assert!(client.is_closed());
}

#[test]
fn a_client_that_reads_nothing_does_not_affect_others() {
    let server = serve(local());
    let mut deaf = connect(&server);
    deaf.create_topic("t", 1);
    for _ in 0..8 {
        let answer = deaf.ask(produce("t", batch(&vec![7; 900_000]), 1), 9);
        assert_eq!(
            code(answer.responses[0].partition_responses[0].error_code),
            ErrorCode::None
        );
    }
    // Up to 1,000 responses of seven megabytes each.
    for _ in 0..1_000 {
        deaf.send(fetch("t", 0, 0), 11);
    }
    for _ in 0..10 {
        let mut other = connect(&server);
        let answer = other.ask(fetch("t", 7, 0), 11);
        assert_eq!(answer.responses[0].partitions[0].high_watermark, 8);
    }
    assert!(
        server.memory_used() < 32 << 20,
        "{} bytes are held",
        server.memory_used()
    );
}

#[test]
fn a_connection_beyond_the_limit_waits_until_another_is_closed() {
    let server = Server::start(broker(&[("max.connections", "2")]), local()).unwrap();
    let (mut first, mut second) = (connect(&server), connect(&server));
    first.ask(ApiVersionsRequest::default(), 3);
    second.ask(ApiVersionsRequest::default(), 3);
    let mut third = connect(&server);
    third.send(ApiVersionsRequest::default(), 3);
    third
        .stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let early = std::io::Read::read(&mut third.stream, &mut [0]);
    assert!(early.is_err(), "{early:?}");
    drop(first);
    third
        .stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    assert_eq!(third.receive(ApiKey::ApiVersions, 3).0, 0);
}

#[test]
fn idle_connections_are_closed() {
    let broker = broker(&[("connections.max.idle.ms", "100")]);
    let server = Server::start(broker, local()).unwrap();
    let mut client = connect(&server);
    client.ask(ApiVersionsRequest::default(), 3);
    assert!(client.is_closed());
}

#[test]
fn a_request_beyond_the_maximum_size_ends_its_connection() {
    let broker = broker(&[("socket.request.max.bytes", "1000")]);
    let server = Server::start(broker, local()).unwrap();
    for (length, is_taken) in [(1000_i32, true), (1001, false)] {
        let mut client = connect(&server);
        client.ask(ApiVersionsRequest::default(), 3);
        client.send_bytes(&length.to_be_bytes());
        client
            .stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let read = client.stream.read(&mut [0]);
        assert_eq!(read.is_err(), is_taken, "{length}: {read:?}");
    }
}

#[test]
fn the_broker_limits_the_memory_of_all_connections() {
    let broker = broker(&[("queued.max.request.bytes", "100000")]);
    let server = Server::start(broker, local()).unwrap();
    let mut client = connect(&server);
    client.ask(ApiVersionsRequest::default(), 3);
    client.send_bytes(&90_000_000_i32.to_be_bytes());
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    // The server reads no more than the memory limit; the system buffers some more.
    let sent = client.stream.write_all(&vec![0; 64 << 20]);
    assert!(sent.is_err(), "the server keeps reading");
    assert!(server.memory_used() < 1_000_000, "{}", server.memory_used());
}

#[test]
fn the_configuration_shows_the_open_listeners() {
    let broker = broker(&[]);
    let mut options = local();
    options.listeners[0].advertised_host = Some("kafka.example".to_owned());
    let server = Server::start(broker.clone(), options).unwrap();
    let port = server.addresses()[0].port();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let shown = |key: &str| {
        let resource = DescribeConfigsResource {
            resource_type: 4,
            resource_name: "1".into(),
            configuration_keys: Some(vec![key.into()]),
            ..Default::default()
        };
        let request = DescribeConfigsRequest {
            resources: vec![resource],
            ..Default::default()
        };
        let context = RequestContext::default();
        let answer = broker.handle(&context, request.into());
        let Response::DescribeConfigs(mut response) = runtime.block_on(answer) else {
            panic!("another answer");
        };
        let config = response.results.remove(0).configs.remove(0);
        (
            config.value.map(|value| value.to_string()),
            config.config_source,
        )
    };
    let given = |value: String| (Some(value), 4);
    assert_eq!(
        shown("listeners"),
        given(format!("PLAINTEXT://127.0.0.1:{port}"))
    );
    let advertised = format!("PLAINTEXT://kafka.example:{port}");
    assert_eq!(shown("advertised.listeners"), given(advertised));
    assert_eq!(shown("log.dirs"), given("/data".to_owned()));
    assert_eq!(shown("node.id"), given("1".to_owned()));
    server.shutdown();
    assert_eq!(shown("listeners"), (None, 5));
}

#[test]
fn bytes_of_another_protocol_end_the_connection() {
    let server = serve(local());
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1, 0],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0, 0, 0, 0],
    ] {
        let mut client = connect(&server);
        client.send_bytes(bytes);
        assert!(client.is_closed(), "{bytes:?}");
    }
}

#[test]
fn a_handshake_at_a_plaintext_listener_is_an_illegal_state() {
    let server = serve(local());
    let mut client = connect(&server);
    let request = SaslHandshakeRequest {
        mechanism: "PLAIN".into(),
    };
    let answer = client.ask(request, 1);
    assert_eq!(code(answer.error_code), ErrorCode::IllegalSaslState);
    client.ask(ApiVersionsRequest::default(), 3);
}

#[test]
fn a_shutdown_completes_started_requests_and_closes_the_rest() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    let mut idle = connect(&server);
    idle.ask(ApiVersionsRequest::default(), 3);
    let waiting = client.send(fetch("t", 0, 700), 11);
    // Give the request time to arrive: a shutdown before that would close the connection without a response and fail
    // the test.
    std::thread::sleep(Duration::from_millis(200));
    std::thread::scope(|scope| {
        scope.spawn(|| server.shutdown());
        assert_eq!(client.receive(ApiKey::Fetch, 11).0, waiting);
    });
    assert!(client.is_closed());
    assert!(idle.is_closed());
    assert!(std::net::TcpStream::connect(server.addresses()[0]).is_err());
    server.shutdown();
}

#[test]
fn a_server_that_is_dropped_closes_its_connections() {
    let server = serve(local());
    let mut client = connect(&server);
    client.ask(ApiVersionsRequest::default(), 3);
    drop(server);
    assert!(client.is_closed());
}

#[test]
fn a_frame_cut_off_by_the_end_of_the_connection_has_no_effect() {
    let server = serve(local());
    let mut client = connect(&server);
    client.create_topic("t", 1);
    let mut bytes = BytesMut::new();
    let request = produce("t", batch(b"cut"), 1);
    headwater_protocol::frame::encode_request(&mut bytes, &request.into(), 9, 1, None).unwrap();
    client.stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    drop(client);
    let answer = connect(&server).ask(fetch("t", 0, 0), 11);
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 0);
}

#[test]
fn insecure_listeners_on_reachable_addresses_need_an_explicit_option() {
    let mut options = local();
    options.listeners[0] = ListenerOptions {
        advertised_host: Some("localhost".to_owned()),
        ..ListenerOptions::new("0.0.0.0", 0)
    };
    for protocol in [SecurityProtocol::Plaintext, SecurityProtocol::SaslPlaintext] {
        options.listeners[0].protocol = protocol;
        let refused = Server::start(broker(&[]), options.clone());
        let Err(error @ ServeError::Exposed { .. }) = refused else {
            panic!("{refused:?}")
        };
        assert!(error.to_string().contains("allow_insecure"), "{error}");
    }
    options.listeners[0].protocol = SecurityProtocol::Plaintext;
    options.exposure = Exposure::AllowInsecure;
    let server = Server::start(broker(&[]), options.clone()).unwrap();
    connect(&server).ask(ApiVersionsRequest::default(), 3);
    options.listeners[0].advertised_host = None;
    let nameless = Server::start(broker(&[]), options);
    assert!(matches!(
        nameless,
        Err(ServeError::NothingToAdvertise { .. })
    ));
}

#[test]
fn a_port_in_use_is_an_error_with_the_address() {
    let server = serve(local());
    let mut options = local();
    options.listeners[0].port = server.addresses()[0].port();
    let error = Server::start(broker(&[]), options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&server.addresses()[0].to_string()),
        "{error}"
    );
    let mut nowhere = local();
    nowhere.listeners.clear();
    assert!(matches!(
        Server::start(broker(&[]), nowhere),
        Err(ServeError::NoListener)
    ));
}
