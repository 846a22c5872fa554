//! The target of a command: a data directory, or a running cluster.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use headwater_client::config::client::CLIENT;
use headwater_client::config::consumer::CONSUMER;
use headwater_client::config::producer::PRODUCER;

use super::exit::Failure;
use super::properties;
use crate::{Engine, NO_CONFIG};

/// A file that every data directory has.
const MARK: &str = "meta.properties";

const DATA_VARIABLE: &str = "HEADWATER_DATA";
const BOOTSTRAP_VARIABLE: &str = "HEADWATER_BOOTSTRAP_SERVER";
const CONFIG_VARIABLE: &str = "HEADWATER_COMMAND_CONFIG";

/// The key of a properties file that the command line sets instead.
const BOOTSTRAP_KEY: &str = "bootstrap.servers";

#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The data directory; no other process may have it open [variable: HEADWATER_DATA]
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "bootstrap_server",
        value_hint = ValueHint::DirPath
    )]
    data: Option<PathBuf>,
    /// A running cluster, of Apache Kafka or of headwater serve; several addresses are separated by commas [variable:
    /// HEADWATER_BOOTSTRAP_SERVER]
    #[arg(long, value_name = "HOST:PORT", visible_alias = "bootstrap-servers")]
    bootstrap_server: Option<String>,
    /// A properties file in the format of Kafka's tools, with the keys of the connection, such as security.protocol
    /// [variable: HEADWATER_COMMAND_CONFIG]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "data",
        value_hint = ValueHint::FilePath
    )]
    command_config: Option<PathBuf>,
}

/// The target of the command.
enum Location {
    Directory(PathBuf),
    Cluster {
        bootstrap_servers: String,
        properties: Option<PathBuf>,
    },
}

/// The handling of a missing directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingDirectory {
    Refuse,
    Create,
}

impl Target {
    /// Opens the directory, which must exist, or connects to the cluster, for `work`, and closes it.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        run(&self.open(MissingDirectory::Refuse)?, work)
    }

    /// Like [`Target::with`], but creates a missing directory.
    pub(crate) fn with_new<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        run(&self.open(MissingDirectory::Create)?, work)
    }

    fn open(&self, missing: MissingDirectory) -> Result<Engine, Failure> {
        match self.location()? {
            Location::Directory(path) => {
                if missing == MissingDirectory::Refuse && !path.join(MARK).exists() {
                    return Err(Failure::Failed(format!(
                        "There is no data directory at {}: correct the path, or create one with headwater topic create.",
                        path.display()
                    )));
                }
                Ok(crate::open(Some(&path), NO_CONFIG)?)
            }
            Location::Cluster {
                bootstrap_servers,
                properties,
            } => {
                let pairs = match properties {
                    Some(path) => read_properties(&path)?,
                    None => Vec::new(),
                };
                Ok(crate::connect(&bootstrap_servers, pairs)?)
            }
        }
    }

    /// The target in the arguments, or else in the environment.
    fn location(&self) -> Result<Location, Failure> {
        let cluster = |bootstrap_servers| Location::Cluster {
            bootstrap_servers,
            properties: self
                .command_config
                .clone()
                .or_else(|| variable(CONFIG_VARIABLE).map(PathBuf::from)),
        };
        if let Some(path) = &self.data {
            return Ok(Location::Directory(path.clone()));
        }
        if let Some(bootstrap_servers) = &self.bootstrap_server {
            return Ok(cluster(bootstrap_servers.clone()));
        }
        match (variable(DATA_VARIABLE), variable(BOOTSTRAP_VARIABLE)) {
            (Some(_), None) if self.command_config.is_some() => Err(Failure::Usage(format!(
                "--command-config is for a running cluster, but {DATA_VARIABLE} sets a directory: add --bootstrap-server."
            ))),
            (Some(path), None) => Ok(Location::Directory(path.into())),
            (None, Some(bootstrap_servers)) => Ok(cluster(bootstrap_servers)),
            (None, None) => Err(Failure::Usage(
                "The target is missing: use --data DIR for a data directory, or --bootstrap-server HOST:PORT for a running cluster.".to_owned(),
            )),
            (Some(_), Some(_)) => Err(Failure::Usage(format!(
                "{DATA_VARIABLE} and {BOOTSTRAP_VARIABLE} are both set: unset one, or use --data or --bootstrap-server."
            ))),
        }
    }
}

/// The data directory in the environment.
pub(crate) fn data_of_environment() -> Option<PathBuf> {
    variable(DATA_VARIABLE).map(PathBuf::from)
}

fn run<T>(engine: &Engine, work: impl FnOnce(&Engine) -> Result<T, Failure>) -> Result<T, Failure> {
    let done = work(engine);
    let closed = engine.close();
    let done = done?;
    closed?;
    Ok(done)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The keys and values of a Java properties file.
fn read_properties(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let read = fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| properties::parse(&bytes));
    let properties = read.map_err(|error| {
        Failure::Usage(format!(
            "{} cannot be read ({error}): use a file of KEY=VALUE lines.",
            path.display()
        ))
    })?;
    let pairs = properties.into_iter();
    Ok(pairs.filter(|(key, _)| is_of_connections(key)).collect())
}

/// Whether a key is for the connection. The files of Kafka's tools may also have keys of producers and consumers;
/// unknown keys are refused later.
fn is_of_connections(key: &str) -> bool {
    let is_of_others = PRODUCER.find(key).is_some() || CONSUMER.find(key).is_some();
    key != BOOTSTRAP_KEY && (!is_of_others || CLIENT.find(key).is_some())
}
