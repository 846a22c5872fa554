//! The arguments of `Client.serve`.

use std::path::PathBuf;

use headwater::{Address, Exposure, ListenerAddress, ListenerSecurity, Mechanism, ServeOptions};
use pyo3::prelude::*;

use crate::errors;

/// The arguments of `serve`.
pub(crate) struct ListenerArguments<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) advertised: Option<&'a str>,
    pub(crate) security_protocol: &'a str,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) sasl_mechanisms: Option<Vec<String>>,
    pub(crate) allow_insecure: bool,
}

impl ListenerArguments<'_> {
    /// The options of the core.
    pub(crate) fn options(self) -> PyResult<ServeOptions> {
        let at = ListenerAddress {
            protocol: Some(checked(self.security_protocol.parse())?),
            address: Address {
                host: self.host.to_owned(),
                port: self.port,
            },
        };
        let advertised = self.advertised.map(str::parse).transpose();
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

fn checked<T>(result: Result<T, impl std::fmt::Display>) -> PyResult<T> {
    result.map_err(|error| errors::invalid(&format!("{error}.")))
}
