"""`headwater topic`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from pathlib import Path


def test_topics_are_created_listed_and_deleted(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data, "--partitions", 4)
    succeed("topic", "create", "airports", "--data", data)
    assert [row[:2] for row in succeed("topic", "list", "--data", data).rows] == [["airports", "1"], ["flights", "4"]]
    succeed("topic", "delete", "airports", "--data", data)
    [topic] = succeed("topic", "list", "--data", data, "--json").objects
    assert (topic["name"], topic["partitions"], topic["internal"], len(topic["topic_id"])) == ("flights", 4, False, 36)


def test_the_list_has_records_bytes_and_times(flights: Path) -> None:
    times = [{"time": "2013-01-01T05:00:00Z"}, {"time": "2013-01-03T05:00:00Z"}, {"time": "2013-01-02T05:00:00Z"}]
    lines = "".join(json.dumps(time) + "\n" for time in times).encode()
    succeed("topic", "create", "old", "--data", flights)
    succeed("produce", "old", "--data", flights, "--timestamp-field", "time", given=lines)
    succeed("topic", "create", "unused", "--data", flights)
    rows = {row[0]: row[1:] for row in succeed("topic", "list", "--data", flights).rows}
    assert rows["flights"][:2] == ["2", "5"]
    size = sum(path.stat().st_size for path in (flights / "old-0").glob("*.log"))
    assert rows["old"] == ["1", "3", str(size), "2013-01-01T05:00:00Z", "2013-01-03T05:00:00Z"]
    assert rows["unused"] == ["1", "0", "0", "-", "-"]
    topics = {topic["name"]: topic for topic in succeed("topic", "list", "--data", flights, "--json").objects}
    assert (topics["old"]["oldest_timestamp"], topics["unused"]["newest_timestamp"]) == (1_357_016_400_000, None)


def test_an_existing_topic_is_an_error_unless_it_is_allowed(flights: Path) -> None:
    again = run("topic", "create", "flights", "--data", flights)
    assert again.code == 1
    assert 'Cannot create topic "flights"' in again.problems
    assert "--if-not-exists" in again.problems
    assert "if_exists" not in again.problems
    succeed("topic", "create", "flights", "--data", flights, "--if-not-exists")


def test_a_missing_topic_is_an_error_unless_it_is_allowed(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    missing = run("topic", "delete", "flight", "--data", data)
    assert missing.code == 1
    assert 'did you mean "flights"?' in missing.problems
    assert "create_topic" not in missing.problems
    succeed("topic", "delete", "flight", "--data", data, "--if-exists")


def test_describe_shows_partitions_and_settings(flights: Path) -> None:
    succeed("topic", "alter", "flights", "--data", flights, "--config", "retention.ms=-1", "--config", "max.message.bytes=5000")
    [topic] = succeed("topic", "describe", "flights", "--data", flights, "--json").objects
    assert [partition["partition"] for partition in topic["partitions"]] == [0, 1]
    assert sum(partition["high_watermark"] for partition in topic["partitions"]) == 5
    assert {entry["key"]: entry["value"] for entry in topic["config"]} == {"retention.ms": "-1", "max.message.bytes": "5000"}
    rows = succeed("topic", "describe", "flights", "--data", flights).rows
    assert [len(row) for row in rows] == [5, 5, 3, 3]


def test_alter_adds_partitions_and_resets_settings(flights: Path) -> None:
    succeed("topic", "alter", "flights", "--data", flights, "--partitions", 3, "--config", "retention.ms=-1")
    succeed("topic", "alter", "flights", "--data", flights, "--unset", "retention.ms")
    [topic] = succeed("topic", "describe", "flights", "--data", flights, "--json").objects
    assert (len(topic["partitions"]), topic["config"]) == (3, [])
    fewer = run("topic", "alter", "flights", "--data", flights, "--partitions", 1)
    assert fewer.code == 2
    assert 'Cannot add partitions to topic "flights"' in fewer.problems


def test_durations_are_taken_for_milliseconds(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data, "--config", "retention.ms=7d")
    succeed("topic", "alter", "flights", "--data", data, "--config", "segment.ms=1h30m")
    [topic] = succeed("topic", "describe", "flights", "--data", data, "--json").objects
    assert {entry["key"]: entry["value"] for entry in topic["config"]} == {"retention.ms": "604800000", "segment.ms": "5400000"}
    ended = run("topic", "alter", "flights", "--data", data, "--config", "segment.bytes=7d")
    assert ended.code == 2
    assert "is not a value of segment.bytes" in ended.problems


def test_an_unknown_key_names_the_nearest(flights: Path) -> None:
    ended = run("topic", "alter", "flights", "--data", flights, "--config", "retention.mss=1")
    assert ended.code == 2
    assert 'did you mean "retention.ms"?' in ended.problems


def test_altering_nothing_is_a_wrong_use(flights: Path) -> None:
    assert run("topic", "alter", "flights", "--data", flights).code == 2


def test_a_wrong_path_creates_no_directory(tmp_path: Path) -> None:
    ended = run("topic", "list", "--data", tmp_path / "nothing")
    assert ended.code == 1
    assert "There is no data directory at" in ended.problems
    assert not (tmp_path / "nothing").exists()
