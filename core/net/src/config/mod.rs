//! The configuration of connections: Kafka's keys and defaults.

mod jaas;
mod sasl;
mod table;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use headwater_client::config::RetryConfig;
use headwater_client::{Error, ErrorKind, Result};
use headwater_metadata::config::{Layer, canonical_key};

use crate::recovery::RecoveryStrategy;
use crate::sasl::{Credentials, TokenProvider};
use crate::tls::Tls;

pub use table::CONNECTION;

/// The configuration of connections. Certificates are read and checked.
#[derive(Clone)]
pub struct ConnectionConfig {
    /// `connections.max.idle.ms`; `None`: connections stay open.
    pub max_idle: Option<Duration>,
    /// `metadata.recovery.strategy`, `metadata.recovery.rebootstrap.trigger.ms`
    pub metadata_recovery: RecoveryStrategy,
    /// `reconnect.backoff.ms`, `reconnect.backoff.max.ms` (KIP-144)
    pub reconnect: RetryConfig,
    /// `socket.connection.setup.timeout.ms`
    pub setup_timeout: Duration,
    /// `security.protocol` in Kafka's spelling.
    pub security_protocol: &'static str,
    pub(crate) tls: Option<Tls>,
    pub(crate) credentials: Option<Arc<Credentials>>,
}

impl ConnectionConfig {
    /// Checks `pairs`, adds the defaults and reads the files of certificates and keys.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        Self::parse_with_tokens(pairs, None)
    }

    /// Like [`ConnectionConfig::parse`], with the source of the tokens for OAUTHBEARER. `None`: the keys have a token
    /// endpoint or another mechanism.
    pub fn parse_with_tokens<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
        tokens: Option<Arc<dyn TokenProvider>>,
    ) -> Result<Self> {
        let mut pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(key, value)| (canonical_key(key.as_ref()), value.as_ref().to_owned()))
            .collect();
        for (key, advice) in table::UNSUPPORTED {
            if pairs.iter().any(|(given, _)| given == key) {
                return Err(config_error(&format!("{key} is not supported: {advice}.")));
            }
        }
        jaas::expand(&mut pairs)?;
        Self::of(
            &Layer::parse(&CONNECTION, pairs).map_err(Error::from)?,
            tokens,
        )
    }

    fn of(layer: &Layer, tokens: Option<Arc<dyn TokenProvider>>) -> Result<Self> {
        let protocol = layer.text("security.protocol");
        let is_sasl = protocol.starts_with("SASL_");
        let is_tls = protocol.ends_with("SSL");
        refuse_unused_keys(layer, "ssl.", is_tls, "SSL or SASL_SSL")?;
        refuse_unused_keys(layer, "sasl.", is_sasl, "SASL_SSL or SASL_PLAINTEXT")?;
        refuse_unused_keys(layer, "https.", is_sasl, "SASL_SSL or SASL_PLAINTEXT")?;
        if tokens.is_some() && !is_sasl {
            return Err(config_error(&format!(
                "oauth_token has no effect with security.protocol={protocol}: set security.protocol to SASL_SSL or SASL_PLAINTEXT, and sasl.mechanism to OAUTHBEARER."
            )));
        }
        let millis = |key| Duration::from_millis(layer.integer(key).unsigned_abs());
        let backoff = millis("reconnect.backoff.ms");
        let setup_timeout = millis("socket.connection.setup.timeout.ms");
        Ok(Self {
            max_idle: (layer.integer("connections.max.idle.ms") >= 0)
                .then(|| millis("connections.max.idle.ms")),
            metadata_recovery: match &*layer.text("metadata.recovery.strategy") {
                "none" => RecoveryStrategy::None,
                _ => RecoveryStrategy::Rebootstrap(millis(
                    "metadata.recovery.rebootstrap.trigger.ms",
                )),
            },
            reconnect: RetryConfig {
                backoff,
                backoff_max: millis("reconnect.backoff.max.ms").max(backoff),
            },
            setup_timeout,
            security_protocol: match (is_sasl, is_tls) {
                (false, false) => "PLAINTEXT",
                (false, true) => "SSL",
                (true, false) => "SASL_PLAINTEXT",
                (true, true) => "SASL_SSL",
            },
            tls: is_tls.then(|| tls::of_brokers(layer)).transpose()?,
            credentials: is_sasl
                .then(|| sasl::credentials(layer, tokens, setup_timeout).map(Arc::new))
                .transpose()?,
        })
    }
}

/// Refuses keys for TLS or SASL that have no effect with this `security.protocol`: the connection would be less secure
/// than it appears.
fn refuse_unused_keys(layer: &Layer, prefix: &str, is_used: bool, protocols: &str) -> Result<()> {
    let unused = layer.iter().find(|(key, _)| key.starts_with(prefix));
    match unused {
        Some((key, _)) if !is_used => Err(config_error(&format!(
            "{key} has no effect with security.protocol={}: set security.protocol to {protocols}.",
            layer.text("security.protocol")
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn config_error(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl fmt::Debug for ConnectionConfig {
    /// Omits certificates and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionConfig")
            .field("security_protocol", &self.security_protocol)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::password_without_sasl(&[("sasl.password", "secret")], "set security.protocol to SASL_SSL")]
    #[case::truststore_without_tls(&[("ssl.truststore.certificates", "x")], "set security.protocol to SSL")]
    #[case::no_mechanism(&[("security.protocol", "SASL_SSL")], "sasl.mechanism is missing")]
    #[case::no_user(&[("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN")], "sasl.username is missing")]
    #[case::jaas(&[("sasl.jaas.config", "…PlainLoginModule…")], "sasl.username and sasl.password")]
    #[case::no_file(&[("security.protocol", "SSL"), ("ssl.truststore.location", "/none")], "/none cannot be read")]
    #[case::no_pem(&[("security.protocol", "SSL"), ("ssl.truststore.certificates", "x")], "ssl.truststore")]
    #[case::half_a_keystore(
        &[("security.protocol", "SSL"), ("ssl.keystore.key", "x")],
        "ssl.keystore.certificate.chain"
    )]
    #[case::encrypted_key(&[("ssl.key.password", "secret")], "not encrypted")]
    #[case::java_keystore(&[("security.protocol", "SSL"), ("ssl.keystore.type", "JKS")], "PEM")]
    #[case::never_idle(&[("connections.max.idle.ms", "0")], "connections.max.idle.ms")]
    #[case::unknown(&[("sasl.mechanisms", "PLAIN")], "sasl.mechanism")]
    fn the_error_of_a_wrong_configuration_has_the_key_and_the_remedy(
        #[case] pairs: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        let error = ConnectionConfig::parse(pairs.iter().copied()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("secret"), "{error}");
    }

    #[test]
    fn debug_output_contains_no_password() {
        let pairs = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "ada"),
            ("sasl.password", "secret"),
        ];
        let config = ConnectionConfig::parse(pairs).unwrap();
        let shown = format!("{config:?} {:?}", config.credentials);
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn pauses_between_attempts_double_up_to_the_maximum() {
        let config = ConnectionConfig::parse([("reconnect.backoff.ms", "100")]).unwrap();
        for (failures, expected_ms) in [(1, 100), (2, 200), (4, 800), (5, 1_000), (99, 1_000)] {
            let pause = config.reconnect.jittered_pause(failures).as_millis();
            let jitter = expected_ms / 5;
            assert!(
                (expected_ms - jitter..=expected_ms + jitter).contains(&pause),
                "{failures}: {pause}"
            );
        }
        let pauses: std::collections::HashSet<_> = (0..20)
            .map(|_| config.reconnect.jittered_pause(9))
            .collect();
        assert!(pauses.len() > 1, "20 clients would return at the same time");
    }
}
