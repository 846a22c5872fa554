//! The configuration of connections: Kafka's keys and defaults.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use headwater_client::config::RetryConfig;
use headwater_client::{Error, ErrorKind, Result};
use headwater_metadata::config::{Definition, Layer, Table, Unit, canonical_key};

use crate::sasl::Credentials;
use crate::tls::{Tls, TlsFiles};

/// The keys of connections.
pub static CONNECTION: Table = Table::new(
    "connection",
    &[
        Definition::long(
            "connections.max.idle.ms",
            "540000",
            -1,
            "How long an unused connection stays open. -1: for ever.",
        )
        .hole(0)
        .unit(Unit::Milliseconds),
        Definition::long(
            "reconnect.backoff.ms",
            "50",
            0,
            "The pause before a broker is connected to again; it doubles each time that this fails.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "reconnect.backoff.max.ms",
            "1000",
            0,
            "The longest pause before a broker is connected to again.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "socket.connection.setup.timeout.ms",
            "10000",
            1,
            "How long opening a connection may take: name lookup, TCP, TLS and authentication.",
        )
        .unit(Unit::Milliseconds),
        Definition::choice(
            "security.protocol",
            "PLAINTEXT",
            &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
            "Whether connections are encrypted (SSL) and authenticated (SASL).",
        ),
        Definition::choice(
            "ssl.truststore.type",
            "PEM",
            &["PEM"],
            "The format of the trusted certificates.",
        ),
        Definition::choice(
            "ssl.keystore.type",
            "PEM",
            &["PEM"],
            "The format of the client's certificate and key.",
        ),
        Definition::text(
            "ssl.truststore.certificates",
            "",
            "The certificates of the authorities that are trusted, in PEM. Empty: those of the system.",
        ),
        Definition::text(
            "ssl.truststore.location",
            "",
            "A file in PEM with the certificates of the authorities that are trusted.",
        ),
        Definition::text(
            "ssl.keystore.certificate.chain",
            "",
            "The client's certificate and those of its issuers, in PEM, for brokers that require one.",
        ),
        Definition::text(
            "ssl.keystore.key",
            "",
            "The private key of the client's certificate, in PEM, not encrypted.",
        ),
        Definition::text(
            "ssl.keystore.location",
            "",
            "A file in PEM with the client's certificate chain and its private key, not encrypted.",
        ),
        Definition::choice(
            "ssl.endpoint.identification.algorithm",
            "https",
            &["https", ""],
            "`https`: the certificate must carry the broker's host name. Empty: any name is accepted.",
        ),
        Definition::choice(
            "sasl.mechanism",
            "",
            &["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
            "How SASL authenticates. Required with `SASL_PLAINTEXT` and `SASL_SSL`.",
        ),
        Definition::text("sasl.username", "", "The user for PLAIN and SCRAM."),
        Definition::text("sasl.password", "", "The password for PLAIN and SCRAM."),
    ],
);

/// Keys of Kafka's clients that are refused, with what to do instead.
const UNSUPPORTED: [(&str, &str); 4] = [
    (
        "sasl.jaas.config",
        "give the user and the password with sasl.username and sasl.password",
    ),
    (
        "ssl.key.password",
        "give a private key that is not encrypted",
    ),
    (
        "ssl.keystore.password",
        "give the client's certificate and its unencrypted key in PEM, which needs no password",
    ),
    (
        "ssl.truststore.password",
        "give the trusted certificates in PEM, which needs no password",
    ),
];

/// How connections are made. Certificates are read and checked.
#[derive(Clone)]
pub struct ConnectionConfig {
    /// `connections.max.idle.ms`; `None`: connections stay open.
    pub max_idle: Option<Duration>,
    /// `reconnect.backoff.ms`, `reconnect.backoff.max.ms` (KIP-144)
    pub reconnect: RetryConfig,
    /// `socket.connection.setup.timeout.ms`
    pub setup_timeout: Duration,
    /// `security.protocol` as Kafka writes it.
    pub security_protocol: &'static str,
    pub(crate) tls: Option<Tls>,
    pub(crate) credentials: Option<Arc<Credentials>>,
}

impl ConnectionConfig {
    /// Checks `pairs`, fills in the defaults and reads the files that they name.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self> {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(key, value)| (canonical_key(key.as_ref()), value))
            .collect();
        for (key, advice) in UNSUPPORTED {
            if pairs.iter().any(|(given, _)| given == key) {
                return Err(config_error(&format!("{key} is not supported: {advice}.")));
            }
        }
        Self::of(&Layer::parse(&CONNECTION, pairs).map_err(Error::from)?)
    }

    fn of(layer: &Layer) -> Result<Self> {
        let protocol = layer.text("security.protocol");
        let is_sasl = protocol.starts_with("SASL_");
        let is_tls = protocol.ends_with("SSL");
        refuse_unused_keys(layer, "ssl.", is_tls, "SSL or SASL_SSL")?;
        refuse_unused_keys(layer, "sasl.", is_sasl, "SASL_SSL or SASL_PLAINTEXT")?;
        let millis = |key| Duration::from_millis(layer.integer(key).unsigned_abs());
        let backoff = millis("reconnect.backoff.ms");
        Ok(Self {
            max_idle: (layer.integer("connections.max.idle.ms") >= 0)
                .then(|| millis("connections.max.idle.ms")),
            reconnect: RetryConfig {
                backoff,
                backoff_max: millis("reconnect.backoff.max.ms").max(backoff),
            },
            setup_timeout: millis("socket.connection.setup.timeout.ms"),
            security_protocol: match (is_sasl, is_tls) {
                (false, false) => "PLAINTEXT",
                (false, true) => "SSL",
                (true, false) => "SASL_PLAINTEXT",
                (true, true) => "SASL_SSL",
            },
            tls: is_tls.then(|| tls(layer)).transpose()?,
            credentials: is_sasl
                .then(|| credentials(layer).map(Arc::new))
                .transpose()?,
        })
    }
}

/// A key for TLS or SASL that `security.protocol` leaves unused is an error: the connection would be less safe than it looks.
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

fn tls(layer: &Layer) -> Result<Tls> {
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

fn credentials(layer: &Layer) -> Result<Credentials> {
    let mechanism = layer.text("sasl.mechanism");
    if mechanism.is_empty() {
        return Err(config_error(
            "sasl.mechanism is missing: set PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
        ));
    }
    for key in ["sasl.username", "sasl.password"] {
        if layer.text(key).is_empty() {
            return Err(config_error(&format!(
                "{key} is missing: {mechanism} requires it."
            )));
        }
    }
    Credentials::new(
        &mechanism,
        layer.text("sasl.username"),
        layer.text("sasl.password"),
    )
}

pub(crate) fn config_error(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl fmt::Debug for ConnectionConfig {
    /// Without certificates and passwords.
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
    fn a_wrong_configuration_names_the_key_and_the_way_out(
        #[case] pairs: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        let error = ConnectionConfig::parse(pairs.iter().copied()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("secret"), "{error}");
    }

    #[test]
    fn debug_output_has_no_password() {
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
    fn pauses_between_connections_double_up_to_the_longest() {
        let config = ConnectionConfig::parse([("reconnect.backoff.ms", "100")]).unwrap();
        for (failures, expected_ms) in [(1, 100), (2, 200), (4, 800), (5, 1_000), (99, 1_000)] {
            let pause = config.reconnect.jittered_pause(failures).as_millis();
            let jitter = expected_ms / 5;
            assert!(
                (expected_ms - jitter..=expected_ms + jitter).contains(&pause),
                "{failures}: {pause}"
            );
        }
    }
}
