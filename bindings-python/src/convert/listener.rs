//! The arguments of `Client.serve`.

use std::path::PathBuf;

use headwater::{Address, Exposure, ListenerAddress, ListenerSecurity, Mechanism, ServeOptions};
use pyo3::prelude::*;

use crate::errors;

/// What `serve` was called with.
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
    /// As options of the core.
    pub(crate) fn options(self) -> PyResult<ServeOptions> {
        let at = ListenerAddress {
            protocol: Some(said(self.security_protocol.parse())?),
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
            said(mechanisms.transpose())?,
        );
        let listener = said(security)?.listener(&at, said(advertised)?);
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

fn said<T>(result: Result<T, impl std::fmt::Display>) -> PyResult<T> {
    result.map_err(|error| errors::invalid(&format!("{error}.")))
}
