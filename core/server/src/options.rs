//! Where to listen, and how openly.

use std::fmt;
use std::str::FromStr;

use crate::{Limits, Mechanism, TlsOptions};

/// What is around the requests on a listener, in Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SecurityProtocol {
    /// Nothing: whoever reaches the port may do everything.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// Users with passwords, in the open.
    SaslPlaintext,
    /// Users with passwords over TLS.
    SaslSsl,
}

/// A name of a security protocol that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no security protocol: use one of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")]
pub struct UnknownProtocol(pub String);

impl SecurityProtocol {
    const ALL: [Self; 4] = [
        Self::Plaintext,
        Self::Ssl,
        Self::SaslPlaintext,
        Self::SaslSsl,
    ];

    /// Whether the bytes are encrypted.
    pub const fn uses_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether clients authenticate.
    pub const fn uses_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }
}

impl fmt::Display for SecurityProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SecurityProtocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        let found = Self::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// Who may reach listeners without TLS and SASL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exposure {
    /// Programs on this machine; a listener elsewhere that is not `SASL_SSL` is refused.
    #[default]
    Loopback,
    /// Anybody: the user insists.
    AllowInsecure,
}

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerOptions {
    /// A name or an address of this machine.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// What clients must speak there.
    pub protocol: SecurityProtocol,
    /// The certificate, where the protocol is `SSL` or `SASL_SSL`.
    pub tls: Option<TlsOptions>,
    /// How clients may authenticate, where they must (`sasl.enabled.mechanisms`); by default in any way.
    pub mechanisms: Vec<Mechanism>,
    /// The host that clients are told (`advertised.listeners`); by default `host`.
    pub advertised_host: Option<String>,
    /// The port that clients are told; by default the one that is listened on.
    pub advertised_port: Option<u16>,
}

impl ListenerOptions {
    /// A plaintext listener there.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            protocol: SecurityProtocol::Plaintext,
            tls: None,
            mechanisms: Mechanism::ALL.to_vec(),
            advertised_host: None,
            advertised_port: None,
        }
    }
}

/// How a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Where; at least one.
    pub listeners: Vec<ListenerOptions>,
    /// Who may reach them.
    pub exposure: Exposure,
    /// What is granted to clients.
    pub limits: Limits,
}

impl Default for ServeOptions {
    /// Kafka's port on the loopback interface.
    fn default() -> Self {
        Self {
            listeners: vec![ListenerOptions::new("127.0.0.1", 9092)],
            exposure: Exposure::default(),
            limits: Limits::default(),
        }
    }
}
