//! TLS: certificates of both sides, and peers without TLS.

use std::time::Duration;

use headwater_client::{ErrorKind, Node, TransportErrorKind};
use headwater_net::ConnectionConfig;
use headwater_protocol::MetadataRequest;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use rstest::rstest;

use crate::certificates::{Authority, CertificateAndKey, acceptor};
use crate::support::{Peer, ask, lane};

/// A TLS broker on localhost with the result of `identity`.
async fn broker(identity: impl Fn(&Authority) -> CertificateAndKey) -> (Peer, Authority) {
    let authority = Authority::new();
    let acceptor = acceptor(&identity(&authority), None);
    let peer = Peer::start_tls(acceptor, |broker, _| broker.oblige()).await;
    (peer, authority)
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted() {
    let (peer, authority) = broker(|authority| authority.identity("127.0.0.1")).await;
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
    ];
    let lane = lane(&[&peer.address], &pairs);
    ask(&*lane).await.unwrap();
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 1);
}

#[rstest]
#[case::expired(|authority: &Authority| authority.expired("127.0.0.1"), "has expired")]
#[case::other_name(|authority: &Authority| authority.identity("kafka.example.org"), "not valid for 127.0.0.1")]
#[case::other_authority(|_: &Authority| Authority::new().identity("127.0.0.1"), "ssl.truststore.location")]
#[tokio::test]
async fn an_untrusted_certificate_is_refused(
    #[case] identity: fn(&Authority) -> CertificateAndKey,
    #[case] expected: &str,
) {
    let (peer, authority) = broker(identity).await;
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
    ];
    let error = ask(&*lane(&[&peer.address], &pairs)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Authentication, "{error}");
    assert!(error.reason.contains(expected), "{error}");
    assert!(error.reason.contains(&peer.address), "{error}");
}

#[tokio::test]
async fn without_the_name_check_a_certificate_must_still_be_valid() {
    let (peer, authority) = broker(|authority| authority.expired("kafka.example.org")).await;
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
        ("ssl.endpoint.identification.algorithm", ""),
    ];
    let error = ask(&*lane(&[&peer.address], &pairs)).await.unwrap_err();
    assert!(error.reason.contains("has expired"), "{error}");
}

/// A broker that requires a certificate of the returned authority.
async fn broker_for_clients() -> (Peer, Authority) {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.identity("127.0.0.1"), Some(&authority));
    let peer = Peer::start_tls(acceptor, |broker, _| broker.oblige()).await;
    (peer, authority)
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (peer, authority) = broker_for_clients().await;
    let own = authority.identity("ada");
    let mut pairs = vec![
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
        ("ssl.keystore.certificate.chain", &own.certificate),
        ("ssl.keystore.key", &own.key),
    ];
    ask(&*lane(&[&peer.address], &pairs)).await.unwrap();
    // Certificate and key in one file.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}{}", own.key, own.certificate)).unwrap();
    pairs.truncate(2);
    pairs.push(("ssl.keystore.location", file.path().to_str().unwrap()));
    ask(&*lane(&[&peer.address], &pairs)).await.unwrap();
}

#[rstest]
#[case::none(None)]
#[case::of_another_authority(Some(Authority::new().identity("ada")))]
#[tokio::test]
async fn the_error_of_a_missing_or_wrong_client_certificate_explains_it(
    #[case] own: Option<CertificateAndKey>,
) {
    let (peer, authority) = broker_for_clients().await;
    let mut pairs = vec![
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
    ];
    if let Some(own) = &own {
        pairs.push(("ssl.keystore.certificate.chain", &own.certificate));
        pairs.push(("ssl.keystore.key", &own.key));
    }
    let error = ask(&*lane(&[&peer.address], &pairs)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Authentication, "{error}");
    assert!(error.reason.contains("ssl.keystore.location"), "{error}");
}

#[rstest]
#[case::pkcs8("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")]
#[case::traditional(
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
)]
fn an_encrypted_key_is_refused_with_how_to_decrypt_it(#[case] key: &str) {
    let own = Authority::new().identity("ada");
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*own.certificate),
        ("ssl.keystore.certificate.chain", &own.certificate),
        ("ssl.keystore.key", key),
    ];
    let error = ConnectionConfig::parse(pairs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("openssl pkey"), "{error}");
}

#[test]
fn a_key_that_does_not_belong_to_the_certificate_is_refused() {
    let authority = Authority::new();
    let (own, other) = (authority.identity("ada"), authority.identity("bob"));
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
        ("ssl.keystore.certificate.chain", &own.certificate),
        ("ssl.keystore.key", &other.key),
    ];
    let error = ConnectionConfig::parse(pairs).unwrap_err();
    assert!(error.message().contains("belongs to"), "{error}");
}

#[tokio::test]
async fn the_error_of_plaintext_to_a_tls_listener_has_the_key_to_change() {
    let (peer, _) = broker(|authority| authority.identity("127.0.0.1")).await;
    let error = ask(&*lane(&[&peer.address], &[])).await.unwrap_err();
    assert!(error.reason.contains("security.protocol"), "{error}");
    assert!(error.reason.contains(&peer.address), "{error}");
}

#[tokio::test]
async fn a_large_request_is_written_whole_while_the_broker_reads_slowly_over_tls() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.identity("127.0.0.1"), None);
    let peer = Peer::start_tls(acceptor, |mut broker, _| async move {
        broker.greet().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        broker.oblige().await;
    })
    .await;
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
    ];
    let lane = lane(&[&peer.address], &pairs);
    let topic = MetadataRequestTopic {
        name: Some("a-topic-with-a-name-of-some-length-so-that-the-request-is-large".into()),
        ..Default::default()
    };
    let large = || MetadataRequest {
        topics: Some(vec![topic.clone(); 100_000]),
        ..Default::default()
    };
    let calls = (0..3).map(|_| lane.call(Node::Any, large().into()));
    for answered in futures_util::future::join_all(calls).await {
        answered.unwrap();
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_tls_connection_ends_if_the_broker_stops_reading() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.identity("127.0.0.1"), None);
    let peer = Peer::start_tls(acceptor, |mut broker, number| async move {
        broker.greet().await;
        if number == 0 {
            std::future::pending::<()>().await;
        }
        broker.oblige().await;
    })
    .await;
    let pairs = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.certificates", &*authority.pem),
        ("request.timeout.ms", "200"),
        ("reconnect.backoff.ms", "1"),
    ];
    let lane = lane(&[&peer.address], &pairs);
    while peer.accepted() < 2 {
        let _ = tokio::time::timeout(Duration::from_millis(250), ask(&*lane)).await;
    }
    ask(&*lane).await.unwrap();
}
