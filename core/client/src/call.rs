//! Requests over the seam: one attempt, or as many as help.

use std::future::Future;
use std::time::{Duration, Instant};

use headwater_protocol::{ApiRequest, Response};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{self, Remedy, remedy};
use crate::transport::Node;

impl Client {
    /// One request and its response within `request.timeout.ms`, without retries.
    pub(crate) async fn call<R: ApiRequest>(&self, node: Node, request: R) -> Result<R::Response> {
        let timeout = self.shared.config.request_timeout;
        self.call_within(node, request, timeout).await
    }

    /// One request and its response within `timeout`, without retries.
    pub(crate) async fn call_within<R: ApiRequest>(
        &self,
        node: Node,
        request: R,
        timeout: Duration,
    ) -> Result<R::Response> {
        let response = match tokio::time::timeout(
            timeout,
            self.shared.transport.call(node, request.into()),
        )
        .await
        {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(error_codes::transport(error)),
            Err(_) => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "The broker did not answer {:?} within {} ms: raise request.timeout.ms, or look at the broker.",
                        R::API,
                        timeout.as_millis()
                    ),
                ));
            }
        };
        typed::<R>(response)
    }

    /// `attempt` again and again while its error can pass by itself, within `default.api.timeout.ms`. `topic` is looked up again where the
    /// error says that another broker leads it.
    pub(crate) async fn retried<T, F: Future<Output = Result<T>>>(
        &self,
        topic: Option<&str>,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        let config = &self.shared.config;
        let deadline = Instant::now() + config.api_timeout;
        let mut last = None;
        let mut tries = 0;
        loop {
            let error = match tokio::time::timeout_at(deadline.into(), attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(last.unwrap_or_else(|| took_too_long(config.api_timeout))),
            };
            tries += 1;
            let pause = config.retry.pause(tries);
            if !error.is_retriable() || is_final(&error) || Instant::now() + pause >= deadline {
                return Err(error);
            }
            if remedy(error.code()) == Remedy::NewLeader
                && let Some(topic) = topic
            {
                // An unknown topic is final when the broker has just been asked again.
                self.look_again(topic).await?;
            }
            tokio::time::sleep(pause).await;
            last = Some(error);
        }
    }
}

fn took_too_long(api_timeout: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "The call did not finish within {} ms: raise default.api.timeout.ms, or look at the broker.",
            api_timeout.as_millis()
        ),
    )
}

/// Codes that Kafka calls retriable, and that the same broker will answer again: the caller decides.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Storage | ErrorKind::CorruptLog | ErrorKind::Closed
    )
}

fn typed<R: ApiRequest>(response: Response) -> Result<R::Response> {
    R::Response::try_from(response).map_err(|_| {
        Error::new(
            ErrorKind::Broker,
            format!(
                "The answer to {:?} is that of another request. Please report this.",
                R::API
            ),
        )
    })
}
