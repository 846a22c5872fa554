//! Listeners as configured on the command line, or in a call of a binding.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use headwater_client::{Error, ErrorKind};

use headwater_server::{
    Exposure, ListenerOptions, Mechanism, SecurityProtocol, ServeOptions, TlsError, TlsOptions,
    UnknownProtocol,
};

use crate::{Address, InvalidAddress};

/// An address to listen on: `[PROTOCOL://]HOST:PORT`, as in Kafka's `listeners`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerAddress {
    /// `None`: the protocol follows from the certificate and the mechanisms.
    pub protocol: Option<SecurityProtocol>,
    /// Port 0 uses a free port.
    pub address: Address,
}

impl FromStr for ListenerAddress {
    type Err = InvalidListener;

    fn from_str(text: &str) -> Result<Self, InvalidListener> {
        let (protocol, address) = match text.split_once("://") {
            Some((protocol, address)) => (Some(protocol.parse()?), address),
            None => (None, text),
        };
        Ok(Self {
            protocol,
            address: address.parse()?,
        })
    }
}

/// The reason why a text is not a listener, or a listener cannot be secured.
#[derive(Debug, thiserror::Error)]
pub enum InvalidListener {
    /// Its protocol is unknown.
    #[error(transparent)]
    Protocol(#[from] UnknownProtocol),
    /// Its address is not valid.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// A certificate without a key, or a key without a certificate.
    #[error("tls_cert and tls_key belong together: set both, or neither")]
    HalfOfTls,
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The arguments of `serve()` in a binding.
#[derive(Debug, Clone, Default)]
pub struct ListenerArguments {
    /// The host to listen on.
    pub host: String,
    /// The port; 0 uses a free port.
    pub port: u16,
    /// The advertised `HOST:PORT`; `None`: the listening address.
    pub advertised: Option<String>,
    /// `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
    pub security_protocol: String,
    /// The certificate chain, a PEM file.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, a PEM file.
    pub tls_key: Option<PathBuf>,
    /// The SASL mechanisms; `None`: all.
    pub sasl_mechanisms: Option<Vec<String>>,
    /// Whether other machines may connect without TLS and SASL.
    pub allow_insecure: bool,
}

impl ListenerArguments {
    /// Checks the arguments, and reads the certificate and its key.
    pub fn options(self) -> Result<ServeOptions, Error> {
        let at = ListenerAddress {
            protocol: Some(checked(self.security_protocol.parse())?),
            address: Address {
                host: self.host,
                port: self.port,
            },
        };
        let advertised = self.advertised.as_deref().map(str::parse).transpose();
        let mechanisms = self.sasl_mechanisms.map(|names| {
            let mechanisms = names.iter().map(|name| name.parse());
            mechanisms.collect::<Result<Vec<Mechanism>, _>>()
        });
        let security = ListenerSecurity::read(
            self.tls_cert.as_deref(),
            self.tls_key.as_deref(),
            checked(mechanisms.transpose())?,
        );
        let listener = checked(security)?.listener(&at, checked(advertised)?);
        Ok(ServeOptions {
            listeners: vec![listener],
            exposure: if self.allow_insecure {
                Exposure::AllowInsecure
            } else {
                Exposure::Loopback
            },
            ..ServeOptions::default()
        })
    }
}

fn checked<T>(result: Result<T, impl Display>) -> Result<T, Error> {
    result.map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("{error}.")))
}

/// The security settings of listeners.
#[derive(Debug, Clone, Default)]
pub struct ListenerSecurity {
    /// The certificate, for `SSL` and `SASL_SSL`.
    pub tls: Option<TlsOptions>,
    /// The mechanisms for users of `SASL_PLAINTEXT` and `SASL_SSL`; `None`: all.
    pub mechanisms: Option<Vec<Mechanism>>,
}

impl ListenerSecurity {
    /// Reads the certificate chain and its private key from PEM files.
    pub fn read(
        tls_cert: Option<&Path>,
        tls_key: Option<&Path>,
        mechanisms: Option<Vec<Mechanism>>,
    ) -> Result<Self, InvalidListener> {
        let tls = match (tls_cert, tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsOptions::read(certificate, key)?),
            _ => return Err(InvalidListener::HalfOfTls),
        };
        Ok(Self { tls, mechanisms })
    }

    /// The options of a listener at `at` with this advertised address, or its listening address.
    pub fn listener(&self, at: &ListenerAddress, advertised: Option<Address>) -> ListenerOptions {
        let mut options = ListenerOptions::new(&at.address.host, at.address.port);
        options.protocol = at.protocol.unwrap_or_else(|| self.protocol());
        options.tls.clone_from(&self.tls);
        if let Some(mechanisms) = &self.mechanisms {
            options.mechanisms.clone_from(mechanisms);
        }
        if let Some(Address { host, port }) = advertised {
            options.advertised_host = Some(host);
            options.advertised_port = Some(port);
        }
        options
    }

    /// The protocol that uses all of these settings.
    fn protocol(&self) -> SecurityProtocol {
        match (&self.tls, &self.mechanisms) {
            (None, None) => SecurityProtocol::Plaintext,
            (Some(_), None) => SecurityProtocol::Ssl,
            (None, Some(_)) => SecurityProtocol::SaslPlaintext,
            (Some(_), Some(_)) => SecurityProtocol::SaslSsl,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_may_name_its_protocol() {
        let read: ListenerAddress = "SASL_SSL://kafka.example:9093".parse().unwrap();
        assert_eq!(read.protocol, Some(SecurityProtocol::SaslSsl));
        assert_eq!(read.address.host, "kafka.example");
        let error = "HTTP://host:1".parse::<ListenerAddress>().unwrap_err();
        assert!(
            error.to_string().contains("use one of PLAINTEXT"),
            "{error}"
        );
        assert!("host".parse::<ListenerAddress>().is_err());
    }

    #[test]
    fn a_listener_without_a_protocol_uses_all_security_settings() {
        let at: ListenerAddress = "localhost:0".parse().unwrap();
        let advertised = Some("public:1".parse().unwrap());
        let plain = ListenerSecurity::default().listener(&at, None);
        assert_eq!(plain.protocol, SecurityProtocol::Plaintext);
        let security = ListenerSecurity::read(None, None, Some(vec![Mechanism::Plain])).unwrap();
        let options = security.listener(&at, advertised);
        assert_eq!(options.protocol, SecurityProtocol::SaslPlaintext);
        assert_eq!(options.mechanisms, [Mechanism::Plain]);
        assert_eq!(options.advertised_host.as_deref(), Some("public"));
        assert_eq!(options.advertised_port, Some(1));
        let half = ListenerSecurity::read(Some(Path::new("cert.pem")), None, None);
        assert!(matches!(half, Err(InvalidListener::HalfOfTls)));
    }
}
