//! A listener of an engine for Kafka clients.

use std::sync::Arc;

use napi::Env;
use napi_derive::napi;

use crate::owned::CoreValue;
use crate::runtime::{Answer, EngineHandle, blocking};

/// A listener of an engine for Kafka clients.
#[napi]
#[derive(Debug)]
pub struct Server {
    server: Arc<CoreValue<headwater::Server>>,
    // Keeps the engine open.
    _embedded: Arc<EngineHandle>,
}

/// The options of `Client.serve`.
#[napi(object, object_to_js = false)]
pub struct ServeArguments {
    /// The host to listen on.
    pub host: String,
    /// The port; 0 uses a free port.
    pub port: u16,
    /// The "HOST:PORT" that clients connect to.
    pub advertised: Option<String>,
    /// "PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL".
    pub security_protocol: String,
    /// The certificate chain, a PEM file.
    pub tls_cert: Option<String>,
    /// The private key, a PEM file.
    pub tls_key: Option<String>,
    /// The SASL mechanisms; any if empty.
    pub sasl_mechanisms: Option<Vec<String>>,
    /// Whether other machines may connect without TLS and SASL.
    pub allow_insecure: bool,
}

impl Server {
    pub(crate) fn new(embedded: Arc<EngineHandle>, server: headwater::Server) -> Self {
        Self {
            server: Arc::new(CoreValue::new(server)),
            _embedded: embedded,
        }
    }
}

fn joined<T: ToString>(addresses: impl IntoIterator<Item = T>) -> String {
    let addresses: Vec<_> = addresses
        .into_iter()
        .map(|address| address.to_string())
        .collect();
    addresses.join(",")
}

#[napi]
impl Server {
    /// The address on which it listens.
    #[napi(getter, catch_unwind)]
    pub fn address(&self) -> String {
        joined(self.server.addresses())
    }

    /// The addresses for clients.
    #[napi(getter, catch_unwind)]
    pub fn bootstrap_servers(&self) -> String {
        joined(self.server.advertised())
    }

    /// Accepts no more connections and closes all. Idempotent.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self, env: Env) -> napi::Result<Answer> {
        let server = Arc::clone(&self.server);
        let shutdown = move || {
            server.shutdown();
            Ok(())
        };
        blocking(&env, shutdown, |_, ()| Ok(()))
    }
}
