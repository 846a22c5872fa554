"""Different clients share a group: the broker passes the assignment of one client's assignor to the other unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients import records as scenario
from tests.clients.client import Client, Member, Strategy
from tests.clients.consumer import eventually
from tests.clients.kafka_tools import KafkaTools
from tests.clients.librdkafka import ConfluentKafka
from tests.clients.scenario import Scenario
from tests.clients.scenario_groups import COUNT, HALVES, PARTITIONS, fairly_shared
from tests.clients.test_aiokafka import AioKafka
from tests.clients.test_kafka_python import KafkaPython

if TYPE_CHECKING:
    from pathlib import Path

CASES = [
    (KafkaPython, Strategy.EAGER),
    (AioKafka, Strategy.EAGER),
    (KafkaTools, Strategy.EAGER),
    (KafkaTools, Strategy.SERVER_SIDE),
]


class TestMixedGroup(Scenario):
    judge = ConfluentKafka

    @pytest.mark.parametrize(("other", "strategy"), CASES, ids=lambda part: getattr(part, "name", None) or part.__name__)
    def test_two_clients_share_a_group(
        self, client: Client, broker: str, tmp_path: Path, name: str, other: type[Client], strategy: Strategy
    ) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        member = Member(f"group-{name}", strategy)
        second = other(broker, tmp_path)
        with client.join(name, member) as one, second.join(name, member) as two:
            eventually(lambda: fairly_shared(one, two), lambda: f"a fair share: {set(one.owned)}, {set(two.owned)}")
            eventually(lambda: self.reference.group(member.group) == HALVES, "a stable group")
            written = scenario.make(scenario.ValueKind.TEXT, PARTITIONS, COUNT)
            self.reference.write(name, written)
            eventually(lambda: len(one.records) + len(two.records) >= len(written), "all records")
            assert scenario.in_order(one.records + two.records) == written
            assert {record.partition for record in two.records} == two.owned
            one.commit()
            two.commit()
            assert self.reference.committed(member.group, name) == dict.fromkeys(range(PARTITIONS), COUNT)
        second.close()
