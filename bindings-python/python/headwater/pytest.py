"""A plugin for pytest: a Kafka broker in the process of the tests, for any Kafka client, without Docker or a JVM.

pytest loads it by itself when the package is installed. A test that takes `kafka_broker` or `kafka_topic` starts an
engine in memory and serves it on a free port of this machine, which takes milliseconds; other tests load no engine.

`kafka_broker` is one broker for the whole test run, or for each worker of pytest-xdist:

- `kafka_broker.bootstrap_servers` is the address for the clients;
- `kafka_broker.client` is the `headwater.Client` of the same engine, to prepare records and to check results.

`kafka_topic` is a new `headwater.Topic` for each test, deleted after it; clients take its `name`. A marker configures
it: `@pytest.mark.kafka_topic(partitions=4, cleanup_policy="compact")` takes the arguments of `Client.create_topic`.

Override `kafka_broker_config` in `conftest.py` to configure the broker with Kafka's keys.

    import confluent_kafka

    def test_an_order_is_published(kafka_broker, kafka_topic):
        producer = confluent_kafka.Producer({"bootstrap.servers": kafka_broker.bootstrap_servers})
        producer.produce(kafka_topic.name, b'{"item": "tea"}', key=b"order-1")
        producer.flush()
        assert [message.value for message in kafka_topic.head(value="json")] == [{"item": "tea"}]
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from headwater import Client, Topic
    from headwater.types import ConfigValue

__all__ = ["KafkaBroker", "kafka_broker", "kafka_broker_config", "kafka_topic"]

_DEFAULTS = {"group.initial.rebalance.delay.ms": 0}
"""Tests need not wait for further members of a group, as Kafka's default of three seconds does."""

_NAME_MAX = 200
"""The part of a topic's name that comes from the test. Kafka allows 249 characters."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class KafkaBroker:
    """A broker in the process of the tests: the value of the fixture `kafka_broker`."""

    bootstrap_servers: str
    """The address for any Kafka client: `"127.0.0.1:PORT"`, without TLS and without credentials."""
    client: Client
    """The client of the same engine. Do not close it."""


def pytest_configure(config: pytest.Config) -> None:
    """Document the marker."""
    config.addinivalue_line(
        "markers", "kafka_topic(**arguments): the arguments of headwater's Client.create_topic for the fixture kafka_topic"
    )


@pytest.fixture(scope="session")
def kafka_broker_config() -> Mapping[str, ConfigValue]:
    """Kafka's configuration keys for `kafka_broker`, such as `{"num.partitions": 4}`. Override it in `conftest.py`."""
    return {}


@pytest.fixture(scope="session")
def kafka_broker(kafka_broker_config: Mapping[str, ConfigValue]) -> Iterator[KafkaBroker]:
    """A Kafka broker in memory on a free port, one for the whole test run: see `kafka_broker.bootstrap_servers`."""
    import headwater

    config = {**_DEFAULTS, **kafka_broker_config}
    with headwater.open(config=config) as client, client.serve(port=0) as server:
        yield KafkaBroker(server.bootstrap_servers, client)


@pytest.fixture
def kafka_topic(request: pytest.FixtureRequest, kafka_broker: KafkaBroker) -> Iterator[Topic]:
    """A new topic of `kafka_broker` for each test, deleted after it. Clients take `kafka_topic.name`."""
    marker = request.node.get_closest_marker("kafka_topic")
    arguments: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    if marker is not None and marker.args:
        message = "the marker kafka_topic takes keyword arguments only: @pytest.mark.kafka_topic(partitions=4)"
        raise pytest.UsageError(message)
    name = re.sub(r"[^a-zA-Z0-9._-]+", "-", request.node.name)[:_NAME_MAX].strip("-.")
    topic = kafka_broker.client.create_topic(f"{name or 'test'}-{next(_numbers)}", **arguments)
    yield topic
    kafka_broker.client.delete_topic(topic.name, missing_ok=True)
