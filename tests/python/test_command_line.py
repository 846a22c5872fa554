"""The command line on a running cluster, which its variables name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import CommandResult, run, succeed
from tests.python.names import await_true, name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.python.target import Target


@pytest.fixture(autouse=True)
def _cluster(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands find the cluster, and their keys, in the environment."""
    keys = tmp_path / "client.properties"
    keys.write_text("# as Kafka's own tools read it\nclient.id=command-line\nrequest.timeout.ms=20000\n", encoding="utf-8")
    with target.address() as address:
        monkeypatch.setenv("HEADWATER_BOOTSTRAP_SERVER", address)
        monkeypatch.setenv("HEADWATER_COMMAND_CONFIG", str(keys))
        yield


def listed(*arguments: object) -> dict[str, list[str]]:
    """The rows of a list by their first cell."""
    return {row[0]: row[1:] for row in succeed(*arguments).rows}


def create_flights() -> None:
    """Create a topic with two partitions, and wait until each command finds it."""
    succeed("topic", "create", name("flights"), "--partitions", 2)
    await_true(lambda: all(run("topic", "describe", name("flights")).code == 0 for _ in range(5)))


def test_records_go_to_the_cluster_and_back() -> None:
    create_flights()
    assert listed("topic", "list")[name("flights")][0] == "2"
    lines = b"".join(b"k%d:v%d\n" % (n % 3, n) for n in range(6))
    succeed("produce", name("flights"), "--key-separator", ":", given=lines)
    read = succeed("consume", name("flights"), "--format", "json").objects
    assert sorted(record["value"] for record in read) == [f"v{n}" for n in range(6)]


def test_topics_are_described_altered_and_deleted() -> None:
    create_flights()
    succeed("topic", "alter", name("flights"), "--partitions", 3, "--config", "retention.ms=-1")

    def described() -> CommandResult:
        return succeed("topic", "describe", name("flights"), "--json")

    await_true(lambda: len(described().objects[0]["partitions"]) == 3)
    keys = {entry["key"]: entry["value"] for entry in described().objects[0]["config"]}
    assert keys["retention.ms"] == "-1"
    succeed("topic", "delete", name("flights"))
    await_true(lambda: name("flights") not in listed("topic", "list"))


def test_groups_are_reset_described_and_deleted() -> None:
    create_flights()
    succeed("produce", name("flights"), given=b"a\nb\n")
    succeed("group", "reset", name("readers"), "--topic", name("flights"), "--to", "earliest")
    assert name("readers") in listed("group", "list")
    succeed("group", "describe", name("readers"))
    succeed("group", "delete", name("readers"))
    assert name("readers") not in listed("group", "list")


def test_a_wrong_key_is_refused_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tmp_path / "wrong.properties"
    keys.write_text("request.timeout=1\n", encoding="utf-8")
    monkeypatch.setenv("HEADWATER_COMMAND_CONFIG", str(keys))
    refused = run("topic", "list")
    assert refused.code != 0
    assert "request.timeout" in refused.problems
