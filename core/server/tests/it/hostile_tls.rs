//! Strangers at listeners with TLS: bytes that are no handshake, handshakes and records with something wrong, Kafka's protocol without TLS,
//! and TLS where there is none. Each run tries the same, by seed.

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
/// A good client comes after so many strangers.
const BETWEEN: u64 = 100;
/// The head of a record of TLS: its type, version and length. What stands behind it is encrypted once the hands are shaken.
const RECORD_HEAD: usize = 5;
/// The types of records of TLS: change of ciphers, alert, handshake, data.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;

/// A request that would leave a trace if anybody carried it out.
fn trace() -> Vec<u8> {
    let request = creation("trace", 1, &[]);
    let mut bytes = BytesMut::new();
    encode_request(&mut bytes, &request.into(), 5, 1, None).unwrap();
    bytes.to_vec()
}

/// With something wrong that was not wrong before.
fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    loop {
        let changed = damaged(bytes.to_vec(), random.below(DAMAGES), random);
        if changed != bytes {
            return changed;
        }
    }
}

/// Sends what the server may refuse to take.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    if let Err(error) = stream.write_all(bytes) {
        let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
}

/// What the server says until it closes the connection, which it does in time.
fn last_words(stream: &mut TcpStream) -> Vec<u8> {
    let mut words = Vec::new();
    match stream.read_to_end(&mut words) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is not closed: {error}"),
    }
    words
}

/// The client's first words, with something wrong.
fn wrong_hello(certificate: CertificateDer<'static>, random: &mut Random) -> Vec<u8> {
    let mut hello = Vec::new();
    connection(certificate).write_tls(&mut hello).unwrap();
    changed(&hello, random)
}

/// Shakes hands with something wrong in the client's last words.
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

/// Shakes hands as one should. The request, with something wrong in what is encrypted.
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
    // It may be gone already.
    let _ = stream.shutdown(Shutdown::Write);
    let words = last_words(&mut stream);
    let is_tls = words.first().is_none_or(|kind| RECORD_TYPES.contains(kind));
    assert!(is_tls, "{words:?} in answer to {bytes:?}");
}

#[test]
fn what_is_wrong_in_tls_is_not_carried_out_and_harms_nobody() {
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
fn who_stops_in_the_middle_of_a_handshake_is_turned_away_after_its_time() {
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
fn tls_where_there_is_none_is_turned_away() {
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
