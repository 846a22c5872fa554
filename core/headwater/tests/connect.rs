//! A client connected to a Headwater server: security, several handles, and calls that a connected client refuses.
#![allow(clippy::unwrap_used, reason = "a panic shows where a test failed")]

use std::net::TcpListener;

use headwater::{
    Engine, ErrorKind, ListenerOptions, NO_CONFIG, NewTopic, Record, Result, ScanOptions,
    ScramMechanism, SecurityProtocol, ServeOptions, Server, TlsOptions,
};
use rstest::rstest;

/// A server with one listener, and the certificate for clients.
struct TestServer {
    server: Server,
    engine: Engine,
    certificate: String,
}

impl TestServer {
    fn start(protocol: SecurityProtocol) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let engine = headwater::open(None, NO_CONFIG).unwrap();
        let mut listener = ListenerOptions::new("127.0.0.1", 0);
        listener.protocol = protocol;
        if protocol.uses_tls() {
            listener.tls = Some(TlsOptions {
                certificate_chain: made.cert.pem().into_bytes(),
                private_key: made.signing_key.serialize_pem().into_bytes(),
            });
        }
        if protocol.uses_sasl() {
            let set = engine
                .admin()
                .set_password("ada", b"secret", &ScramMechanism::ALL);
            engine.block_on(set).unwrap();
        }
        listener.advertised_host = Some("localhost".to_owned());
        let options = ServeOptions {
            listeners: vec![listener],
            ..ServeOptions::default()
        };
        Self {
            server: engine.serve(options).unwrap(),
            engine,
            certificate: made.cert.pem(),
        }
    }

    fn connect(&self, host: &str, pairs: &[(&str, &str)]) -> Result<Engine> {
        let port = self.server.addresses()[0].port();
        headwater::connect(&format!("{host}:{port}"), pairs.iter().copied())
    }
}

/// Writes and reads one record.
fn round_trip(client: &Engine) {
    let topic = NewTopic::new("flights").partitions(2);
    client.block_on(client.admin().create_topic(topic)).unwrap();
    let producer = client.producer(headwater::ProducerConfig::default());
    let sent = producer
        .send_blocking(&Record::new("flights", b"value").key(b"key"))
        .unwrap();
    sent.wait().unwrap();
    let scan = client.topic("flights").scan(ScanOptions::default());
    assert_eq!(client.block_on(scan.collect()).unwrap().len(), 1);
}

const SCRAM_512: [(&str, &str); 3] = [
    ("sasl.mechanism", "SCRAM-SHA-512"),
    ("sasl.username", "ada"),
    ("sasl.password", "secret"),
];

#[rstest]
#[case::plaintext(SecurityProtocol::Plaintext, "PLAINTEXT", None)]
#[case::tls(SecurityProtocol::Ssl, "SSL", None)]
#[case::plain(SecurityProtocol::SaslPlaintext, "SASL_PLAINTEXT", Some("PLAIN"))]
#[case::scram_256(
    SecurityProtocol::SaslPlaintext,
    "SASL_PLAINTEXT",
    Some("SCRAM-SHA-256")
)]
#[case::scram_512_over_tls(SecurityProtocol::SaslSsl, "SASL_SSL", Some("SCRAM-SHA-512"))]
fn records_go_and_come_back_under_each_security_protocol(
    #[case] protocol: SecurityProtocol,
    #[case] name: &str,
    #[case] mechanism: Option<&str>,
) {
    let served = TestServer::start(protocol);
    let mut pairs = vec![("security.protocol", name)];
    if protocol.uses_tls() {
        pairs.push(("ssl.truststore.certificates", &served.certificate));
    }
    if let Some(mechanism) = mechanism {
        pairs.push(("sasl.mechanism", mechanism));
        pairs.extend_from_slice(&SCRAM_512[1..]);
    }
    round_trip(&served.connect("localhost", &pairs).unwrap());
}

#[rstest]
#[case::plain("PLAIN")]
#[case::scram("SCRAM-SHA-256")]
fn a_wrong_password_is_refused_and_not_shown(#[case] mechanism: &str) {
    let served = TestServer::start(SecurityProtocol::SaslPlaintext);
    let pairs = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", mechanism),
        ("sasl.username", "ada"),
        ("sasl.password", "guess-4711"),
    ];
    let error = served.connect("localhost", &pairs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    assert!(!error.is_retriable());
    assert!(!format!("{error} {error:?}").contains("guess-4711"));
}

#[test]
fn a_certificate_for_another_name_is_refused_unless_the_check_is_off() {
    let served = TestServer::start(SecurityProtocol::Ssl);
    let mut pairs = vec![
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", served.certificate.as_str()),
    ];
    let error = served.connect("127.0.0.1", &pairs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    assert!(error.message().contains("127.0.0.1"), "{error}");
    pairs.push(("ssl.endpoint.identification.algorithm", ""));
    round_trip(&served.connect("127.0.0.1", &pairs).unwrap());
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let served = TestServer::start(SecurityProtocol::Ssl);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = other.cert.pem();
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", other.as_str()),
    ];
    let error = served.connect("localhost", &pairs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    assert!(
        error.message().contains("ssl.truststore.location"),
        "{error}"
    );
}

#[test]
fn a_client_without_credentials_gets_an_error_with_the_protocol() {
    let served = TestServer::start(SecurityProtocol::SaslPlaintext);
    let error = served.connect("localhost", &[]).unwrap_err();
    assert!(error.message().contains("security.protocol"), "{error}");
}

#[test]
fn a_connected_client_cannot_serve_and_has_no_report() {
    let served = TestServer::start(SecurityProtocol::Plaintext);
    let client = served.connect("localhost", &[]).unwrap();
    assert!(client.report().is_none());
    let options = ServeOptions {
        listeners: vec![ListenerOptions::new("127.0.0.1", 0)],
        ..ServeOptions::default()
    };
    let error = client.serve(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("localhost"), "{error}");
}

#[test]
fn a_closed_client_refuses_calls_and_its_engine_goes_on() {
    let served = TestServer::start(SecurityProtocol::Plaintext);
    let client = served.connect("localhost", &[]).unwrap();
    round_trip(&client);
    client.close().unwrap();
    client.close().unwrap();
    assert!(client.is_closed());
    let listed = client.block_on(client.admin().topics(false));
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Closed);
    let scan = served.engine.topic("flights").scan(ScanOptions::default());
    assert_eq!(served.engine.block_on(scan.collect()).unwrap().len(), 1);
}

#[test]
fn a_server_that_stops_is_found_again_when_it_is_back() {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    let port = free_port();
    let serve = || {
        let options = ServeOptions {
            listeners: vec![ListenerOptions::new("127.0.0.1", port)],
            ..ServeOptions::default()
        };
        engine.serve(options).unwrap()
    };
    let server = serve();
    let client = headwater::connect(&format!("127.0.0.1:{port}"), NO_CONFIG).unwrap();
    round_trip(&client);
    server.shutdown();
    drop(server);
    let _again = serve();
    let scan = client.topic("flights").scan(ScanOptions::default());
    assert_eq!(client.block_on(scan.collect()).unwrap().len(), 1);
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[rstest]
#[case::empty("", "at least one HOST:PORT")]
#[case::no_port("localhost", "HOST:PORT")]
#[case::commas(" , ", "at least one HOST:PORT")]
fn wrong_addresses_are_refused(#[case] addresses: &str, #[case] expected: &str) {
    let error = headwater::connect(addresses, NO_CONFIG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains(expected), "{error}");
}

#[rstest]
#[case::of_a_connection("sasl.mechanisms", "sasl.mechanism")]
#[case::of_a_client("client.ids", "client.id")]
fn an_unknown_key_names_the_nearest(#[case] key: &str, #[case] nearest: &str) {
    let error = headwater::connect("localhost:9092", [(key, "x")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.message().contains(&format!("\"{nearest}\"")),
        "{error}"
    );
}
