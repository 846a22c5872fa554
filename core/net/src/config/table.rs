//! The table of the keys of connections.

use headwater_metadata::config::{Definition, Table, Unit};

/// The keys of connections, with defaults and descriptions.
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
            "metadata.recovery.rebootstrap.trigger.ms",
            "300000",
            0,
            "After metadata requests without a response for this time, the client starts again from its bootstrap addresses.",
        )
        .unit(Unit::Milliseconds),
        Definition::choice(
            "metadata.recovery.strategy",
            "rebootstrap",
            &["rebootstrap", "none"],
            "Whether the client returns to its bootstrap addresses when no known broker can be reached, or a broker requires it.",
        ),
        Definition::long(
            "reconnect.backoff.ms",
            "50",
            0,
            "The pause before a new attempt to connect to a broker; it doubles after each failure.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "reconnect.backoff.max.ms",
            "1000",
            0,
            "The maximum pause before a new attempt to connect to a broker.",
        )
        .unit(Unit::Milliseconds),
        Definition::long(
            "socket.connection.setup.timeout.ms",
            "10000",
            1,
            "The time limit for opening a connection: name lookup, TCP, TLS and authentication.",
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
            "The certificates of the trusted authorities, in PEM. Empty: the system's.",
        ),
        Definition::text(
            "ssl.truststore.location",
            "",
            "A file in PEM with the certificates of the trusted authorities.",
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
            &["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
            "The SASL mechanism. Required with `SASL_PLAINTEXT` and `SASL_SSL`.",
        ),
        Definition::text("sasl.username", "", "The user for PLAIN and SCRAM."),
        Definition::text("sasl.password", "", "The password for PLAIN and SCRAM."),
        Definition::text(
            "sasl.jaas.config",
            "",
            "Credentials in the format of Java's clients, with `PlainLoginModule`, `ScramLoginModule` or `OAuthBearerLoginModule`.",
        ),
        Definition::choice(
            "sasl.oauthbearer.method",
            "",
            &["", "default", "oidc"],
            "The source of OAUTHBEARER's tokens. `default`: the application's function. `oidc`: the token endpoint. Empty: whichever is configured.",
        ),
        Definition::text(
            "sasl.oauthbearer.token.endpoint.url",
            "",
            "The URL of the identity provider's token endpoint, for the grant `client_credentials`: `https` (`http` for tests).",
        ),
        Definition::text(
            "sasl.oauthbearer.client.credentials.client.id",
            "",
            "The client id for the token endpoint.",
        ),
        Definition::text(
            "sasl.oauthbearer.client.credentials.client.secret",
            "",
            "The client secret for the token endpoint.",
        ),
        Definition::text(
            "sasl.oauthbearer.client.id",
            "",
            "librdkafka's name of `sasl.oauthbearer.client.credentials.client.id`.",
        ),
        Definition::text(
            "sasl.oauthbearer.client.secret",
            "",
            "librdkafka's name of `sasl.oauthbearer.client.credentials.client.secret`.",
        ),
        Definition::text(
            "sasl.oauthbearer.scope",
            "",
            "The scope in requests to the token endpoint, if it requires one.",
        ),
        Definition::text(
            "sasl.oauthbearer.extensions",
            "",
            "SASL extensions for the broker (KIP-342): `key=value`, separated by commas.",
        ),
        Definition::boolean(
            "sasl.oauthbearer.header.urlencode",
            "false",
            "Whether the client id and secret are URL-encoded in requests to the token endpoint: RFC 6749 requires it, but few providers expect it.",
        ),
        Definition::text(
            "https.ca.location",
            "",
            "A file in PEM with the certificates of the trusted authorities for the token endpoint. Empty: the system's.",
        ),
        Definition::text(
            "https.ca.pem",
            "",
            "The certificates of the trusted authorities for the token endpoint, in PEM.",
        ),
    ],
);

/// Keys of Kafka's clients that are not supported, with the alternative.
pub(super) const UNSUPPORTED: [(&str, &str); 5] = [
    (
        "sasl.login.callback.handler.class",
        "leave it out: tokens come from the function oauth_token, or from sasl.oauthbearer.token.endpoint.url",
    ),
    (
        "ssl.key.password",
        "use a private key that is not encrypted (openssl pkey decrypts it)",
    ),
    (
        "ssl.keystore.password",
        "use PEM for the client's certificate and its unencrypted key, which needs no password",
    ),
    (
        "ssl.truststore.password",
        "use PEM for the trusted certificates, which needs no password",
    ),
    (
        "sasl.kerberos.service.name",
        "Kerberos (GSSAPI) is not available; use PLAIN, SCRAM or OAUTHBEARER",
    ),
];
