"""Commands with a running cluster: `--bootstrap-server`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import command, run, succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.serving import RunningServer


@pytest.fixture
def cluster(serve: Callable[..., RunningServer]) -> str:
    """The address of a server with a topic of two partitions and five records."""
    address = serve("--listen", "127.0.0.1:0").address
    succeed("topic", "create", "flights", "--bootstrap-server", address, "--partitions", 2)
    lines = b"UA:v0\nDL:v1\nUA:v2\nDL:v3\nUA:v4\n"
    succeed("produce", "flights", "--bootstrap-server", address, "--key-separator", ":", given=lines)
    return address


def test_topics_are_listed_described_altered_and_deleted(cluster: str) -> None:
    target = ("--bootstrap-server", cluster)
    assert [row[:2] for row in succeed("topic", "list", *target).rows] == [["flights", "2"]]
    succeed("topic", "alter", "flights", *target, "--partitions", 3, "--config", "retention.ms=-1")
    [topic] = succeed("topic", "describe", "flights", *target, "--json").objects
    assert sum(partition["high_watermark"] for partition in topic["partitions"]) == 5
    assert (len(topic["partitions"]), topic["config"][0]["value"]) == (3, "-1")
    succeed("topic", "delete", "flights", *target)
    assert succeed("topic", "list", *target).rows == []


def test_records_are_consumed(cluster: str) -> None:
    read = succeed("consume", "flights", "--bootstrap-servers", cluster, "--format", "json").objects
    assert sorted(record["value"] for record in read) == ["v0", "v1", "v2", "v3", "v4"]


def test_groups_are_reset_and_described(cluster: str) -> None:
    target = ("--bootstrap-server", cluster)
    succeed("group", "reset", "readers", *target, "--topic", "flights", "--to", "earliest")
    assert [row[0] for row in succeed("group", "list", *target).rows] == ["readers"]
    succeed("group", "delete", "readers", *target)


def test_the_environment_names_the_cluster(cluster: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_BOOTSTRAP_SERVER", cluster)
    assert [row[0] for row in succeed("topic", "list").rows] == ["flights"]
    assert "no data directory" in run("topic", "list", "--data", tmp_path / "none").problems
    monkeypatch.setenv("HEADWATER_DATA", str(tmp_path))
    both = run("topic", "list")
    assert (both.code, "both set" in both.problems) == (2, True)


@pytest.mark.parametrize("arguments", [("topic", "list"), ("consume", "flights"), ("group", "list"), ("user", "list")])
def test_a_missing_target_is_a_wrong_use(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, "--bootstrap-server" in ended.problems, "--data" in ended.problems) == (2, True, True)


def test_an_unreachable_cluster_is_an_error_with_its_address() -> None:
    ended = run("topic", "list", "--bootstrap-server", "127.0.0.1:1")
    assert ended.code == 1
    assert "127.0.0.1:1" in ended.problems


def test_a_properties_file_of_kafkas_tools_gives_the_credentials(serve: Callable[..., RunningServer], data: Path, tmp_path: Path) -> None:
    subprocess.run(command("user", "add", "ada", "--data", data), input=b"secret\n", check=True, capture_output=True)
    address = serve("--listen", "SASL_PLAINTEXT://127.0.0.1:0", "--sasl=SCRAM-SHA-256", "--data", data).address
    properties = tmp_path / "client.properties"
    lines = ["# of the tools", f"bootstrap.servers={address}", "security.protocol=SASL_PLAINTEXT", "sasl.mechanism : SCRAM-SHA-256"]
    properties.write_text("\n".join([*lines, "sasl.username=ada", "sasl.password=secret", ""]), encoding="utf-8")
    target = ("--bootstrap-server", address, "--command-config", properties)
    succeed("topic", "create", "flights", *target)
    assert [row[0] for row in succeed("topic", "list", *target).rows] == ["flights"]
    properties.write_text("sasl.password=secret\n", encoding="utf-8")
    ended = run("topic", "list", *target)
    assert (ended.code, "secret" in ended.problems) == (2, False)
    missing = run("topic", "list", "--bootstrap-server", address, "--command-config", tmp_path / "none")
    assert (missing.code, "none cannot be read" in missing.problems) == (2, True)
