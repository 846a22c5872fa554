//! Hostile clients at TLS listeners: bytes that are not a handshake, damaged handshakes and records, Kafka's protocol
//! without TLS, and TLS at a plaintext listener. Each run tries the same bytes, by seed.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::schema::Random;
use crate::schema::damage::{DAMAGES, damaged};
use crate::support::tls::{connection, encrypted, tls};
use crate::support::{connect, creation, serve, tcp};
use bytes::BytesMut;
use headwater_protocol::MetadataRequest;
use headwater_protocol::frame::encode_request;
use headwater_server::{SecurityProtocol, Server};
use tokio_rustls::rustls::pki_types::CertificateDer;

const CASES: u64 = 1_500;
/// A good client connects after every this many hostile ones.
const BETWEEN: u64 = 100;
/// The header of a TLS record: type, version and length. The rest is encrypted after the handshake.
const RECORD_HEAD: usize = 5;
/// The types of TLS records: change of ciphers, alert, handshake, data.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;

/// A request that would leave a trace if it were handled.
fn trace() -> Vec<u8> {
    let request = creation("trace", 1, &[]);
    let mut bytes = BytesMut::new();
    encode_request(&mut bytes, &request.into(), 5, 1, None).unwrap();
    bytes.to_vec()
}

/// Damages the bytes.
fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    loop {
        let changed = damaged(bytes.to_vec(), random.below(DAMAGES), random);
        if changed != bytes {
            return changed;
        }
    }
}

/// Sends bytes that the server may refuse.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    if let Err(error) = stream.write_all(bytes) {
        let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
}

/// Reads until the server closes the connection, which it must do in time.
fn last_words(stream: &mut TcpStream) -> Vec<u8> {
    let mut words = Vec::new();
    match stream.read_to_end(&mut words) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is not closed: {error}"),
    }
    words
}

/// A damaged first message of the client.
fn wrong_hello(certificate: CertificateDer<'static>, random: &mut Random) -> Vec<u8> {
    let mut hello = Vec::new();
    connection(certificate).write_tls(&mut hello).unwrap();
    changed(&hello, random)
}

/// A handshake with a damaged last message of the client.
fn wrong_finish(
    stream: &mut TcpStream,
    certificate: CertificateDer<'static>,
    random: &mut Random,
) -> Vec<u8> {
    let mut client = connection(certificate);
    client.write_tls(stream).unwrap();
    while client.is_handshaking() && !client.wants_write() {
        client.read_tls(stream).unwrap();
        client.process_new_packets().unwrap();
    }
    let mut finish = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut finish).unwrap();
    }
    changed(&finish, random)
}

/// A valid handshake, followed by the request with damaged ciphertext.
fn wrong_record(
    stream: &mut TcpStream,
    certificate: CertificateDer<'static>,
    random: &mut Random,
) -> Vec<u8> {
    let mut client = connection(certificate);
    client.complete_io(stream).unwrap();
    client.writer().write_all(&trace()).unwrap();
    let mut record = Vec::new();
    client.write_tls(&mut record).unwrap();
    let (head, encrypted) = record.split_at(RECORD_HEAD);
    [head, &changed(encrypted, random)].concat()
}

fn try_stranger(server: &Server, certificate: &CertificateDer<'static>, random: &mut Random) {
    let mut stream = tcp(server.addresses()[1]);
    let certificate = certificate.clone();
    let bytes = match random.below(5) {
        0 => {
            let length = random.below(2_000);
            random.bytes(length)
        }
        1 => trace(),
        2 => wrong_hello(certificate, random),
        3 => wrong_finish(&mut stream, certificate, random),
        _ => wrong_record(&mut stream, certificate, random),
    };
    send(&mut stream, &bytes);
    // The server may have closed the connection.
    let _ = stream.shutdown(Shutdown::Write);
    let words = last_words(&mut stream);
    let is_tls = words.first().is_none_or(|kind| RECORD_TYPES.contains(kind));
    assert!(is_tls, "{words:?} in answer to {bytes:?}");
}

#[test]
fn damaged_tls_is_refused_without_harm() {
    let (options, certificate) = encrypted(SecurityProtocol::Ssl);
    let server = serve(options);
    let mut beside = tls(&server, certificate.clone());
    let all_topics = || MetadataRequest {
        topics: None,
        ..Default::default()
    };
    for seed in 0..CASES {
        try_stranger(&server, &certificate, &mut Random::new(seed));
        if seed % BETWEEN == 0 {
            for client in [&mut beside, &mut tls(&server, certificate.clone())] {
                let metadata = client.ask(all_topics(), 5);
                assert!(metadata.topics.is_empty(), "seed {seed}: {metadata:?}");
            }
        }
    }
    assert_eq!(server.memory_used(), 0);
}

#[test]
fn an_unfinished_handshake_times_out() {
    let (mut options, certificate) = encrypted(SecurityProtocol::Ssl);
    options.limits.handshake_max = Duration::from_millis(200);
    let server = serve(options);
    let mut hello = Vec::new();
    connection(certificate).write_tls(&mut hello).unwrap();
    for part in [0, 1, RECORD_HEAD, hello.len() / 2, hello.len()] {
        let mut stream = tcp(server.addresses()[1]);
        send(&mut stream, &hello[..part]);
        last_words(&mut stream);
    }
}

#[test]
fn tls_is_refused_by_a_plaintext_listener() {
    let (options, certificate) = encrypted(SecurityProtocol::Ssl);
    let server = serve(options);
    let mut hello = Vec::new();
    connection(certificate).write_tls(&mut hello).unwrap();
    let mut stream = tcp(server.addresses()[0]);
    send(&mut stream, &hello);
    assert!(last_words(&mut stream).is_empty());
    assert_eq!(
        connect(&server)
            .ask(MetadataRequest::default(), 5)
            .brokers
            .len(),
        1
    );
}
