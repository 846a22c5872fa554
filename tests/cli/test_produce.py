"""`headwater produce`: keys and timestamps from fields, and lines that are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = ["--key-field", "carrier", "--timestamp-field", "time"]


@pytest.fixture
def topic(data: Path) -> Path:
    """A directory with an empty topic `flights`."""
    succeed("topic", "create", "flights", "--data", data)
    return data


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def test_the_key_and_the_timestamp_are_fields(topic: Path) -> None:
    given = lines(
        {"carrier": "UA", "time": "2013-01-01T05:00:00Z", "delay": 11},
        {"time": 1_357_016_400_001, "carrier": 7},
        {"carrier": None, "time": "2013-01-01 05:00:00"},
        {"carrier": {"code": "DL"}, "time": "2013-01-01T06:00:00+01:00"},
    )
    succeed("produce", "flights", "--data", topic, *FIELDS, given=given)
    records = succeed("consume", "flights", "--data", topic).objects
    assert [record["key"] for record in records] == ["UA", "7", None, '{"code": "DL"}']
    base = 1_357_016_400_000
    assert [record["timestamp"] for record in records] == [base, base + 1, base, base]
    assert [record["value"] for record in records] == given.decode().splitlines()


def test_the_timestamp_is_read_after_a_separated_key(topic: Path) -> None:
    succeed("produce", "flights", "--data", topic, "--key-separator", ":", "--timestamp-field", "time", given=b'UA:{"time": 1000}\n')
    [record] = succeed("consume", "flights", "--data", topic).objects
    assert (record["key"], record["timestamp"]) == ("UA", 1000)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"carrier": "UA"}', 'Line 3 has no field "time"'),
        (b'{"time": 1}', 'Line 3 has no field "carrier"'),
        (b'{"carrier": "UA", "time": "noon"}', 'Line 3 has "noon" in field "time", which is not a time'),
        (b'{"carrier": "UA", "time": -5}', "Line 3 has -5 in field"),
        (b"late", "Line 3 is not a JSON object"),
        (b'["UA", 1]', "Line 3 is not a JSON object"),
        (b'{"carrier": "UA", "time": 1', "Line 3 is not a JSON object"),
        (b"", "Line 3 is not a JSON object"),
        (b'{"carrier": "\xff", "time": 1}', "Line 3 is not a JSON object"),
    ],
)
def test_a_line_that_is_not_valid_is_named(topic: Path, line: bytes, problem: str) -> None:
    good = lines({"carrier": "UA", "time": 1})
    ended = run("produce", "flights", "--data", topic, *FIELDS, given=good + good + line + b"\n" + good)
    assert ended.code == 1
    assert problem in ended.problems
    assert "the 2 lines before it are written" in ended.problems
    assert len(succeed("consume", "flights", "--data", topic).objects) == 2


def test_a_record_that_the_topic_refuses_is_named(topic: Path) -> None:
    late, early = lines({"time": 1}), lines({"time": "2200-01-01T00:00:00Z"})
    ended = run("produce", "flights", "--data", topic, "--timestamp-field", "time", given=late + early + late)
    assert ended.code in {1, 2}
    assert "3 lines are not written, such as line 2: " in ended.problems
    big = run("produce", "flights", "--data", topic, given=b"small\n" + b"x" * 2_000_000 + b"\n")
    assert big.code == 1
    assert "Line 2 is not written: " in big.problems
    assert [record["value"] for record in succeed("consume", "flights", "--data", topic).objects] == ["small"]


def test_a_compacted_topic_needs_keys(data: Path) -> None:
    succeed("topic", "create", "gates", "--data", data, "--config", "cleanup.policy=compact")
    ended = run("produce", "gates", "--data", data, given=b"B7\n")
    assert ended.code in {1, 2}
    assert "Line 1 is not written: " in ended.problems


@pytest.mark.parametrize(
    "arguments",
    [["--key-field", "k", "--key-separator", ":"], ["--key-field", "k", "--null", "NULL"], ["--timestamp-field", "t", "--null", "NULL"]],
)
def test_options_that_contradict_are_a_wrong_use(topic: Path, arguments: list[str]) -> None:
    ended = run("produce", "flights", "--data", topic, *arguments)
    assert ended.code == 2
    assert "cannot be used with" in ended.problems


def test_a_missing_file_is_an_error(topic: Path) -> None:
    ended = run("produce", "flights", "--data", topic, "--file", topic / "none")
    assert ended.code == 1
    assert "use a file that this user may read" in ended.problems
    directory = run("produce", "flights", "--data", topic, "--file", topic)
    assert directory.code == 1
    assert "Cannot read line 1" in directory.problems
