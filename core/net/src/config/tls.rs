//! The keys of TLS.

use std::fs;

use headwater_client::Result;
use headwater_metadata::config::Layer;

use super::config_error;
use crate::tls::{Tls, TlsFiles};

/// TLS to brokers.
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

/// The text of `key`, or the contents of the file that `location` names.
fn pem(layer: &Layer, key: &str, location: &str) -> Result<Option<Vec<u8>>> {
    let given = layer.text(key);
    let stored = file(layer, location)?;
    match (given.is_empty(), stored) {
        (false, Some(_)) => Err(config_error(&format!(
            "Give {key} or {location}, not both."
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
            "{key}: {path} cannot be read ({error}): give a file in PEM that this user may read."
        ))
        .caused_by(error)),
    }
}

/// TLS to the token endpoint.
pub(super) fn of_token_endpoint(layer: &Layer) -> Result<Tls> {
    Tls::new(&TlsFiles {
        trusted: pem(layer, "https.ca.pem", "https.ca.location")?,
        trusted_key: "https.ca",
        certificate_chain: None,
        private_key: None,
        verify_host_name: true,
    })
}
