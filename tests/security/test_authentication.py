"""Passwords, tokens and certificates, accepted and refused by Apache Kafka."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
import headwater.aio
from tests.security.certificates import Authority
from tests.security.kafka import PASSWORDS
from tests.security.tokens import IdentityProvider, token

if TYPE_CHECKING:
    from pathlib import Path

    from tests.security.kafka import SecureKafka

TOKEN: dict[str, Any] = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER"}
NAMES = (f"topic-{number}" for number in itertools.count())


def round_trip(client: hw.Client) -> None:
    """Write and read a record, as a member of a group too."""
    topic = client.create_topic(next(NAMES))
    with client.producer() as producer:
        producer.send(topic.name, b"value").result(30)
    assert topic.scan().count() == 1
    with client.consumer(topic.name, group_id=topic.name, auto_offset_reset="earliest") as consumer:
        assert [message.value for message in consumer.poll(30)] == [b"value"]
        consumer.commit()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_is_accepted_over_tls(kafka: SecureKafka, mechanism: str) -> None:
    with hw.connect(kafka.address("PASSWORD"), **kafka.password(mechanism)) as client:
        round_trip(client)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_wrong_password_is_refused_and_not_shown(kafka: SecureKafka, mechanism: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = kafka.address("PASSWORD")
    with pytest.raises(hw.AuthenticationError, match=address) as raised:
        hw.connect(address, **kafka.password(mechanism, password="guess-4711"))
    error = raised.value
    assert error.code == "SASL_AUTHENTICATION_FAILED"
    assert not error.retriable
    assert "sasl.mechanism" in str(error)
    assert "guess-4711" not in f"{error!r} {error} {error.__dict__} {error.__cause__!r} {caplog.text}"


def test_an_unsupported_mechanism_is_an_error_with_the_supported_ones(kafka: SecureKafka) -> None:
    with pytest.raises(hw.AuthenticationError, match="OAUTHBEARER"):
        hw.connect(
            kafka.address("TOKEN"), **{**kafka.password("PLAIN"), "security_protocol": "SASL_PLAINTEXT", "ssl_truststore_location": None}
        )


def test_a_certificate_is_accepted(kafka: SecureKafka) -> None:
    keys: dict[str, Any] = {"security_protocol": "SSL", "ssl_truststore_location": str(kafka.authority.certificate)}
    with hw.connect(kafka.address("CERTIFICATE"), ssl_keystore_location=str(kafka.authority.identity("ada")), **keys) as client:
        round_trip(client)
    with pytest.raises(hw.AuthenticationError, match=r"ssl\.keystore\.location"):
        hw.connect(kafka.address("CERTIFICATE"), **keys)


@pytest.mark.parametrize(
    ("listener", "keys", "expected"),
    [
        ("PASSWORD", {}, "security.protocol"),
        (
            "PASSWORD",
            {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": "a", "sasl_password": "b"},
            "security.protocol",
        ),
        ("TOKEN", {}, "security.protocol"),
        ("PLAINTEXT", {"security_protocol": "SSL"}, "PLAINTEXT"),
        (
            "PLAINTEXT",
            {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": "a", "sasl_password": "b"},
            "no SASL",
        ),
    ],
)
def test_a_security_protocol_other_than_the_listeners_is_an_error(
    kafka: SecureKafka, listener: str, keys: dict[str, Any], expected: str
) -> None:
    if keys.get("security_protocol") == "SSL":
        keys = {**keys, "ssl_truststore_location": str(kafka.authority.certificate)}
    address = kafka.address(listener)
    with pytest.raises(hw.KafkaError, match=expected) as raised:
        hw.connect(address, **keys)
    assert address in str(raised.value)


def test_one_token_of_a_function_opens_all_connections(kafka: SecureKafka) -> None:
    calls = []

    def ask() -> str:
        calls.append(time.monotonic())
        return token("ada")

    with hw.connect(kafka.address("TOKEN"), oauth_token=ask, **TOKEN) as client:
        round_trip(client)
        metrics = client.metrics()
    assert metrics["connection-creation-total"] >= 3
    assert len(calls) == 1


@pytest.mark.parametrize(
    "expiry",
    [lambda: None, lambda: time.time() + 600, lambda: datetime.now(timezone.utc) + timedelta(minutes=10)],
    ids=["none", "seconds", "datetime"],
)
def test_a_function_may_return_the_expiry_of_its_token(kafka: SecureKafka, expiry: Any) -> None:
    with hw.connect(kafka.address("TOKEN"), oauth_token=lambda: (token("ada"), expiry()), **TOKEN) as client:
        round_trip(client)


def test_a_coroutine_function_creates_tokens_in_its_event_loop(kafka: SecureKafka) -> None:
    loops = []

    async def ask() -> str:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return token("ada")

    async def main() -> None:
        async with hw.aio.connect(kafka.address("TOKEN"), oauth_token=ask, **TOKEN) as client:
            topic = await client.create_topic(next(NAMES))
            async with client.producer() as producer:
                await producer.send(topic.name, b"value")
            assert await topic.count() == 1
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_a_coroutine_function_needs_asyncio(kafka: SecureKafka) -> None:
    async def ask() -> str:
        return token("ada")

    with pytest.raises(hw.TransportError, match=r"headwater\.aio\.connect"):
        hw.connect(kafka.address("TOKEN"), oauth_token=ask, **TOKEN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: 7, "must return a str"),
        (lambda: ("a", "soon"), "expiry"),
        (lambda: token("ada", seconds=-60), "already expired"),
        (lambda: "", "it is empty"),
    ],
)
def test_a_function_without_a_token_is_an_error_with_the_reason(kafka: SecureKafka, function: Any, expected: str) -> None:
    with pytest.raises(hw.KafkaError, match=expected):
        hw.connect(kafka.address("TOKEN"), oauth_token=function, **TOKEN)


def test_a_refused_token_is_not_shown(kafka: SecureKafka, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # It has no subject, and it is not a token of an unsecured client.
    with pytest.raises(hw.AuthenticationError, match="token") as raised:
        hw.connect(kafka.address("TOKEN"), oauth_token=lambda: ("opaque-topsecret", time.time() + 60), **TOKEN)
    error = raised.value
    assert "opaque-topsecret" not in f"{error!r} {error} {error.__dict__} {error.__cause__!r} {caplog.text}"


def test_a_token_endpoint_issues_tokens(kafka: SecureKafka) -> None:
    with (
        IdentityProvider("ada") as provider,
        hw.connect(kafka.address("TOKEN"), sasl_oauthbearer_scope="kafka", **provider.keys(), **TOKEN) as client,
    ):
        round_trip(client)
        assert provider.requests == ["grant_type=client_credentials&scope=kafka"]


def test_the_error_of_a_token_endpoint_has_its_address_but_not_the_secret(kafka: SecureKafka) -> None:
    with IdentityProvider("ada") as provider, pytest.raises(hw.AuthenticationError, match="401 invalid_client") as raised:
        hw.connect(kafka.address("TOKEN"), **provider.keys(secret="guess-4711"), **TOKEN)
    assert provider.url in str(raised.value)
    assert "guess-4711" not in f"{raised.value!r}"


def test_the_text_form_of_a_client_has_no_secret(kafka: SecureKafka) -> None:
    with hw.connect(kafka.address("PASSWORD"), **kafka.password("SCRAM-SHA-512")) as client:
        shown = f"{client!r} {client.producer()!r} {client.metrics()!r}"
    assert not any(password in shown for password in PASSWORDS.values())


#: Connects without a truststore; the arguments are the address and the password.
CONNECT = """
import sys, headwater as hw
password = {"sasl_mechanism": "PLAIN", "sasl_username": "ada", "sasl_password": sys.argv[2]}
with hw.connect(sys.argv[1], security_protocol="SASL_SSL", **password) as client:
    client.topics()
"""


def test_without_a_truststore_the_authorities_of_the_system_are_trusted(kafka: SecureKafka, tmp_path: Path) -> None:
    def connect(authorities: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", CONNECT, kafka.address("PASSWORD"), PASSWORDS["ada"]],
            env={**os.environ, "SSL_CERT_FILE": str(authorities)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    accepted = connect(kafka.authority.certificate)
    assert accepted.returncode == 0, accepted.stderr
    refused = connect(Authority.make(tmp_path / "other").certificate)
    assert "AuthenticationError" in refused.stderr
    assert "certificate" in refused.stderr
