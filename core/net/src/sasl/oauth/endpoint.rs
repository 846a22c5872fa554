//! Sends a POST request to a token endpoint.

use std::fmt;

use bytes::Bytes;
use headwater_client::Result;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use hyper::http::uri::Scheme;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::pki_types::ServerName;

use super::TokenError;
use crate::address::Address;
use crate::config::config_error;
use crate::socket;
use crate::tls::Tls;

/// The size limit of a response. A token has a few thousand bytes.
const RESPONSE_BYTES_MAX: usize = 1 << 20;

/// A token endpoint. Uses HTTP/1.1 and one connection for each request. Does not follow redirects, which would send the
/// secret elsewhere.
pub(crate) struct TokenEndpoint {
    url: Uri,
    address: Address,
    /// `None` for an http URL.
    tls: Option<Tls>,
}

/// Status and body of a response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl TokenEndpoint {
    /// Parses the URL. `tls` creates the TLS configuration for https.
    pub(crate) fn parse(url: &str, tls: impl FnOnce() -> Result<Tls>) -> Result<Self> {
        let wrong = |what: &str| {
            config_error(&format!(
                "sasl.oauthbearer.token.endpoint.url {what}: use a URL like https://id.example.org/oauth2/token."
            ))
        };
        let url: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        let is_https = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(wrong("is neither https nor http")),
        };
        let authority = url.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "contains a user or a password: set sasl.oauthbearer.client.credentials.client.id and .client.secret",
            ));
        }
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let address = Address {
            host: bare.unwrap_or(host).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_https { 443 } else { 80 }),
        };
        let tls = if is_https { Some(tls()?) } else { None };
        Ok(Self { url, address, tls })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.tls.is_some()
    }

    /// Posts a form.
    pub(super) async fn post(
        &self,
        authorization: HeaderValue,
        form: String,
    ) -> Result<Answer, TokenError> {
        let tcp = socket::open(&self.address)
            .await
            .map_err(|failure| self.failed(&failure))?;
        let Some(tls) = &self.tls else {
            return self.exchange(tcp, authorization, form).await;
        };
        let name = ServerName::try_from(self.address.host.clone())
            .map_err(|_| self.failed(&"its host name is not valid for TLS"))?;
        let stream = tls.connector().connect(name, tcp).await.map_err(|error| {
            self.failed(&format!(
                "TLS: {error}; to trust other authorities than the system's, set https.ca.location"
            ))
        })?;
        self.exchange(stream, authorization, form).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        authorization: HeaderValue,
        form: String,
    ) -> Result<Answer, TokenError> {
        let request = self.request(authorization, form)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.failed(&error))?;
        let asked = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| self.failed(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect();
            let body = body.await.map_err(|error| self.failed(&error))?;
            Ok(Answer {
                status,
                body: body.to_bytes(),
            })
        };
        let mut asked = std::pin::pin!(asked);
        let driving = connection;
        tokio::select! {
            answer = &mut asked => answer,
            // The connection has ended, but its response may still be unread.
            _ = driving => asked.await,
        }
    }

    fn request(
        &self,
        authorization: HeaderValue,
        form: String,
    ) -> Result<Request<Full<Bytes>>, TokenError> {
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let host = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        Request::post(path)
            .header(HOST, host)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Full::new(form.into()))
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, reason: &dyn fmt::Display) -> TokenError {
        TokenError::unavailable(format!("the request to {self} failed: {reason}"))
    }
}

impl fmt::Display for TokenEndpoint {
    /// Omits the query, which may contain a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https() { "https" } else { "http" };
        let (address, path) = (&self.address, self.url.path());
        write!(f, "{scheme}://{address}{path}")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parse(url: &str) -> Result<TokenEndpoint> {
        TokenEndpoint::parse(url, || Err(config_error("no TLS in this test")))
    }

    #[rstest]
    #[case("ftp://id.example.org/token", "neither https nor http")]
    #[case("id.example.org/token", "sasl.oauthbearer.token.endpoint.url")]
    #[case("http:///token", "sasl.oauthbearer.token.endpoint.url")]
    #[case("http://ada:topsecret@id.example.org/token", "client.id")]
    fn a_wrong_url_is_refused_and_not_repeated(#[case] url: &str, #[case] expected: &str) {
        let error = parse(url).map(|_| ()).unwrap_err();
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("topsecret"), "{error}");
    }

    #[test]
    fn debug_output_omits_the_query_of_the_url() {
        let endpoint = parse("http://[::1]:8080/token?key=topsecret").unwrap();
        assert_eq!(endpoint.to_string(), "http://[::1]:8080/token");
        assert_eq!(parse("http://id.example.org").unwrap().address.port, 80);
    }
}
