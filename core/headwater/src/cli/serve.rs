//! `headwater serve`: serves a directory, or memory, to any Kafka client until a signal stops it.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use headwater_server::{
    Exposure, Limits, ListenerOptions, Mechanism, SecurityProtocol, ServeOptions,
};

use super::arguments::Setting;
use super::examples;
use super::exit::Failure;
use super::stop::Stop;
use super::target;
use crate::{Address, ListenerAddress, ListenerSecurity};

/// With a lower limit a server may soon refuse files or connections.
const OPEN_FILES_MIN: u64 = 4096;

/// Serve a data directory to Kafka clients, until SIGTERM or SIGINT
#[derive(Debug, Args)]
#[command(after_help = examples::SERVE)]
pub(crate) struct Serve {
    /// The data directory, created if it does not exist; without it all data is in memory and lost at the end
    /// [variable: HEADWATER_DATA]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data: Option<PathBuf>,
    /// An address to listen on; port 0 uses a free one. PROTOCOL is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; the
    /// default follows from --tls-cert and --sasl. May be repeated
    #[arg(
        long,
        value_name = "[PROTOCOL://]HOST:PORT",
        default_value = "127.0.0.1:9092"
    )]
    listen: Vec<ListenerAddress>,
    /// The advertised address, instead of the bound one; once for each --listen
    #[arg(long, value_name = "HOST:PORT")]
    advertised: Vec<Address>,
    /// A key of Kafka's broker configuration, such as num.partitions=3. May be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<Setting>,
    /// The server's certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM and not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
    /// Require users with a password (see headwater user), by these mechanisms or any of PLAIN, SCRAM-SHA-256,
    /// SCRAM-SHA-512
    #[arg(
        long,
        value_name = "MECHANISM,...",
        num_args = 0..=1,
        require_equals = true,
        value_delimiter = ',',
        default_missing_value = "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"
    )]
    sasl: Option<Vec<Mechanism>>,
    /// Allow other machines to connect without TLS and password
    #[arg(long)]
    allow_insecure: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let options = self.options()?;
        allow_many_connections();
        // From here on a signal waits until opening has finished, and everything is closed again.
        let stop = Stop::listen()?;
        let settings = self
            .config
            .into_iter()
            .map(|setting| (setting.key, setting.value));
        let data = self.data.or_else(target::data_of_environment);
        let engine = crate::open(data.as_deref(), settings)?;
        let server = engine.serve(options)?;
        announce(server.addresses(), data.as_deref());
        stop.wait();
        tracing::info!("stopping: completing pending requests, then closing");
        server.shutdown();
        engine.close()?;
        Ok(())
    }

    fn options(&self) -> Result<ServeOptions, Failure> {
        let security = self.security()?;
        let listeners = self.listeners(&security)?;
        let mut protocols = listeners.iter().map(|listener| listener.protocol);
        if security.tls.is_some() && !protocols.clone().any(SecurityProtocol::uses_tls) {
            return Err(unused("--tls-cert", "SSL or SASL_SSL"));
        }
        if self.sasl.is_some() && !protocols.any(SecurityProtocol::uses_sasl) {
            return Err(unused("--sasl", "SASL_PLAINTEXT or SASL_SSL"));
        }
        Ok(ServeOptions {
            listeners,
            exposure: if self.allow_insecure {
                Exposure::AllowInsecure
            } else {
                Exposure::Loopback
            },
            limits: Limits::default(),
        })
    }

    fn security(&self) -> Result<ListenerSecurity, Failure> {
        let (certificate, key) = (self.tls_cert.as_deref(), self.tls_key.as_deref());
        ListenerSecurity::read(certificate, key, self.sasl.clone())
            .map_err(|error| Failure::Failed(format!("Cannot listen with TLS: {error}.")))
    }

    fn listeners(&self, security: &ListenerSecurity) -> Result<Vec<ListenerOptions>, Failure> {
        let advertised = self.advertised.len();
        if advertised != 0 && advertised != self.listen.len() {
            return Err(Failure::Usage(format!(
                "--advertised is given {advertised} times and --listen {} times: use one for each listener, in the same order, or none.",
                self.listen.len()
            )));
        }
        let listen = self.listen.iter().enumerate();
        let listeners = listen.map(|(index, at)| {
            let advertised = self.advertised.get(index).cloned();
            security.listener(at, advertised)
        });
        Ok(listeners.collect())
    }
}

/// Each connection needs a file descriptor, and the usual soft limit is too low for that.
fn allow_many_connections() {
    match headwater_env::allow_most_open_files() {
        Ok(most) if most < OPEN_FILES_MIN => tracing::warn!(
            "this process may open only {most} files and connections together: raise the hard limit (ulimit -Hn) to {OPEN_FILES_MIN} or more"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(
            %error,
            "the limit of open files and connections cannot be raised: raise it (ulimit -n) before starting"
        ),
    }
}

fn unused(option: &str, protocols: &str) -> Failure {
    Failure::Usage(format!(
        "No listener uses {option}: change one to {protocols}, or leave {option} out."
    ))
}

/// Prints that the server is ready, and its addresses.
fn announce(addresses: &[SocketAddr], data: Option<&Path>) {
    let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    let data = data.map_or_else(
        || "data in memory".to_owned(),
        |path| path.display().to_string(),
    );
    let mut out = io::stdout().lock();
    // The server continues even if this cannot be written.
    let _ = writeln!(
        out,
        "headwater ready on {}, serving {data}",
        addresses.join(", ")
    )
    .and_then(|()| out.flush());
}
