//! The options of a server.

use std::fmt;
use std::str::FromStr;

use crate::{Limits, Mechanism, TlsOptions};

/// The security protocol of a listener, in Kafka's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SecurityProtocol {
    /// No security: every client that reaches the port may do everything.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// Users with passwords, without encryption.
    SaslPlaintext,
    /// Users with passwords over TLS.
    SaslSsl,
}

/// An unknown security protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a security protocol: use one of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")]
pub struct UnknownProtocol(pub String);

impl SecurityProtocol {
    const ALL: [Self; 4] = [
        Self::Plaintext,
        Self::Ssl,
        Self::SaslPlaintext,
        Self::SaslSsl,
    ];

    /// Whether the connection is encrypted.
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

/// The clients that may reach listeners without TLS and SASL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exposure {
    /// Programs on this machine. Other listeners must use `SASL_SSL`.
    #[default]
    Loopback,
    /// All clients: the user accepts the risk.
    AllowInsecure,
}

/// The options of one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerOptions {
    /// A name or an address of this machine.
    pub host: String,
    /// The port; 0 uses a free one.
    pub port: u16,
    /// The security protocol.
    pub protocol: SecurityProtocol,
    /// The certificate, for `SSL` and `SASL_SSL`.
    pub tls: Option<TlsOptions>,
    /// The mechanisms, for `SASL_PLAINTEXT` and `SASL_SSL` (`sasl.enabled.mechanisms`); all of them by default.
    pub mechanisms: Vec<Mechanism>,
    /// The advertised host (`advertised.listeners`); `host` by default.
    pub advertised_host: Option<String>,
    /// The advertised port; the bound port by default.
    pub advertised_port: Option<u16>,
}

impl ListenerOptions {
    /// A plaintext listener.
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

/// The options of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// The listeners; at least one.
    pub listeners: Vec<ListenerOptions>,
    /// The clients that may reach the listeners.
    pub exposure: Exposure,
    /// The limits of clients.
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
