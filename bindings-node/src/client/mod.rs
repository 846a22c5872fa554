//! The client, which creates topics, producers, consumers and servers.

mod cluster;
mod groups;
pub(crate) mod topics;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater::{Admin, ConsumerConfig, ListenerArguments, ProducerConfig, Subscription};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::consumer::Consumer;
use crate::convert::format::{self, DecodeArguments};
use crate::errors;
use crate::metrics;
use crate::producer::Producer;
use crate::recovery::{self, RecoveryReport};
use crate::runtime::{Answer, EngineHandle, blocking};
use crate::server::{ServeArguments, Server};
use crate::topic::Topic;

/// A connection to an engine or a cluster.
#[napi]
#[derive(Debug)]
pub struct Client {
    embedded: Arc<EngineHandle>,
}

impl Client {
    pub(crate) fn new(embedded: Arc<EngineHandle>) -> Self {
        Self { embedded }
    }

    fn admin(&self, env: &Env) -> napi::Result<Admin> {
        Ok(self.embedded.client(env)?.admin().clone())
    }
}

#[napi]
impl Client {
    /// A handle on a topic.
    #[napi(catch_unwind)]
    pub fn topic(&self, env: Env, name: String) -> napi::Result<Topic> {
        let topic = self.embedded.client(&env)?.topic(&name);
        Ok(Topic::new(Arc::clone(&self.embedded), topic))
    }

    /// A producer.
    #[napi(catch_unwind)]
    pub fn producer(&self, env: Env, config: Vec<(String, String)>) -> napi::Result<Producer> {
        let client = self.embedded.client(&env)?;
        let config = ProducerConfig::parse(config).map_err(|error| errors::raise(&env, &error))?;
        let producer = client.producer(config);
        Ok(Producer::new(Arc::clone(&self.embedded), producer))
    }

    /// A consumer. With a group it subscribes to the topics or the pattern; without one it reads all their partitions.
    #[napi(catch_unwind)]
    pub fn consumer(
        &self,
        env: Env,
        topics: Option<Vec<String>>,
        pattern: Option<String>,
        config: Vec<(String, String)>,
        decode: DecodeArguments,
    ) -> napi::Result<Consumer> {
        let raise = |error| errors::raise(&env, &error);
        let client = self.embedded.client(&env)?;
        let config = ConsumerConfig::parse(config).map_err(raise)?;
        let is_member = config.group.is_some();
        let mut consumer = client.consumer(config);
        consumer
            .decode_as(format::options(&env, &decode)?)
            .map_err(raise)?;
        match (topics, pattern) {
            (Some(topics), _) if is_member => {
                consumer
                    .subscribe(Subscription::topics(topics))
                    .map_err(raise)?;
            }
            (Some(topics), _) => consumer.assign_topics_at_first_use(topics),
            (None, Some(pattern)) => {
                let pattern = Subscription::pattern(&pattern).map_err(raise)?;
                consumer.subscribe(pattern).map_err(raise)?;
            }
            (None, None) => {}
        }
        Ok(Consumer::new(Arc::clone(&self.embedded), consumer))
    }

    /// Opens the engine to Kafka clients.
    #[napi(catch_unwind, ts_return_type = "Promise<Server>")]
    pub fn serve(&self, env: Env, options: ServeArguments) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let embedded = Arc::clone(&self.embedded);
        let listen = move || {
            let options = ListenerArguments {
                host: options.host,
                port: options.port,
                advertised: options.advertised,
                security_protocol: options.security_protocol,
                tls_cert: options.tls_cert.map(PathBuf::from),
                tls_key: options.tls_key.map(PathBuf::from),
                sasl_mechanisms: options.sasl_mechanisms,
                allow_insecure: options.allow_insecure,
            };
            let server = embedded.engine().serve(options.options()?)?;
            Ok((embedded, server))
        };
        blocking(&env, listen, |_, (embedded, server)| {
            Ok(Server::new(embedded, server))
        })
    }

    /// The metrics of the client.
    #[napi(catch_unwind)]
    pub fn metrics<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let client = self.embedded.client(env)?;
        metrics::metrics(env, &client.metrics(), self.embedded.engine().deletions())
    }

    /// The report of opening the directory; null if there is nothing to report.
    #[napi(catch_unwind)]
    pub fn recovery(&self) -> Option<RecoveryReport> {
        recovery::report(self.embedded.engine().report())
    }

    /// Sends the queued records of producers, then closes. Idempotent.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self, env: Env) -> napi::Result<Answer> {
        let embedded = Arc::clone(&self.embedded);
        let close = move || embedded.close_within(Duration::MAX);
        blocking(&env, close, |_, ()| Ok(()))
    }
}
