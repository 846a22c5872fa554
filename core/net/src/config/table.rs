//! The keys of connections.

use headwater_metadata::config::{Definition, Table, Unit};

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
            &["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
            "How SASL authenticates. Required with `SASL_PLAINTEXT` and `SASL_SSL`.",
        ),
        Definition::text("sasl.username", "", "The user for PLAIN and SCRAM."),
        Definition::text("sasl.password", "", "The password for PLAIN and SCRAM."),
        Definition::text(
            "sasl.jaas.config",
            "",
            "User and password, or the client of OAUTHBEARER, as Java's clients write them. `PlainLoginModule`, `ScramLoginModule` and `OAuthBearerLoginModule` are understood.",
        ),
        Definition::choice(
            "sasl.oauthbearer.method",
            "",
            &["", "default", "oidc"],
            "Where OAUTHBEARER's tokens come from. `default`: the application's function. `oidc`: the token endpoint. Empty: the one that is given.",
        ),
        Definition::text(
            "sasl.oauthbearer.token.endpoint.url",
            "",
            "The token endpoint of the identity provider, which is asked with the grant `client_credentials`: an `https` URL (`http` for tests).",
        ),
        Definition::text(
            "sasl.oauthbearer.client.credentials.client.id",
            "",
            "The id with which the token endpoint is asked.",
        ),
        Definition::text(
            "sasl.oauthbearer.client.credentials.client.secret",
            "",
            "The secret of that id.",
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
            "The scope that the token endpoint is asked for, if it needs one.",
        ),
        Definition::text(
            "sasl.oauthbearer.extensions",
            "",
            "SASL extensions for the broker (KIP-342): `key=value`, separated by commas.",
        ),
        Definition::boolean(
            "sasl.oauthbearer.header.urlencode",
            "false",
            "Whether id and secret are encoded as URLs are in the request to the token endpoint, as RFC 6749 requires and few providers expect.",
        ),
        Definition::text(
            "https.ca.location",
            "",
            "A file in PEM with the certificates of the authorities that are trusted for the token endpoint. Empty: those of the system.",
        ),
        Definition::text(
            "https.ca.pem",
            "",
            "The certificates of the authorities that are trusted for the token endpoint, in PEM.",
        ),
    ],
);

/// Keys of Kafka's clients that are refused, with what to do instead.
pub(super) const UNSUPPORTED: [(&str, &str); 5] = [
    (
        "sasl.login.callback.handler.class",
        "leave it out: tokens come from the function oauth_token, or from sasl.oauthbearer.token.endpoint.url",
    ),
    (
        "ssl.key.password",
        "give a private key that is not encrypted (openssl pkey decrypts it)",
    ),
    (
        "ssl.keystore.password",
        "give the client's certificate and its unencrypted key in PEM, which needs no password",
    ),
    (
        "ssl.truststore.password",
        "give the trusted certificates in PEM, which needs no password",
    ),
    (
        "sasl.kerberos.service.name",
        "Kerberos (GSSAPI) is not available; use PLAIN, SCRAM or OAUTHBEARER",
    ),
];
