//! Who answers requests.

use std::future::Future;
use std::sync::Arc;

use headwater_broker::{Broker, ListenerRegistration, Memory, OpenListener, RequestContext};
use headwater_env::Env;
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::{ApiKey, ProduceRequest, ProduceResponse, Request, Response};

use crate::BrokerLimits;

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

    /// The limits that its configuration sets. Asked once, when a server starts.
    fn limits(&self) -> BrokerLimits;

    /// The account of what all connections hold.
    fn memory(&self) -> Arc<Memory>;

    /// Shows these listeners in its configuration, as long as the registration is kept.
    fn register_listeners(&self, listeners: Vec<OpenListener>) -> Option<ListenerRegistration>;

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

    fn limits(&self) -> BrokerLimits {
        BrokerLimits::from(self.config())
    }

    fn memory(&self) -> Arc<Memory> {
        Arc::clone(Self::memory(self))
    }

    fn register_listeners(&self, listeners: Vec<OpenListener>) -> Option<ListenerRegistration> {
        Some(Self::register_listeners(self, listeners))
    }

    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        Self::scram_credential(self, user, mechanism)
    }
}
