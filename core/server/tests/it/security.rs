//! Listeners with authentication and encryption.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::tls::{certificate, encrypted, tls};
use crate::support::{Client, batch, broker, code, fetch, local, produce, tcp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use headwater_protocol::{
    AlterUserScramCredentialsRequest, ApiVersionsRequest, DescribeUserScramCredentialsRequest,
    ErrorCode, MetadataRequest, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeRequest, SaslHandshakeResponse,
};
use headwater_server::{
    Exposure, ListenerOptions, SecurityProtocol, ServeError, ServeOptions, Server, TlsOptions,
};
use rstest::rstest;

const ITERATIONS: i32 = 4096;

/// A listener without authentication, for creating users, and one with it.
fn guarded() -> ServeOptions {
    let mut options = local();
    options.listeners.push(ListenerOptions {
        protocol: SecurityProtocol::SaslPlaintext,
        ..ListenerOptions::new("127.0.0.1", 0)
    });
    options
}

fn start(options: ServeOptions) -> Server {
    let server = Server::start(broker(&[]), options).unwrap();
    for mechanism in ScramMechanism::ALL {
        let request = AlterUserScramCredentialsRequest {
            upsertions: vec![upsertion("alice", "secret", mechanism)],
            ..Default::default()
        };
        let answer = admin(&server).ask(request, 0);
        assert_eq!(code(answer.results[0].error_code), ErrorCode::None);
    }
    server
}

fn upsertion(user: &str, password: &str, mechanism: ScramMechanism) -> ScramCredentialUpsertion {
    let salt = Bytes::from_static(b"sixteen bytes of");
    ScramCredentialUpsertion {
        name: user.into(),
        mechanism: mechanism.code(),
        iterations: ITERATIONS,
        salted_password: mechanism.salted_password(password.as_bytes(), &salt, ITERATIONS as u32),
        salt,
        ..Default::default()
    }
}

fn admin(server: &Server) -> Client<TcpStream> {
    Client::new(tcp(server.addresses()[0]))
}

fn stranger(server: &Server) -> Client<TcpStream> {
    Client::new(tcp(server.addresses()[1]))
}

fn handshake<S: Read + Write>(client: &mut Client<S>, mechanism: &str) -> SaslHandshakeResponse {
    let request = SaslHandshakeRequest {
        mechanism: mechanism.into(),
    };
    client.ask(request, 1)
}

fn authenticate<S: Read + Write>(
    client: &mut Client<S>,
    message: impl Into<Bytes>,
) -> SaslAuthenticateResponse {
    let request = SaslAuthenticateRequest {
        auth_bytes: message.into(),
        ..Default::default()
    };
    client.ask(request, 2)
}

fn plain<S: Read + Write>(
    client: &mut Client<S>,
    user: &str,
    password: &str,
) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, "PLAIN").error_code, 0);
    authenticate(client, format!("\0{user}\0{password}"))
}

/// The client side of SCRAM, up to the server's last message.
fn scram<S: Read + Write>(
    client: &mut Client<S>,
    mechanism: ScramMechanism,
    user: &str,
    password: &str,
) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, mechanism.name()).error_code, 0);
    let bare = format!("n={user},r=clientnonce");
    let challenge = authenticate(client, format!("n,,{bare}"));
    assert_eq!(
        challenge.error_code, 0,
        "the challenge must not reveal whether the user exists"
    );
    let challenge = String::from_utf8(challenge.auth_bytes.to_vec()).unwrap();
    let part = |name: &str| {
        let found = challenge
            .split(',')
            .find_map(|part| part.strip_prefix(name));
        found.unwrap().to_owned()
    };
    let salt = Bytes::from(BASE64.decode(part("s=")).unwrap());
    let iterations: u32 = part("i=").parse().unwrap();
    assert_eq!(iterations, ITERATIONS as u32);
    let unproven = format!("c=biws,r={}", part("r="));
    let signed = format!("{bare},{challenge},{unproven}");
    let salted = mechanism.salted_password(password.as_bytes(), &salt, iterations);
    let credential = ScramCredential::from_salted_password(mechanism, &salted, salt, iterations);
    let signature = mechanism.hmac(&credential.stored_key, signed.as_bytes());
    let client_key = mechanism.hmac(&salted, b"Client Key");
    let proof: Vec<u8> = client_key
        .iter()
        .zip(&signature)
        .map(|(a, b)| a ^ b)
        .collect();
    let last = authenticate(client, format!("{unproven},p={}", BASE64.encode(proof)));
    if last.error_code == 0 {
        let expected = mechanism.hmac(&credential.server_key, signed.as_bytes());
        assert_eq!(last.auth_bytes, format!("v={}", BASE64.encode(expected)));
    }
    last
}

#[test]
fn the_right_password_authenticates_with_every_mechanism() {
    let server = start(guarded());
    let mut client = stranger(&server);
    client.ask(ApiVersionsRequest::default(), 3);
    assert_eq!(plain(&mut client, "alice", "secret").error_code, 0);
    client.create_topic("t", 1);
    for mechanism in ScramMechanism::ALL {
        let mut client = stranger(&server);
        assert_eq!(
            scram(&mut client, mechanism, "alice", "secret").error_code,
            0
        );
        let all_topics = MetadataRequest {
            topics: None,
            ..Default::default()
        };
        let metadata = client.ask(all_topics, 5);
        assert_eq!(metadata.topics.len(), 1);
        assert_eq!(
            metadata.brokers[0].port,
            i32::from(server.addresses()[1].port())
        );
    }
}

#[rstest]
#[case::wrong_password("alice", "guess")]
#[case::unknown_user("mallory", "secret")]
fn wrong_credentials_are_refused_without_a_reason(#[case] user: &str, #[case] password: &str) {
    let server = start(guarded());
    let expected = "Authentication failed: invalid user name or password.";
    let mut clients = Vec::new();
    let mut client = stranger(&server);
    clients.push((plain(&mut client, user, password), client));
    for mechanism in ScramMechanism::ALL {
        let mut client = stranger(&server);
        clients.push((scram(&mut client, mechanism, user, password), client));
    }
    for (answer, mut client) in clients {
        assert_eq!(code(answer.error_code), ErrorCode::SaslAuthenticationFailed);
        assert_eq!(answer.error_message.as_deref(), Some(expected));
        assert!(client.is_closed());
    }
}

#[test]
fn requests_before_authentication_get_no_response() {
    let server = start(guarded());
    let mut client = stranger(&server);
    client.ask(ApiVersionsRequest::default(), 3);
    client.send(MetadataRequest::default(), 5);
    assert!(client.is_closed());
    let mut half_way = stranger(&server);
    handshake(&mut half_way, "PLAIN");
    half_way.send(MetadataRequest::default(), 5);
    assert!(half_way.is_closed());
    let mut denied = stranger(&server);
    let request = SaslHandshakeRequest {
        mechanism: "PLAIN".into(),
    };
    denied.send(request, 1);
    let wrong = SaslAuthenticateRequest {
        auth_bytes: Bytes::from_static(b"\0alice\0guess"),
        ..Default::default()
    };
    denied.send(wrong, 2);
    denied.send(MetadataRequest::default(), 5);
    assert!(denied.frame().is_some());
    assert!(denied.frame().is_some());
    assert!(
        denied.is_closed(),
        "requests after a denial must not be read"
    );
}

#[test]
fn a_disabled_mechanism_is_refused_with_the_enabled_ones() {
    let server = start(guarded());
    let mut client = stranger(&server);
    let answer = handshake(&mut client, "GSSAPI");
    assert_eq!(code(answer.error_code), ErrorCode::UnsupportedSaslMechanism);
    assert_eq!(
        answer.mechanisms,
        ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
    );
    assert!(client.is_closed());
}

#[test]
fn messages_out_of_order_are_refused() {
    let server = start(guarded());
    let mut client = stranger(&server);
    let answer = authenticate(&mut client, &b"\0alice\0secret"[..]);
    assert_eq!(code(answer.error_code), ErrorCode::IllegalSaslState);
    assert!(client.is_closed());
    let mut client = stranger(&server);
    assert_eq!(plain(&mut client, "alice", "secret").error_code, 0);
    let again = handshake(&mut client, "PLAIN");
    assert_eq!(code(again.error_code), ErrorCode::IllegalSaslState);
    client.ask(MetadataRequest::default(), 5);
}

#[test]
fn old_clients_send_bare_messages() {
    let server = start(guarded());
    for (password, is_let_in) in [("secret", true), ("guess", false)] {
        let mut client = stranger(&server);
        let request = SaslHandshakeRequest {
            mechanism: "PLAIN".into(),
        };
        client.ask(request, 0);
        let message = format!("\0alice\0{password}");
        client.send_bytes(&(message.len() as i32).to_be_bytes());
        client.send_bytes(message.as_bytes());
        assert_eq!(client.frame(), is_let_in.then(Bytes::new));
        if is_let_in {
            client.ask(MetadataRequest::default(), 5);
        }
    }
}

#[test]
fn unauthenticated_clients_are_limited_in_size_and_time() {
    let mut options = guarded();
    options.limits.handshake_max = Duration::from_millis(200);
    let server = start(options);
    let mut client = stranger(&server);
    client.send_bytes(&(100_000_i32).to_be_bytes());
    assert!(client.is_closed());
    let mut silent = stranger(&server);
    assert!(silent.is_closed());
}

#[test]
fn a_changed_or_deleted_password_does_not_authenticate() {
    let server = start(guarded());
    for mechanism in ScramMechanism::ALL {
        let changed = AlterUserScramCredentialsRequest {
            upsertions: vec![upsertion("alice", "other", mechanism)],
            ..Default::default()
        };
        admin(&server).ask(changed, 0);
    }
    assert_ne!(
        plain(&mut stranger(&server), "alice", "secret").error_code,
        0
    );
    assert_eq!(
        plain(&mut stranger(&server), "alice", "other").error_code,
        0
    );
    let deletions = ScramMechanism::ALL.map(|mechanism| ScramCredentialDeletion {
        name: "alice".into(),
        mechanism: mechanism.code(),
        ..Default::default()
    });
    let removed = AlterUserScramCredentialsRequest {
        deletions: deletions.to_vec(),
        ..Default::default()
    };
    let answer = admin(&server).ask(removed, 0);
    assert_eq!(code(answer.results[0].error_code), ErrorCode::None);
    assert_ne!(
        plain(&mut stranger(&server), "alice", "other").error_code,
        0
    );
    let users = admin(&server).ask(DescribeUserScramCredentialsRequest::default(), 0);
    assert!(users.results.is_empty());
}

#[test]
fn records_travel_encrypted_both_ways() {
    let (options, certificate) = encrypted(SecurityProtocol::Ssl);
    let server = start(options);
    let mut client = tls(&server, certificate);
    client.create_topic("t", 1);
    let value = vec![7; 500_000];
    for _ in 0..4 {
        let answer = client.ask(produce("t", batch(&value), -1), 9);
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let answer = client.ask(fetch("t", 0, 0), 11);
    let records = answer.responses[0].partitions[0].records.clone().unwrap();
    assert!(records.len() > 4 * value.len());
}

#[test]
fn sasl_ssl_protects_addresses_that_other_machines_reach() {
    let (mut options, certificate) = encrypted(SecurityProtocol::SaslSsl);
    assert_eq!(options.exposure, Exposure::Loopback);
    options.listeners[1].host = "0.0.0.0".to_owned();
    options.listeners[1].advertised_host = Some("localhost".to_owned());
    let server = start(options);
    let mut client = tls(&server, certificate);
    let answer = scram(&mut client, ScramMechanism::Sha256, "alice", "secret");
    assert_eq!(answer.error_code, 0);
    client.ask(MetadataRequest::default(), 5);
}

#[test]
fn clients_without_tls_are_refused_by_a_tls_listener() {
    let (options, _) = encrypted(SecurityProtocol::Ssl);
    let server = start(options);
    let mut client = stranger(&server);
    client.send(ApiVersionsRequest::default(), 3);
    // A TLS alert is not a frame: its first four bytes are a length beyond its end.
    assert!(client.is_closed());
}

#[test]
fn a_missing_or_invalid_certificate_is_an_error_with_a_remedy() {
    let (mut options, _) = encrypted(SecurityProtocol::Ssl);
    options.listeners[1].tls = None;
    let missing = Server::start(broker(&[]), options.clone()).unwrap_err();
    assert!(matches!(missing, ServeError::NoTls(SecurityProtocol::Ssl)));
    let (first, _) = certificate();
    let (second, _) = certificate();
    for (certificate_chain, private_key) in [
        (Vec::new(), first.private_key.clone()),
        (first.certificate_chain.clone(), b"no key".to_vec()),
        (first.certificate_chain.clone(), second.private_key),
    ] {
        options.listeners[1].tls = Some(TlsOptions {
            certificate_chain,
            private_key,
        });
        let error = Server::start(broker(&[]), options.clone()).unwrap_err();
        assert!(matches!(error, ServeError::Tls(_)), "{error}");
    }
    assert_eq!(format!("{first:?}"), "TlsOptions { .. }");
}
