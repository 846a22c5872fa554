//! The arguments of `Client.serve`.

use std::path::PathBuf;

use headwater::{
    Address, Exposure, ListenerOptions, Mechanism, SecurityProtocol, ServeOptions, TlsOptions,
};
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
        let mut listener = ListenerOptions::new(self.host, self.port);
        listener.protocol = said(self.security_protocol.parse::<SecurityProtocol>())?;
        if let Some(advertised) = self.advertised {
            let Address { host, port } = said(advertised.parse())?;
            listener.advertised_host = Some(host);
            listener.advertised_port = Some(port);
        }
        listener.tls = match (self.tls_cert, self.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(said(TlsOptions::read(&certificate, &key))?),
            _ => {
                return Err(errors::invalid(
                    "tls_cert and tls_key go together: give both, or neither.",
                ));
            }
        };
        if let Some(mechanisms) = self.sasl_mechanisms {
            let mechanisms = mechanisms
                .iter()
                .map(|name| said(name.parse::<Mechanism>()));
            listener.mechanisms = mechanisms.collect::<PyResult<_>>()?;
        }
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
