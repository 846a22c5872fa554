//! One request and its response.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use headwater_protocol::{ApiRequest, Response};

use super::throttles::Turn;
use super::{Cluster, ClusterLane};
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::transport::{CallFuture, Node, TransportError, TransportErrorKind};

impl Cluster {
    /// Sends one request and waits up to `request.timeout.ms` for its response. Does not retry.
    pub(crate) async fn call<R: ApiRequest>(&self, node: Node, request: R) -> Result<R::Response> {
        self.call_within(node, request, self.config.request_timeout)
            .await
    }

    /// Sends one request and waits up to `timeout` for its response, not counting the time for which the broker has
    /// throttled this lane. Does not retry.
    pub(crate) async fn call_within<R: ApiRequest>(
        &self,
        node: Node,
        request: R,
        timeout: Duration,
    ) -> Result<R::Response> {
        self.call_on(&self.lane, node, request, timeout).await
    }

    /// [`Cluster::call`] on the lane for administration.
    pub(super) async fn call_admin<R: ApiRequest>(
        &self,
        node: Node,
        request: R,
    ) -> Result<R::Response> {
        self.call_on(&self.admin_lane, node, request, self.config.request_timeout)
            .await
    }

    async fn call_on<R: ApiRequest>(
        &self,
        lane: &ClusterLane,
        node: Node,
        request: R,
        timeout: Duration,
    ) -> Result<R::Response> {
        self.counters.count_request();
        let called = call_on::<R>(lane, node, request, timeout).await;
        match called {
            Ok((response, throttled)) => {
                self.counters.add_throttle_time(node, throttled);
                self.note_leaders(&response);
                typed::<R>(response)
            }
            Err(error) => {
                self.counters.count_error();
                Err(error)
            }
        }
    }
}

/// The response, and the time that the broker requests the client to wait.
async fn call_on<R: ApiRequest>(
    ClusterLane { lane, throttles }: &ClusterLane,
    node: Node,
    request: R,
    timeout: Duration,
) -> Result<(Response, Duration)> {
    let throttled = tokio::time::timeout(timeout, throttles.wait(node)).await;
    let turn = throttled.map_err(|_| {
        let reason = format!(
            "The broker throttles {:?} requests of this client for longer than {} ms, because its quota is exceeded: send less, or raise the quota or request.timeout.ms.",
            R::API,
            timeout.as_millis()
        );
        Error::new(ErrorKind::Timeout, reason.clone()).caused_by(TransportError {
            reason,
            sent: false,
            kind: TransportErrorKind::Unreachable,
        })
    })?;
    let call = in_turn(turn, lane.call(node, request.into()));
    let answer = tokio::time::timeout(timeout, call).await;
    match answer {
        Ok(Ok(response)) => {
            let throttled = throttles.note(node, &response);
            Ok((response, throttled))
        }
        Ok(Err(error)) => Err(error_codes::transport(error)),
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            format!(
                "The broker did not answer {:?} within {} ms: raise request.timeout.ms, or check the broker.",
                R::API,
                timeout.as_millis()
            ),
        )),
    }
}

/// Makes a call. The turn ends when the transport has got the request, at the first poll.
async fn in_turn(turn: Option<Turn>, mut call: CallFuture<'_>) -> Result<Response, TransportError> {
    if let Some(turn) = turn {
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        drop(turn);
        if let Poll::Ready(answer) = first {
            return answer;
        }
    }
    call.await
}

fn typed<R: ApiRequest>(response: Response) -> Result<R::Response> {
    R::Response::try_from(response).map_err(|_| {
        Error::new(
            ErrorKind::Broker,
            format!(
                "The response to {:?} belongs to another request. Please report this.",
                R::API
            ),
        )
    })
}
