//! An identity provider: a token endpoint over HTTP, and the requests that it received.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::support::{Broker, Peer};

/// A request: its head in lower case except for the values, and its body.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl TokenRequest {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub(crate) struct TokenEndpoint {
    peer: Peer,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<TokenRequest>>>,
}

impl TokenEndpoint {
    /// Answers the nth request with the status line and the body that `answer` returns.
    pub(crate) async fn start(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(usize) -> (&'static str, String) + Send + Sync + 'static,
    ) -> Self {
        let asked: Arc<Mutex<Vec<TokenRequest>>> = Arc::default();
        let answer = Arc::new(answer);
        let script = {
            let asked = Arc::clone(&asked);
            move |broker: Broker, _: usize| serve(broker, Arc::clone(&asked), Arc::clone(&answer))
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let peer = match tls {
            Some(acceptor) => Peer::start_tls(acceptor, script).await,
            None => Peer::start(script).await,
        };
        Self {
            peer,
            scheme,
            asked,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "{}://{}/oauth2/token?realm=test",
            self.scheme, self.peer.address
        )
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<TokenRequest> {
        self.asked.lock().clone()
    }
}

async fn serve(
    mut broker: Broker,
    asked: Arc<Mutex<Vec<TokenRequest>>>,
    answer: Arc<impl Fn(usize) -> (&'static str, String)>,
) {
    let Some(request) = read(&mut broker).await else {
        return;
    };
    let number = {
        let mut asked = asked.lock();
        asked.push(request);
        asked.len()
    };
    let (status, body) = answer(number);
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    broker.write(response.as_bytes()).await;
    let _ = broker.stream.shutdown().await;
}

async fn read(broker: &mut Broker) -> Option<TokenRequest> {
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let asked = TokenRequest {
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length: usize = asked.header("content-length")?.parse().ok()?;
            if body.len() >= length {
                return Some(asked);
            }
        }
        if broker.stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    }
}
