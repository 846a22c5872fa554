"""Access rules: a forbidden call raises `AuthorizationError` with Kafka's code, for topics, groups and the cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import headwater as hw
import headwater.aio
from tests.cli.command import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.security.kafka import SecureKafka


@pytest.fixture(scope="module")
def bob(kafka: SecureKafka) -> Iterator[hw.Client]:
    """A client without permissions, and a topic of another user."""
    with hw.connect(kafka.address("PLAINTEXT")) as anybody:
        anybody.create_topic("private")
    with hw.connect(kafka.address("PASSWORD"), **kafka.password("SCRAM-SHA-512", "bob")) as client:
        yield client


def produce(client: hw.Client) -> object:
    with client.producer() as producer:
        return producer.send("private", b"value").result(30)


def produce_table(client: hw.Client) -> object:
    with client.producer() as producer:
        return producer.send_batch("private", [b"value"])


def consume(client: hw.Client) -> object:
    with client.consumer("private") as consumer:
        return consumer.poll(30)


def join(client: hw.Client) -> object:
    with client.consumer("private", group_id="private-group") as consumer:
        return consumer.poll(30)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (produce, "TOPIC_AUTHORIZATION_FAILED"),
        (produce_table, "TOPIC_AUTHORIZATION_FAILED"),
        (consume, "TOPIC_AUTHORIZATION_FAILED"),
        (lambda client: client.topic("private").scan().count(), "TOPIC_AUTHORIZATION_FAILED"),
        (lambda client: client.topic("private").head(), "TOPIC_AUTHORIZATION_FAILED"),
        (lambda client: client.delete_topic("private"), "TOPIC_AUTHORIZATION_FAILED"),
        (lambda client: client.alter_topic("private", retention_ms=1), "TOPIC_AUTHORIZATION_FAILED"),
        (lambda client: client.create_topic("mine"), "TOPIC_AUTHORIZATION_FAILED"),
        (join, "GROUP_AUTHORIZATION_FAILED"),
        (lambda client: client.group_offsets("private-group"), "GROUP_AUTHORIZATION_FAILED"),
        (lambda client: client.delete_group("private-group"), "GROUP_AUTHORIZATION_FAILED"),
    ],
)
def test_a_forbidden_call_raises_with_kafkas_code_and_the_address(
    kafka: SecureKafka, bob: hw.Client, call: Callable[[hw.Client], object], code: str
) -> None:
    with pytest.raises(hw.AuthorizationError) as raised:
        call(bob)
    error = raised.value
    assert error.code == code
    assert not error.retriable
    assert str(error).startswith(f"{kafka.address('PASSWORD')}: ")
    assert "access rule" in str(error)


def test_asyncio_raises_the_same(kafka: SecureKafka) -> None:
    async def main() -> None:
        async with hw.aio.connect(kafka.address("PASSWORD"), **kafka.password("PLAIN", "bob")) as client:
            with pytest.raises(hw.AuthorizationError):
                await client.topic("private").count()

    asyncio.run(main())


def test_the_cluster_is_forbidden_too(kafka: SecureKafka, tmp_path: Path) -> None:
    keys = {key.replace("_", "."): value for key, value in kafka.password("SCRAM-SHA-512", "bob").items()}
    properties = tmp_path / "bob.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in keys.items()))
    listed = run("user", "list", "--bootstrap-server", kafka.address("PASSWORD"), "--command-config", properties)
    assert listed.code == 1
    assert "may not do that with the cluster" in listed.problems
    assert "access rule" in listed.problems
