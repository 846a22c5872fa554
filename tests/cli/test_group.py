"""`headwater group`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.serving import RunningServer


def committed(data: Path, group: str) -> dict[int, tuple[int, int]]:
    """The commits of a group, with its lag, by partition."""
    [described] = succeed("group", "describe", group, "--data", data, "--json").objects
    return {offset["partition"]: (offset["committed_offset"], offset["lag"]) for offset in described["offsets"]}


def test_a_directory_without_groups_lists_none(flights: Path) -> None:
    assert succeed("group", "list", "--data", flights).rows == []


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_commits_of_a_foreign_consumer_are_described(serve: Callable[..., RunningServer], flights: Path, protocol: str) -> None:
    serving = serve("--data", flights, "--listen", "127.0.0.1:0", "--config", "group.initial.rebalance.delay.ms=0")
    consumer = Consumer(
        {
            "bootstrap.servers": serving.address,
            "group.id": "arrivals",
            "group.protocol": protocol,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["flights"])
    seen = 0
    while seen < 5:
        messages = consumer.consume(5, timeout=30)
        assert messages, f"no message arrived after {seen} records"
        seen += len(messages)
    consumer.commit(asynchronous=False)
    consumer.close()
    assert serving.end(signal.SIGTERM) == 0
    [group] = succeed("group", "list", "--data", flights, "--json").objects
    assert (group["group_id"], group["group_type"], group["state"]) == ("arrivals", protocol, "Empty")
    described = committed(flights, "arrivals")
    assert sum(offset for offset, _ in described.values()) == 5
    assert {lag for _, lag in described.values()} == {0}


def test_offsets_are_reset_within_the_log(flights: Path) -> None:
    succeed("group", "reset", "arrivals", "--topic", "flights", "--to", "latest", "--data", flights)
    ends = {partition: offset for partition, (offset, _) in committed(flights, "arrivals").items()}
    assert sum(ends.values()) == 5
    rows = succeed("group", "reset", "arrivals", "--topic", "flights", "--to", 1_000_000, "--data", flights).rows
    assert rows == [["flights", str(partition), str(end)] for partition, end in ends.items()]
    shown = succeed("group", "reset", "arrivals", "--topic", "flights", "--to", "earliest", "--dry-run", "--data", flights).rows
    assert [row[2] for row in shown] == ["0", "0"]
    assert {lag for _, lag in committed(flights, "arrivals").values()} == {0}
    succeed("group", "reset", "arrivals", "--topic", "flights", "--to", "-1h", "--data", flights)
    assert committed(flights, "arrivals") == {partition: (0, end) for partition, end in ends.items()}


def test_a_group_is_deleted_with_its_offsets(flights: Path) -> None:
    succeed("group", "reset", "arrivals", "--topic", "flights", "--to", "latest", "--data", flights)
    succeed("group", "delete", "arrivals", "--data", flights)
    assert succeed("group", "list", "--data", flights).rows == []
    again = run("group", "delete", "arrivals", "--data", flights)
    assert again.code == 1
    assert 'Cannot delete group "arrivals": there is no such group' in again.problems


def test_an_unknown_group_is_an_error(flights: Path) -> None:
    ended = run("group", "describe", "arrivals", "--data", flights)
    assert ended.code == 1
    assert "there is no such group" in ended.problems


def test_an_invalid_position_is_a_wrong_use(flights: Path) -> None:
    ended = run("group", "reset", "arrivals", "--topic", "flights", "--to", "yesterday", "--data", flights)
    assert ended.code == 2
    assert "is not a position" in ended.problems
