"""Apache Kafka with a listener for each security setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.foreign.kafka import broker as kafka_broker
from tests.foreign.process import StartedBroker, await_line
from tests.security.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path

#: `ada` may do everything, `bob` nothing.
PASSWORDS = {"ada": "ada-topsecret", "bob": "bob-topsecret"}
#: The lifetime of an authentication on the listeners with that name, in milliseconds.
REAUTHENTICATION_MS = 2_000
SECURITY = {
    "PLAINTEXT": "PLAINTEXT",
    "CONTROLLER": "PLAINTEXT",
    "PASSWORD": "SASL_SSL",
    "PASSWORD_BRIEF": "SASL_PLAINTEXT",
    "TOKEN": "SASL_PLAINTEXT",
    "TOKEN_BRIEF": "SASL_PLAINTEXT",
    "CERTIFICATE": "SSL",
}
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
UNSECURED = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"


@dataclass(frozen=True)
class SecureKafka:
    """The broker, and the files and keys of its clients."""

    started: StartedBroker
    ports: dict[str, int]
    authority: Authority

    def address(self, listener: str) -> str:
        """The HOST:PORT of a listener."""
        return f"localhost:{self.ports[listener]}"

    def password(self, mechanism: str, user: str = "ada", password: str | None = None) -> dict[str, Any]:
        """The keys of a client with a password over TLS."""
        return {
            "security_protocol": "SASL_SSL",
            "ssl_truststore_location": str(self.authority.certificate),
            "sasl_mechanism": mechanism,
            "sasl_username": user,
            "sasl_password": password or PASSWORDS[user],
        }


def listeners(ports: dict[str, int]) -> dict[str, str]:
    """The settings of all listeners, without their security."""
    named = [f"{name}://127.0.0.1:{port}" for name, port in ports.items()]
    return {
        "listeners": ",".join(named),
        "advertised.listeners": ",".join(f"{name}://localhost:{port}" for name, port in ports.items() if name != "CONTROLLER"),
        "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in SECURITY.items()),
        "inter.broker.listener.name": "PLAINTEXT",
    }


def sasl() -> dict[str, str]:
    """The settings of the listeners with SASL."""
    users = " ".join(f'user_{user}="{password}"' for user, password in PASSWORDS.items())
    settings = {}
    for listener in ("password", "password_brief"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
        settings[f"{prefix}.plain.sasl.jaas.config"] = f"{PLAIN} required {users};"
        settings[f"{prefix}.scram-sha-256.sasl.jaas.config"] = f"{SCRAM} required;"
        settings[f"{prefix}.scram-sha-512.sasl.jaas.config"] = f"{SCRAM} required;"
    for listener in ("token", "token_brief"):
        prefix = f"listener.name.{listener}"
        settings[f"{prefix}.sasl.enabled.mechanisms"] = "OAUTHBEARER"
        settings[f"{prefix}.oauthbearer.sasl.jaas.config"] = f'{OAUTH} required unsecuredLoginStringClaim_sub="broker";'
        settings[f"{prefix}.oauthbearer.sasl.server.callback.handler.class"] = UNSECURED
    for listener, mechanisms in {"password_brief": ("plain", "scram-sha-256", "scram-sha-512"), "token_brief": ("oauthbearer",)}.items():
        for mechanism in mechanisms:
            settings[f"listener.name.{listener}.{mechanism}.connections.max.reauth.ms"] = str(REAUTHENTICATION_MS)
    return settings


def start(folder: Path) -> SecureKafka:
    """Start the broker, and wait until it serves."""
    authority = Authority.make(folder / "certificates")
    ports = {name: kafka_broker.free_port() for name in SECURITY}
    settings = {
        **listeners(ports),
        **sasl(),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.identity("broker")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.certificate),
        "listener.name.certificate.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:ada;User:CN=ada",
        "offsets.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    users = [
        f"{mechanism}=[name={user},password={password}]"
        for user, password in PASSWORDS.items()
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
    ]
    configuration = kafka_broker.format_storage(folder, settings, ports["PLAINTEXT"], users)
    started = kafka_broker.launch(folder, configuration, ports["PLAINTEXT"])
    await_line(started, r"Kafka Server started")
    return SecureKafka(started, ports, authority)
