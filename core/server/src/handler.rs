//! Who answers requests.

use std::future::Future;

use headwater_broker::{Broker, RequestContext};
use headwater_env::Env;
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::{ApiKey, ProduceRequest, ProduceResponse, Request, Response};

use crate::ConnectionLimits;

/// What stands behind the listeners: a broker, or a part of one in a test.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request that is no Produce. What happens in the first poll happens in the order of the requests of a connection.
    fn handle(
        &self,
        context: RequestContext,
        request: Request,
    ) -> impl Future<Output = Response> + Send + 'static;

    /// Answers Produce requests that came one after the other, in their order. It is done when it returns.
    fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse>;

    /// The APIs that it answers. A request of another one ends the connection.
    fn served(&self) -> &'static [ApiKey];

    /// How many connections there may be. Asked once, when a server starts.
    fn connection_limits(&self) -> ConnectionLimits;

    /// What proves the password of `user` with `mechanism`.
    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential>;
}

impl<E: Env> Handler for Broker<E> {
    fn handle(
        &self,
        context: RequestContext,
        request: Request,
    ) -> impl Future<Output = Response> + Send + 'static {
        let broker = self.clone();
        async move { Broker::handle(&broker, &context, request).await }
    }

    fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse> {
        Self::produce(self, context, requests)
    }

    fn served(&self) -> &'static [ApiKey] {
        Self::served()
    }

    fn connection_limits(&self) -> ConnectionLimits {
        let config = self.config();
        ConnectionLimits {
            all: config.connections_max,
            per_address: config.connections_per_ip_max,
        }
    }

    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        Self::scram_credential(self, user, mechanism)
    }
}
