"""Errors about unknown topics, and that no error gives the same advice twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import headwater as hw
from tests.python.names import await_true, name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALLS: list[Callable[[hw.Client, str], object]] = [
    lambda client, topic: client.topic(topic).head(),
    lambda client, topic: client.topic(topic).count(),
    lambda client, topic: client.topic(topic).offsets("latest"),
    lambda client, topic: client.delete_topic(topic),
    lambda client, topic: client.alter_topic(topic, retention_ms="1h"),
    lambda client, topic: client.alter_topic(topic, partitions=5),
    lambda client, topic: client.delete_records(topic, 0),
    lambda client, topic: client.consumer(topic),
    lambda client, topic: client.producer(max_block_ms=2_000).send(topic, b"x").result(),
]


def suggestion(call: Callable[[hw.Client, str], object], client: hw.Client, topic: str) -> str:
    with pytest.raises(hw.UnknownTopicOrPartitionError) as raised:
        call(client, topic)
    return str(raised.value)


@pytest.mark.parametrize("call", CALLS)
def test_the_nearest_topic_is_suggested(client: hw.Client, call: Callable[[hw.Client, str], object]) -> None:
    client.create_topic(name("orders"))
    client.create_topic(name("payments"))
    # A new topic reaches each broker of a cluster a moment later.
    await_true(lambda: suggestion(call, client, name("ordres")).endswith(f'did you mean "{name("orders")}"?'))
    assert suggestion(call, client, name("ordres")).count("orders") == 1


@pytest.mark.embedded("it opens a directory twice, and serves it itself")
def test_the_suggestion_is_known_to_a_new_client(tmp_path: Path) -> None:
    with hw.open(tmp_path) as first, hw.open(tmp_path) as second:
        first.create_topic("orders")
        assert 'did you mean "orders"?' in suggestion(CALLS[0], second, "ordres")
        with first.serve(port=0) as server, hw.connect(server.address) as connected:
            assert 'did you mean "orders"?' in suggestion(CALLS[0], connected, "ordres")


def test_a_deleted_topic_is_not_suggested(client: hw.Client) -> None:
    client.create_topic(name("orders"))
    assert "did you mean" in suggestion(CALLS[0], client, name("ordres"))
    client.delete_topic(name("orders"))
    for topic in (name("orders"), name("ordres")):
        assert name("orders") not in suggestion(CALLS[0], client, topic).replace(f'topic "{topic}"', "")


def test_other_names_are_not_suggested(client: hw.Client) -> None:
    client.create_topic(name("payments"))
    # No test has a topic with such a name.
    message = suggestion(CALLS[0], client, "qqqqqqqqqqqqqqqq")
    assert message.endswith("Create it first, or correct the name.")


def advice(message: str) -> list[str]:
    """The recommendations of a message: a verb and its object."""
    return re.findall(r"\b(?:create|use|choose|raise|request|free|correct|send|give|pass) [a-z]+", message.lower())


def test_no_error_gives_the_same_advice_twice(client: hw.Client) -> None:
    orders = name("orders")
    client.create_topic(orders, partitions=2, max_message_bytes=200)
    calls: list[Callable[[], object]] = [
        lambda: client.create_topic(orders),
        lambda: client.create_topic(name("x"), partitions=0),
        lambda: client.create_topic(name("x"), replication_factor=30),
        lambda: client.create_topic("bad name"),
        lambda: client.create_topic(name("x"), retention_ms="x"),
        lambda: client.alter_topic(orders, partitions=1),
        lambda: client.delete_topic(name("ordres")),
        lambda: client.topic(name("ordres")).head(),
        lambda: client.topic(orders).scan(partitions=[7]).count(),
        lambda: client.producer().send(orders, b"x" * 1_000).result(),
    ]
    for call in calls:
        with pytest.raises((hw.HeadwaterError, ValueError)) as raised:
            call()
        given = advice(str(raised.value))
        assert len(given) == len(set(given)), str(raised.value)
