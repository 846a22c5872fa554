//! The handler of requests.

use std::future::Future;
use std::sync::Arc;

use headwater_broker::{Broker, ListenerRegistration, OpenListener, RequestContext, RequestMemory};
use headwater_env::Env;
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::{ApiKey, ProduceRequest, ProduceResponse, Request, Response};

use crate::BrokerLimits;

/// The service behind the listeners: a broker, or a part of one in a test.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Handles a request other than Produce. The first polls happen in the order of the connection's requests.
    fn handle(
        &self,
        context: RequestContext,
        request: Request,
    ) -> impl Future<Output = Response> + Send + 'static;

    /// Handles Produce requests of one client in their order. They are complete when it returns.
    fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse>;

    /// The supported APIs. A request of another API ends the connection.
    fn served(&self) -> &'static [ApiKey];

    /// The limits from the configuration. Called once, when a server starts.
    fn limits(&self) -> BrokerLimits;

    /// The memory of all connections.
    fn memory(&self) -> Arc<RequestMemory>;

    /// Adds these listeners to the configuration until the registration is dropped.
    fn register_listeners(&self, listeners: Vec<OpenListener>) -> Option<ListenerRegistration>;

    /// The SCRAM credential of `user` for `mechanism`.
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

    fn memory(&self) -> Arc<RequestMemory> {
        Arc::clone(Self::memory(self))
    }

    fn register_listeners(&self, listeners: Vec<OpenListener>) -> Option<ListenerRegistration> {
        Some(Self::register_listeners(self, listeners))
    }

    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        Self::scram_credential(self, user, mechanism)
    }
}
