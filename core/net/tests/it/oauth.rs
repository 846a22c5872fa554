//! OAUTHBEARER: tokens from the application and from a token endpoint, accepted and refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_client::{
    ClientConfig, ErrorKind, Lane, Purpose, Transport as _, TransportErrorKind,
};
use headwater_net::{ConnectionConfig, OauthToken, TcpTransport, TokenError, TokenProvider};
use parking_lot::Mutex;
use rstest::rstest;
use tokio::runtime::Handle;

use crate::certificates::{Authority, acceptor};
use crate::sasl_broker::{Answer, authenticate};
use crate::support::{Peer, ask, lane_of};
use crate::token_endpoint::TokenEndpoint;

const OAUTH: [(&str, &str); 3] = [
    ("security.protocol", "SASL_PLAINTEXT"),
    ("sasl.mechanism", "OAUTHBEARER"),
    ("reconnect.backoff.ms", "1"),
];
const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const ID: (&str, &str) = ("sasl.oauthbearer.client.credentials.client.id", "app 1");
const SECRET: (&str, &str) = (
    "sasl.oauthbearer.client.credentials.client.secret",
    "top:secret+1",
);
const EXPIRY_MS: i64 = 4_000_000_000_000;

/// A broker that accepts tokens with `is_valid`, and records the first messages.
struct TokenBroker {
    peer: Peer,
    messages: Arc<Mutex<Vec<String>>>,
}

impl TokenBroker {
    async fn start(is_valid: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let messages: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&messages);
        let is_valid = Arc::new(is_valid);
        let peer = Peer::start(move |broker, _| {
            let (seen, is_valid) = (Arc::clone(&seen), Arc::clone(&is_valid));
            async move {
                let accepted = authenticate(broker, |message| {
                    let message = String::from_utf8_lossy(message).into_owned();
                    if message == "\u{1}" {
                        return Answer::Refused("invalid credentials".to_owned());
                    }
                    seen.lock().push(message.clone());
                    let token = message.split('\u{1}').nth(1).unwrap();
                    let token = token.strip_prefix("auth=Bearer ").unwrap();
                    if is_valid(token) {
                        Answer::Accepted { lifetime_ms: 0 }
                    } else {
                        let refusal = format!("{{\"status\":\"invalid_token {token}\"}}");
                        Answer::Message(refusal.into_bytes())
                    }
                });
                if let Some(broker) = accepted.await {
                    broker.oblige().await;
                }
            }
        })
        .await;
        Self { peer, messages }
    }

    fn transport(
        &self,
        more: &[(&str, &str)],
        tokens: Option<Arc<dyn TokenProvider>>,
    ) -> Arc<TcpTransport> {
        let pairs = OAUTH.iter().chain(more).copied();
        let config = ConnectionConfig::parse_with_tokens(pairs, tokens).unwrap();
        let bootstrap = vec![self.peer.address.parse().unwrap()];
        TcpTransport::new(bootstrap, config, Handle::current()).unwrap()
    }

    fn lane(&self, more: &[(&str, &str)], tokens: Option<Arc<dyn TokenProvider>>) -> Arc<dyn Lane> {
        self.transport(more, tokens)
            .lane(Purpose::Admin, &ClientConfig::default())
    }
}

/// A provider of `token-1`, `token-2` and so on.
fn numbered() -> (Arc<dyn TokenProvider>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let provider = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(OauthToken::new(format!("token-{number}")).expires_at_ms(EXPIRY_MS)) }
    };
    (Arc::new(provider), count)
}

#[tokio::test]
async fn one_token_of_the_application_opens_all_connections() {
    let broker = TokenBroker::start(|token| token == "token-1").await;
    let (tokens, count) = numbered();
    let extensions = [("sasl.oauthbearer.extensions", "traceId=7,tenant=a")];
    let transport = broker.transport(&extensions, Some(tokens));
    let lanes = [
        Purpose::Admin,
        Purpose::Produce,
        Purpose::Fetch,
        Purpose::Group,
    ]
    .map(|purpose| lane_of(&transport, purpose));
    for answered in futures_util::future::join_all(lanes.iter().map(|lane| ask(&**lane))).await {
        answered.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let message = "n,,\u{1}auth=Bearer token-1\u{1}traceId=7\u{1}tenant=a\u{1}\u{1}";
    assert_eq!(*broker.messages.lock(), vec![message; 4]);
}

#[tokio::test]
async fn the_error_of_a_refused_token_does_not_contain_it() {
    let broker = TokenBroker::start(|_| false).await;
    let (tokens, _) = numbered();
    let error = ask(&*broker.lane(&[], Some(tokens))).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Authentication);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("invalid_token ***"), "{shown}");
    assert!(!shown.contains("token-1"), "{shown}");
    assert!(shown.contains(&broker.peer.address), "{shown}");
    assert_eq!(
        broker.messages.lock().len(),
        1,
        "a new token is not tried again"
    );
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_within_the_call() {
    let valid = Arc::new(Mutex::new("token-1"));
    let accepted = Arc::clone(&valid);
    let broker = TokenBroker::start(move |token| token == *accepted.lock()).await;
    let (tokens, count) = numbered();
    let transport = broker.transport(&[], Some(tokens));
    ask(&*lane_of(&transport, Purpose::Admin)).await.unwrap();
    *valid.lock() = "token-2";
    ask(&*lane_of(&transport, Purpose::Produce)).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[rstest]
#[case::unavailable(
    TokenError::unavailable("the vault is sealed"),
    TransportErrorKind::Unreachable
)]
#[case::refused(
    TokenError::refused("the vault is sealed"),
    TransportErrorKind::Authentication
)]
#[tokio::test]
async fn the_error_of_a_token_provider_is_reported_after_one_call(
    #[case] failure: TokenError,
    #[case] kind: TransportErrorKind,
) {
    let (one, two) = (
        TokenBroker::start(|_| true).await,
        TokenBroker::start(|_| true).await,
    );
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let provider = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let failure = failure.clone();
        async move { Err(failure) }
    };
    let config = ConnectionConfig::parse_with_tokens(OAUTH, Some(Arc::new(provider))).unwrap();
    let bootstrap = [&one, &two].map(|broker| broker.peer.address.parse().unwrap());
    let transport = TcpTransport::new(bootstrap.into(), config, Handle::current()).unwrap();
    let error = ask(&*lane_of(&transport, Purpose::Admin))
        .await
        .unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.reason.contains("the vault is sealed"), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn waiting_for_the_application_has_a_time_limit() {
    let broker = TokenBroker::start(|_| true).await;
    let provider = || std::future::pending();
    let timeout = [("socket.connection.setup.timeout.ms", "300")];
    let error = ask(&*broker.lane(&timeout, Some(Arc::new(provider))))
        .await
        .unwrap_err();
    assert!(
        error.reason.contains("300 ms") && error.reason.contains("token"),
        "{error}"
    );
}

fn granted(token: &str) -> (&'static str, String) {
    let body =
        format!("{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}");
    ("200 OK", body)
}

#[tokio::test]
async fn a_token_endpoint_gets_one_request_as_in_the_rfc() {
    let broker = TokenBroker::start(|token| token == "token-1").await;
    let endpoint = TokenEndpoint::start(None, |number| granted(&format!("token-{number}"))).await;
    let url = endpoint.url();
    let keys = [
        (ENDPOINT, &*url),
        ID,
        SECRET,
        ("sasl.oauthbearer.scope", "kafka read"),
    ];
    let transport = broker.transport(&keys, None);
    for purpose in [Purpose::Admin, Purpose::Produce, Purpose::Fetch] {
        ask(&*lane_of(&transport, purpose)).await.unwrap();
    }
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0]
            .head
            .starts_with("POST /oauth2/token?realm=test HTTP/1.1\r\n"),
        "{asked:?}"
    );
    assert_eq!(
        asked[0].body,
        "grant_type=client_credentials&scope=kafka+read"
    );
    // "app 1:top:secret+1"
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic YXBwIDE6dG9wOnNlY3JldCsx")
    );
    assert_eq!(
        asked[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let host = url.split('/').nth(2);
    assert_eq!(asked[0].header("host"), host);
}

#[tokio::test]
async fn id_and_secret_are_encoded_on_request_and_may_have_librdkafkas_names() {
    let broker = TokenBroker::start(|_| true).await;
    let endpoint = TokenEndpoint::start(None, |_| granted("token")).await;
    let url = endpoint.url();
    let keys = [
        ("sasl.oauthbearer.method", "oidc"),
        (ENDPOINT, &*url),
        ("sasl.oauthbearer.client.id", ID.1),
        ("sasl.oauthbearer.client.secret", SECRET.1),
        ("sasl.oauthbearer.header.urlencode", "true"),
    ];
    ask(&*broker.lane(&keys, None)).await.unwrap();
    // "app+1:top%3Asecret%2B1"
    assert_eq!(
        endpoint.asked()[0].header("authorization"),
        Some("Basic YXBwKzE6dG9wJTNBc2VjcmV0JTJCMQ==")
    );
    assert_eq!(endpoint.asked()[0].body, "grant_type=client_credentials");
}

#[tokio::test]
async fn a_token_endpoint_with_tls_must_have_a_trusted_certificate() {
    let broker = TokenBroker::start(|_| true).await;
    let authority = Authority::new();
    let acceptor = acceptor(&authority.identity("127.0.0.1"), None);
    let endpoint = TokenEndpoint::start(Some(acceptor), |_| granted("token")).await;
    let url = endpoint.url();
    let mut keys = vec![
        (ENDPOINT, &*url),
        ID,
        SECRET,
        ("https.ca.pem", &*authority.pem),
    ];
    ask(&*broker.lane(&keys, None)).await.unwrap();
    let other = Authority::new();
    keys[3].1 = &other.pem;
    let error = ask(&*broker.lane(&keys, None)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable);
    assert!(error.reason.contains("https.ca.location"), "{error}");
    assert_eq!(endpoint.asked().len(), 1, "the secret must go nowhere else");
}

#[rstest]
#[case::refused(
    "401 Unauthorized",
    r#"{"error":"invalid_client","error_description":"no top:secret+1 here"}"#,
    TransportErrorKind::Authentication,
    "401 invalid_client"
)]
#[case::overloaded(
    "503 Service Unavailable",
    "busy",
    TransportErrorKind::Unreachable,
    "503"
)]
#[case::too_many("429 Too Many Requests", "", TransportErrorKind::Unreachable, "429")]
#[case::redirect("302 Found", "", TransportErrorKind::Authentication, "302")]
#[case::web_page("200 OK", "<html>", TransportErrorKind::Unreachable, "access_token")]
#[case::expired(
    "200 OK",
    r#"{"access_token":"t","expires_in":0}"#,
    TransportErrorKind::Unreachable,
    "expired"
)]
#[case::wrong_letters(
    "200 OK",
    r#"{"access_token":"a b","expires_in":60}"#,
    TransportErrorKind::Authentication,
    "RFC 6750"
)]
#[tokio::test]
async fn a_token_endpoint_without_a_token_is_reported_with_the_reason(
    #[case] status: &'static str,
    #[case] body: &'static str,
    #[case] kind: TransportErrorKind,
    #[case] expected: &str,
) {
    let broker = TokenBroker::start(|_| true).await;
    let endpoint = TokenEndpoint::start(None, move |_| (status, body.to_owned())).await;
    let url = endpoint.url();
    let error = ask(&*broker.lane(&[(ENDPOINT, &*url), ID, SECRET], None))
        .await
        .unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.reason.contains(expected), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET.1), "{error}");
    assert!(broker.messages.lock().is_empty());
}

#[tokio::test]
async fn an_unreachable_token_endpoint_is_reported() {
    let broker = TokenBroker::start(|_| true).await;
    let keys = [
        (ENDPOINT, "http://127.0.0.1:1/token?key=topsecret"),
        ID,
        SECRET,
    ];
    let error = ask(&*broker.lane(&keys, None)).await.unwrap_err();
    assert!(
        error
            .reason
            .contains("the request to http://127.0.0.1:1/token failed"),
        "{error}"
    );
    assert!(!error.reason.contains("topsecret"), "{error}");
}

#[rstest]
#[case::neither(&[], false, "oauth_token")]
#[case::both(&[(ENDPOINT, "http://localhost/t")], true, "not from both")]
#[case::no_id(&[(ENDPOINT, "http://localhost/t"), SECRET], false, "client.id is missing")]
#[case::no_secret(&[(ENDPOINT, "http://localhost/t"), ID], false, "client.secret is missing")]
#[case::oidc_without_url(&[("sasl.oauthbearer.method", "oidc"), ID, SECRET], false, ENDPOINT)]
#[case::default_without_function(&[("sasl.oauthbearer.method", "default")], false, "oauth_token")]
#[case::scope_of_a_function(&[("sasl.oauthbearer.scope", "x")], true, "sasl.oauthbearer.scope has no effect")]
#[case::password(&[("sasl.username", "ada")], true, "sasl.username has no effect")]
#[case::handler(&[("sasl.login.callback.handler.class", "x")], true, "leave it out")]
#[case::two_names(&[(ENDPOINT, "http://localhost/t"), ID, SECRET, ("sasl.oauthbearer.client.id", "x")], false, "are the same")]
#[case::ca_without_tls(&[(ENDPOINT, "http://localhost/t"), ID, SECRET, ("https.ca.pem", "x")], false, "https URL")]
#[case::extensions(&[("sasl.oauthbearer.extensions", "auth=x")], true, "sasl.oauthbearer.extensions")]
#[tokio::test]
async fn keys_that_do_not_fit_together_are_refused(
    #[case] keys: &[(&str, &str)],
    #[case] has_function: bool,
    #[case] expected: &str,
) {
    let tokens = has_function.then(|| numbered().0);
    let pairs = OAUTH.iter().chain(keys).copied();
    let error = ConnectionConfig::parse_with_tokens(pairs, tokens).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains(expected), "{error}");
    assert!(!error.message().contains(SECRET.1), "{error}");
}

#[rstest]
#[case::plaintext(&[("security.protocol", "PLAINTEXT")])]
#[case::plain(&[("sasl.mechanism", "PLAIN"), ("sasl.username", "a"), ("sasl.password", "b")])]
fn a_function_without_oauthbearer_is_refused(#[case] keys: &[(&str, &str)]) {
    let mut pairs = vec![("security.protocol", "SASL_PLAINTEXT")];
    pairs.extend_from_slice(keys);
    let error = ConnectionConfig::parse_with_tokens(pairs, Some(numbered().0)).unwrap_err();
    assert!(
        error.message().contains("oauth_token has no effect"),
        "{error}"
    );
}
