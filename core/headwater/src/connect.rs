//! `connect()`: a client of a running cluster.

use std::fmt;
use std::sync::Arc;

use headwater_client::config::client::CLIENT;
use headwater_client::{ClientConfig, Error, ErrorKind, Result};
use headwater_metadata::config::canonical_key;
use headwater_net::{Address, CONNECTION, ConnectionConfig, TcpTransport, TokenProvider};
use tokio::runtime::Builder;

use crate::connected::ClusterHandle;
use crate::engine::Engine;
use crate::worker_threads;

/// Connects to a Kafka cluster: Apache Kafka, a Headwater server, or any other server of Kafka's protocol.
///
/// `bootstrap_servers` are one or more `HOST:PORT`, separated by commas; one reachable broker is enough. `config` takes
/// the keys of clients and of connections (`security.protocol`, `ssl.…`, `sasl.…`), in Kafka's spelling or like
/// `client_id`. The call returns when a broker has answered; it fails with [`ErrorKind::Transport`] if none can be
/// reached within `socket.connection.setup.timeout.ms`, and with [`ErrorKind::Authentication`] if the credentials or
/// the certificate are refused.
///
/// Must not be called in a thread of a tokio runtime.
pub fn connect<K: AsRef<str>, V: AsRef<str>>(
    bootstrap_servers: &str,
    config: impl IntoIterator<Item = (K, V)>,
) -> Result<Engine> {
    connect_with(bootstrap_servers, config, ConnectOptions::default())
}

/// The options of a connection that cannot be expressed as keys.
#[derive(Clone, Default)]
pub struct ConnectOptions {
    /// Provides the tokens for `sasl.mechanism=OAUTHBEARER`. `None`: they come from
    /// `sasl.oauthbearer.token.endpoint.url`, or the mechanism is another one.
    pub oauth_token: Option<Arc<dyn TokenProvider>>,
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("oauth_token", &self.oauth_token.is_some())
            .finish()
    }
}

/// [`connect`] with [`ConnectOptions`].
pub fn connect_with<K: AsRef<str>, V: AsRef<str>>(
    bootstrap_servers: &str,
    config: impl IntoIterator<Item = (K, V)>,
    options: ConnectOptions,
) -> Result<Engine> {
    let engine = connect_on_demand_with(bootstrap_servers, config, options)?;
    engine.block_on(engine.check_reachable())?;
    Ok(engine)
}

/// Like [`connect`], but opens no connection before the first call, so it can be used where blocking is not allowed.
pub fn connect_on_demand<K: AsRef<str>, V: AsRef<str>>(
    bootstrap_servers: &str,
    config: impl IntoIterator<Item = (K, V)>,
) -> Result<Engine> {
    connect_on_demand_with(bootstrap_servers, config, ConnectOptions::default())
}

/// [`connect_on_demand`] with [`ConnectOptions`].
pub fn connect_on_demand_with<K: AsRef<str>, V: AsRef<str>>(
    bootstrap_servers: &str,
    config: impl IntoIterator<Item = (K, V)>,
    options: ConnectOptions,
) -> Result<Engine> {
    let bootstrap = addresses(bootstrap_servers)?;
    let (client, connection) = split(config)?;
    let connection = ConnectionConfig::parse_with_tokens(connection, options.oauth_token)?;
    let runtime = worker_threads::start("client", Builder::enable_all)?;
    let transport = TcpTransport::new(bootstrap, connection, runtime.handle().clone())?;
    Ok(Engine::on(ClusterHandle::new(runtime, transport), client))
}

fn addresses(bootstrap_servers: &str) -> Result<Vec<Address>> {
    let written = bootstrap_servers.split(',').map(str::trim);
    let addresses = written
        .filter(|address| !address.is_empty())
        .map(|address| {
            address.parse().map_err(|error| {
                Error::new(ErrorKind::Config, format!("bootstrap.servers: {error}."))
                    .caused_by(error)
            })
        });
    addresses.collect()
}

/// The configuration of the client, and the pairs of its connections.
fn split<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<(ClientConfig, Vec<(String, String)>)> {
    let (mut client, mut connection) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        let key = canonical_key(key.as_ref());
        let pair = (key, value.as_ref().to_owned());
        if is_of_the_client(&pair.0) {
            client.push(pair);
        } else {
            connection.push(pair);
        }
    }
    Ok((ClientConfig::parse(client)?, connection))
}

/// Whether the client's table has the key, or the most similar key.
fn is_of_the_client(key: &str) -> bool {
    let is_unknown = CLIENT.find(key).is_none() && CONNECTION.find(key).is_none();
    CLIENT.find(key).is_some()
        || (is_unknown && CONNECTION.nearest(key).is_none() && CLIENT.nearest(key).is_some())
}
