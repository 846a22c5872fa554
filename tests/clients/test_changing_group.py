"""Headwater and foreign members in one group, also while it changes its protocol (KIP-848): ours, in the process of the
broker, connected to it, or connected to Apache Kafka, joins a foreign one and leaves.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from tests.clients import records as scenario
from tests.clients import target as targets
from tests.clients.client import Client, Member, Strategy
from tests.clients.consumer import PolledConsumer, eventually
from tests.clients.kafka_tools import KafkaTools
from tests.clients.librdkafka import ConfluentKafka
from tests.clients.records import Record
from tests.clients.scenario_groups import ALL, COUNT, PARTITIONS, fairly_shared
from tests.clients.test_aiokafka import AioKafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.foreign.process import StartedBroker

#: The group protocol of our member, and what the foreign member is and does.
CHANGING = [
    ("consumer", ConfluentKafka, Strategy.SERVER_SIDE),
    ("consumer", ConfluentKafka, Strategy.EAGER),
    ("consumer", ConfluentKafka, Strategy.COOPERATIVE),
    ("consumer", AioKafka, Strategy.EAGER),
    ("consumer", KafkaTools, Strategy.EAGER),
    ("classic", ConfluentKafka, Strategy.SERVER_SIDE),
    ("classic", KafkaTools, Strategy.SERVER_SIDE),
]
SAME = [
    ("classic", ConfluentKafka, Strategy.EAGER),
    ("classic", ConfluentKafka, Strategy.COOPERATIVE),
    ("classic", KafkaTools, Strategy.EAGER),
    ("consumer", KafkaTools, Strategy.SERVER_SIDE),
]
CASES = [("in process", *case) for case in CHANGING] + [
    (place, *case) for place in ("connected", "connected to Kafka") for case in CHANGING + SAME
]


class Ours(PolledConsumer):
    """A `headwater.Consumer`."""

    def __init__(self, client: hw.Client, topic: str, group: str, protocol: str, strategy: Strategy) -> None:
        self._client = client
        self._topic = topic
        self._config: dict[str, Any] = {
            "group_id": group,
            "group_protocol": protocol,
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
        }
        if protocol == "classic":
            self._config["heartbeat_interval_ms"] = 100
        if protocol == "classic" and strategy is Strategy.COOPERATIVE:
            self._config["partition_assignment_strategy"] = "cooperative-sticky"
        super().__init__()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Subscribe; the member leaves its group at the end."""
        with self._client.consumer(**self._config) as self._consumer:
            self._consumer.subscribe(self._topic, on_revoke=lambda _: self._consumer.commit())
            yield

    def poll_once(self) -> None:
        """Report records, and the assignment of the group."""
        for message in self._consumer.poll(0.1):
            self.saw(Record(message.partition, message.offset, None, message.key, message.value))
        self.owns(frozenset(owned.partition for owned in self._consumer.assignment()))

    def commit(self) -> None:
        self.call(self._consumer.commit)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedBroker]:
    """A broker of Apache Kafka, which the cases share."""
    with targets.start("kafka", tmp_path_factory.mktemp("kafka")) as started:
        yield started


@contextlib.contextmanager
def client_of(place: str, request: pytest.FixtureRequest) -> Iterator[tuple[hw.Client, str]]:
    """Our client, and the address of its broker for foreign ones."""
    if place == "connected to Kafka":
        address = request.getfixturevalue("kafka").address
        with hw.connect(address) as connected:
            yield connected, address
        return
    with hw.open(config=targets.SETTINGS) as engine, engine.serve(port=0) as server, hw.connect(server.address) as connected:
        yield connected if place == "connected" else engine, server.bootstrap_servers


@pytest.mark.parametrize(("place", "protocol", "other", "strategy"), CASES, ids=lambda part: getattr(part, "name", None) or str(part))
def test_a_headwater_member_joins_a_foreign_one_and_leaves(
    request: pytest.FixtureRequest, tmp_path: Path, place: str, protocol: str, other: type[Client], strategy: Strategy
) -> None:
    topic, group = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("flights", "readers"))
    with client_of(place, request) as (client, address):
        client.create_topic(topic, partitions=PARTITIONS)
        reference = ConfluentKafka(address, tmp_path)
        foreign = other(address, tmp_path)
        written: list[Record] = []

        def fill() -> list[Record]:
            new = scenario.make(scenario.ValueKind.TEXT, PARTITIONS, COUNT, len(written) // PARTITIONS)
            reference.write(topic, new)
            written.extend(new)
            return new

        with foreign.join(topic, Member(group, strategy)) as one:
            one.await_records(len(fill()))
            one.commit()
            with Ours(client, topic, group, protocol, strategy) as two:
                eventually(lambda: fairly_shared(one, two), lambda: f"a fair share: {set(one.owned)}, {set(two.owned)}")
                before, new = len(one.records), fill()
                eventually(lambda: len(one.records) - before + len(two.records) >= len(new), "the next records")
                seen = one.records[before:] + two.records
                assert sorted(record.place for record in seen) == sorted(record.place for record in new)
                assert {record.partition for record in two.records} == two.owned
                one.commit()
                two.commit()
            eventually(lambda: one.owned == ALL, "the first member to own all again")
            before, new = len(one.records), fill()
            one.await_records(before + len(new))
            assert sorted(record.place for record in one.records[before:]) == sorted(record.place for record in new)
            one.commit()
        assert reference.committed(group, topic) == dict.fromkeys(ALL, 3 * COUNT)
        foreign.close()
        reference.close()
