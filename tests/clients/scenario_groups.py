"""The consumer group part of the scenario."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.clients import records as scenario
from tests.clients.client import Group, Member, Strategy
from tests.clients.consumer import Consumer, eventually
from tests.clients.records import Record
from tests.clients.scenario import Scenario

if TYPE_CHECKING:
    from tests.clients.client import Client

PARTITIONS = 4
COUNT = 20
ALL = frozenset(range(PARTITIONS))
HALVES = Group.of("Stable", [{0, 1}, {2, 3}])


def fairly_shared(one: Consumer, other: Consumer) -> bool:
    """Whether the two members own all partitions, two each."""
    return one.owned | other.owned == ALL and len(one.owned) == len(other.owned) == PARTITIONS // 2


class Groups(Scenario):
    """Two members, commits, restarts; exactly one member gets each record."""

    def fill(self, client: Client, topic: str, first: int) -> list[Record]:
        """Write the next `COUNT` records to each partition."""
        written = scenario.make(client.data, PARTITIONS, COUNT, first)
        self.reference.write(topic, written)
        return written

    @pytest.mark.parametrize("strategy", Strategy, ids=lambda strategy: strategy.name.lower())
    def test_a_group_shares_rebalances_and_resumes(self, client: Client, name: str, strategy: Strategy) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        written = self.fill(client, name, 0)
        member = Member(f"group-{name}", strategy)
        with ExitStack() as running:
            one = running.enter_context(client.join(name, member))
            assert scenario.in_order(one.await_records(len(written))) == written
            assert one.owned == ALL
            one.commit()
            assert self.reference.committed(member.group, name) == dict.fromkeys(ALL, COUNT)

            two = running.enter_context(client.join(name, member))
            eventually(lambda: fairly_shared(one, two), lambda: f"a fair share: {set(one.owned)}, {set(two.owned)}")
            eventually(lambda: self.reference.group(member.group).state == "Stable", "a stable group")
            before, written = len(one.records), self.fill(client, name, COUNT)
            eventually(lambda: len(one.records) - before + len(two.records) >= len(written), "the next records")
            assert scenario.in_order(one.records[before:] + two.records) == written
            assert {record.partition for record in one.records[before:]} == one.owned
            assert {record.partition for record in two.records} == two.owned
            one.commit()
            two.commit()
            assert self.reference.committed(member.group, name) == dict.fromkeys(ALL, 2 * COUNT)

            two.close()
            eventually(lambda: one.owned == ALL, "the first member to own all again")
            before, written = len(one.records), self.fill(client, name, 2 * COUNT)
            one.await_records(before + len(written))
            assert scenario.in_order(one.records[before:]) == written
            one.commit()
        written = self.fill(client, name, 3 * COUNT)
        with client.join(name, member) as restarted:
            assert scenario.in_order(restarted.await_records(len(written))) == written
            restarted.commit()
        assert self.reference.committed(member.group, name) == dict.fromkeys(ALL, 4 * COUNT)

    def test_a_static_member_comes_back_to_its_partitions(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        written = self.fill(client, name, 0)
        stays, restarts = (Member(f"group-{name}", Strategy.EAGER, instance) for instance in ("stays", "restarts"))
        with client.join(name, stays) as one:
            with client.join(name, restarts) as two:
                eventually(lambda: fairly_shared(one, two), lambda: f"a fair share: {set(one.owned)}, {set(two.owned)}")
                eventually(lambda: len({r.place for r in one.records + two.records}) == len(written), "all records")
                one.commit()
                two.commit()
                eventually(lambda: self.reference.committed(stays.group, name) == dict.fromkeys(ALL, COUNT), "the commits")
                had, assignments = two.owned, one.assignments
            with client.join(name, restarts) as two:
                eventually(lambda: two.owned == had, lambda: f"{set(had)} and not {set(two.owned)}")
                before, written = len(one.records), self.fill(client, name, COUNT)
                eventually(lambda: len(one.records) - before + len(two.records) >= len(written), "the next records")
                assert scenario.in_order(one.records[before:] + two.records) == written
                assert one.assignments == assignments, "other members must keep their partitions"

    def test_groups_are_listed_and_described(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        member = Member(f"group-{name}", Strategy.EAGER)
        with self.reference.join(name, member) as one, self.reference.join(name, member) as two:
            eventually(lambda: fairly_shared(one, two), "a fair share")
            assert member.group in client.groups()
            eventually(lambda: client.group(member.group) == HALVES, lambda: f"{HALVES} and not {client.group(member.group)}")
        assert client.group(member.group) == Group.of("Empty", [])

    def test_committed_offsets_are_listed(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        written = self.fill(client, name, 0)
        member = Member(f"group-{name}", Strategy.EAGER)
        with self.reference.join(name, member) as one:
            one.await_records(len(written))
            one.commit()
        assert client.committed(member.group, name) == dict.fromkeys(ALL, COUNT)

    def test_a_group_is_deleted(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, PARTITIONS, {})
        written = self.fill(client, name, 0)
        member = Member(f"group-{name}", Strategy.EAGER)
        with self.reference.join(name, member) as one:
            one.await_records(len(written))
            one.commit()
        client.delete_group(member.group)
        assert member.group not in self.reference.groups()
