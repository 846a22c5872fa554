//! The keys of TLS.

use std::fs;

use headwater_client::Result;
use headwater_metadata::config::Layer;

use super::config_error;
use crate::tls::{Tls, TlsFiles};

/// The TLS configuration for brokers.
pub(super) fn of_brokers(layer: &Layer) -> Result<Tls> {
    let trusted = pem(
        layer,
        "ssl.truststore.certificates",
        "ssl.truststore.location",
    )?;
    let location = file(layer, "ssl.keystore.location")?;
    let own = |key: &str| {
        let given = layer.text(key);
        if given.is_empty() {
            location.clone()
        } else {
            Some(given.into_bytes())
        }
    };
    Tls::new(&TlsFiles {
        trusted,
        trusted_key: "ssl.truststore",
        certificate_chain: own("ssl.keystore.certificate.chain"),
        private_key: own("ssl.keystore.key"),
        verify_host_name: layer.text("ssl.endpoint.identification.algorithm") == "https",
    })
}

/// The text of `key`, or the content of the file at `location`.
fn pem(layer: &Layer, key: &str, location: &str) -> Result<Option<Vec<u8>>> {
    let given = layer.text(key);
    let stored = file(layer, location)?;
    match (given.is_empty(), stored) {
        (false, Some(_)) => Err(config_error(&format!(
            "{key} and {location} are both set: leave one of them out."
        ))),
        (false, None) => Ok(Some(given.into_bytes())),
        (true, stored) => Ok(stored),
    }
}

fn file(layer: &Layer, key: &str) -> Result<Option<Vec<u8>>> {
    let path = layer.text(key);
    if path.is_empty() {
        return Ok(None);
    }
    match fs::read(&path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) => Err(config_error(&format!(
            "{key}: {path} cannot be read ({error}): set it to a PEM file that this user may read."
        ))
        .caused_by(error)),
    }
}

/// The TLS configuration for the token endpoint.
pub(super) fn of_token_endpoint(layer: &Layer) -> Result<Tls> {
    Tls::new(&TlsFiles {
        trusted: pem(layer, "https.ca.pem", "https.ca.location")?,
        trusted_key: "https.ca",
        certificate_chain: None,
        private_key: None,
        verify_host_name: true,
    })
}
