"""`headwater consume`: ends, groups, output formats and the closing line."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.cli.command import HEADWATER, run, succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.serving import RunningServer

DAYS = [f"2013-01-0{day}T05:00:00Z" for day in range(1, 6)]


@pytest.fixture
def days(data: Path) -> Path:
    """A directory with a topic that has a record of each day."""
    succeed("topic", "create", "days", "--data", data, "--config", "retention.ms=-1")
    lines = "".join(json.dumps({"day": day}) + "\n" for day in DAYS)
    succeed("produce", "days", "--data", data, "--timestamp-field", "day", given=lines.encode())
    return data


@pytest.mark.parametrize(
    ("until", "count"),
    [("end", 5), ("latest", 5), ("earliest", 0), (2, 2), (1_000_000, 5), ("2013-01-03T00:00:00Z", 2), ("2100-01-01T00:00:00Z", 5)],
)
def test_the_end_is_a_position(days: Path, until: object, count: int) -> None:
    ended = succeed("consume", "days", "--data", days, "--until", until)
    assert [record["offset"] for record in ended.objects] == list(range(count))
    assert ended.moved == count


def test_a_range_of_times(days: Path) -> None:
    ended = succeed("consume", "days", "--data", days, "--from", DAYS[1], "--until", DAYS[3])
    assert [record["offset"] for record in ended.objects] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--until", "noon"], "is not a position"),
        (["--until", "end", "--follow"], "cannot be used with"),
        (["--group", "readers", "--from", "2"], "move a group with headwater group reset"),
        (["--group", "readers", "--until", "2"], "use --until end, --follow or --max"),
        (["--group", "readers", "--partition", "0"], "cannot be used with"),
        (["-f", "%x"], "%x is not a field: use %t"),
        (["-f", "%s\\q"], "is not an escape"),
        (["-f", "%s", "--format", "csv"], "cannot be used with"),
        (["--format", "orc"], "possible values: json, table, csv, arrow"),
        (["--format", "parquet"], "headwater does not write Parquet"),
    ],
)
def test_wrong_arguments_are_errors_with_advice(days: Path, arguments: list[str], problem: str) -> None:
    ended = run("consume", "days", "--data", days, *arguments)
    assert (ended.code, ended.output) == (2, b"")
    assert problem in ended.problems


def read(target: tuple[object, ...], *arguments: object) -> list[int]:
    """The offsets that a member of the group `readers` reads."""
    return [record["offset"] for record in succeed("consume", "days", *target, "--group", "readers", *arguments).objects]


def test_a_group_continues_after_its_printed_records(days: Path) -> None:
    target = ("--data", days)
    assert read(target, "--max", 2) == [0, 1]
    assert read(target, "--until", "end") == [2, 3, 4]
    assert read(target) == []
    [group] = succeed("group", "describe", "readers", *target, "--json").objects
    assert [(offset["committed_offset"], offset["lag"]) for offset in group["offsets"]] == [(5, 0)]
    succeed("produce", "days", *target, given=b"{}\n")
    assert read(target) == [5]


def test_a_group_can_start_at_the_end(days: Path) -> None:
    target = ("--data", days)
    assert read(target, "--from", "latest") == []
    assert succeed("consume", "days", *target, "--group", "others", "--from", "earliest").moved == 5


def test_a_group_on_a_cluster(serve: Callable[..., RunningServer], days: Path) -> None:
    target = ("--bootstrap-server", serve("--data", days, "--listen", "127.0.0.1:0").address)
    assert read(target, "--max", 3) == [0, 1, 2]
    assert read(target) == [3, 4]


def test_a_group_of_an_unknown_topic_does_not_wait(days: Path) -> None:
    ended = run("consume", "nights", "--data", days, "--group", "readers", "--follow")
    assert ended.code == 1
    assert "Create it first" in ended.problems


def test_a_format_string_prints_as_kcat_does(flights: Path) -> None:
    partitions = sorted((record["partition"], record["offset"]) for record in succeed("consume", "flights", "--data", flights).objects)
    lines = succeed("consume", "flights", "--data", flights, "-f", "%t %p %o %K %k %S %s\\n").lines
    assert [tuple(map(int, line.split()[1:3])) for line in lines] == partitions
    assert {" ".join([*line.split()[:1], *line.split()[3:]]) for line in lines} == {
        "flights 2 UA 2 v0",
        "flights 2 DL 2 v1",
        "flights 2 UA 2 v2",
        "flights 2 DL 2 v3",
        "flights 2 UA 2 v4",
    }


def test_raw_bytes_are_printed_as_they_are(data: Path) -> None:
    succeed("topic", "create", "raw", "--data", data)
    succeed("produce", "raw", "--data", data, "--header", "gate=B7", "--null", "NULL", given=b"\xff\x00\nNULL\n")
    assert succeed("consume", "raw", "--data", data, "-f", "%S:%s\\x00%%|").output == b"2:\xff\x00\x00%|-1:\x00%|"
    assert succeed("consume", "raw", "--data", data, "-f", "%h;%K;%R").output == b"gate=B7;-1;\x00\x00\x00\x02gate=B7;-1;\xff\xff\xff\xff"


def test_csv_has_null_and_empty_cells(data: Path) -> None:
    succeed("topic", "create", "cells", "--data", data)
    values = b'plain\na,"b"\n\nNULL\n\xff\n'
    succeed("produce", "cells", "--data", data, "--null", "NULL", given=values)
    ended = succeed("consume", "cells", "--data", data, "--format", "csv")
    lines = ended.lines
    assert lines[0] == "partition,offset,timestamp,key,value,headers"
    assert lines[3].endswith(',,"",[]')
    assert lines[4].endswith(",,,[]")
    rows = list(csv.DictReader(io.StringIO(ended.output.decode())))
    assert [row["value"] for row in rows] == ["plain", 'a,"b"', "", "", '{"base64":"/w=="}']
    assert [row["offset"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[0]["timestamp"].endswith("Z")


def test_csv_of_an_empty_topic_has_the_headings(data: Path) -> None:
    succeed("topic", "create", "cells", "--data", data)
    ended = succeed("consume", "cells", "--data", data, "--format", "csv")
    assert (ended.lines, ended.moved) == (["partition,offset,timestamp,key,value,headers"], 0)


def test_the_command_in_the_error_about_parquet_writes_it(days: Path, tmp_path: Path) -> None:
    problems = run("consume", "days", "--data", days, "--format", "parquet").problems
    [line] = [line.strip() for line in problems.splitlines() if "write_parquet" in line]
    environment = os.environ | {"PATH": f"{HEADWATER.parent}:{os.environ['PATH']}", "HEADWATER_DATA": str(days)}
    piped = ["bash", "-o", "pipefail", "-c", line.replace("TOPIC", "days")]
    subprocess.run(piped, cwd=tmp_path, env=environment, check=True, timeout=120)
    table = pl.read_parquet(tmp_path / "records.parquet")
    assert table["offset"].to_list() == list(range(5))


def test_the_closing_line_counts_records(flights: Path) -> None:
    assert succeed("consume", "flights", "--data", flights, "--max", 3).moved == 3
    assert run("consume", "flights", "--data", flights, "--max", 1).problems.startswith("1 record in 0.")
    assert run("consume", "flights", "--data", flights, "--quiet").problems == ""
    assert run("consume", "flights", "--data", flights, "-q", "--max", 0).output == b""
    assert succeed("produce", "flights", "--data", flights, given=b"late\n" * 1234).moved == 1234
    assert run("produce", "flights", "--data", flights, "-q", given=b"late\n").problems == ""


def test_many_partitions_are_read_completely(data: Path) -> None:
    succeed("topic", "create", "many", "--data", data, "--partitions", 7)
    values = [f"value {number}" for number in range(100_000)]
    succeed("produce", "many", "--data", data, given="\n".join(values).encode())
    records = succeed("consume", "many", "--data", data).objects
    assert sorted(record["value"] for record in records) == sorted(values)
    places = [(record["partition"], record["offset"]) for record in records]
    assert places == sorted(places)
    assert succeed("consume", "many", "--data", data, "--max", 70_000).moved == 70_000
    assert succeed("consume", "many", "--data", data, "--group", "readers", "--max", 70_000).moved == 70_000
    assert succeed("consume", "many", "--data", data, "--group", "readers").moved == 30_000
