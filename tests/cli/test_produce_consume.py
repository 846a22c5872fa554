"""`headwater produce` and `headwater consume`: the output equals the input."""

from __future__ import annotations

import io
import signal
import subprocess
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tests.cli.command import command, run, succeed

if TYPE_CHECKING:
    from pathlib import Path


def by_place(records: list[dict[str, object]]) -> list[tuple[object, object, object]]:
    return [(record["partition"], record["offset"], record["value"]) for record in records]


def test_lines_become_records_and_records_lines(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    succeed("produce", "flights", "--data", data, "--header", "gate=B7", given=b"late\n\nearly")
    records = succeed("consume", "flights", "--data", data).objects
    assert [(record["offset"], record["key"], record["value"]) for record in records] == [
        (0, None, "late"),
        (1, None, ""),
        (2, None, "early"),
    ]
    assert all(record["headers"] == [["gate", "B7"]] for record in records)


def test_keys_choose_partitions(flights: Path) -> None:
    records = succeed("consume", "flights", "--data", flights).objects
    partitions = {record["key"]: record["partition"] for record in records}
    assert sorted(record["value"] for record in records) == ["v0", "v1", "v2", "v3", "v4"]
    assert all(record["partition"] == partitions[record["key"]] for record in records)


def test_a_line_without_the_separator_is_an_error_with_its_number(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    ended = run("produce", "flights", "--data", data, "--key-separator", ":", given=b"UA:late\nearly\n")
    assert ended.code == 1
    assert "Line 2 has no" in ended.problems
    assert len(succeed("consume", "flights", "--data", data).objects) == 1


def test_a_value_can_be_null(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    arguments = ["--key-separator", "=>", "--null", "NULL", "--partition", 0]
    succeed("produce", "flights", "--data", data, *arguments, given=b"UA=>NULL\nDL=>null\n")
    assert [record["value"] for record in succeed("consume", "flights", "--data", data).objects] == [None, "null"]


def test_a_file_is_read_with_the_producers_settings(data: Path, tmp_path: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    lines = tmp_path / "lines"
    lines.write_text("".join(f"value {n}\n" for n in range(250_000)))
    succeed("produce", "flights", "--data", data, "--file", lines, "--config", "compression.type=zstd")
    records = succeed("consume", "flights", "--data", data).objects
    assert [record["value"] for record in records] == [f"value {n}" for n in range(250_000)]
    dump = succeed("dump", next((data / "flights-0").glob("*.log"))).lines
    assert all("compresscodec: zstd" in line for line in dump)


def test_json_values_are_embedded_and_other_bytes_are_base64(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    succeed("produce", "flights", "--data", data, given=b'{"delay": 11}\nlate\n\xff\n')
    read = [record["value"] for record in succeed("consume", "flights", "--data", data, "--value", "json").objects]
    assert read == [{"delay": 11}, "late", {"base64": "/w=="}]
    read = [record["value"] for record in succeed("consume", "flights", "--data", data, "--value", "base64", "--max", 1).objects]
    assert read == [{"base64": "eyJkZWxheSI6IDExfQ=="}]


def test_a_range_is_chosen_by_position_partition_and_number(flights: Path) -> None:
    every = by_place(succeed("consume", "flights", "--data", flights).objects)
    assert by_place(succeed("consume", "flights", "--data", flights, "--from", 1).objects) == [each for each in every if each[1] != 0]
    assert by_place(succeed("consume", "flights", "--data", flights, "--from", "-1h", "--max", 3).objects) == every[:3]
    first = [each for each in every if each[0] == every[0][0]]
    assert by_place(succeed("consume", "flights", "--data", flights, "--partition", every[0][0]).objects) == first
    assert succeed("consume", "flights", "--data", flights, "--from", "latest").objects == []


def test_arrow_output_is_a_stream_for_other_programs(flights: Path) -> None:
    table = pa.ipc.open_stream(io.BytesIO(succeed("consume", "flights", "--data", flights, "--format", "arrow").output)).read_all()
    assert table.column_names == ["partition", "offset", "timestamp", "key", "value", "headers"]
    assert sorted(table["value"].to_pylist()) == [b"v0", b"v1", b"v2", b"v3", b"v4"]


def test_an_empty_topic_is_an_empty_stream(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    table = pa.ipc.open_stream(io.BytesIO(succeed("consume", "flights", "--data", data, "--format", "arrow").output)).read_all()
    assert (table.num_rows, len(table.column_names)) == (0, 6)


def test_a_table_has_headings(flights: Path) -> None:
    lines = succeed("consume", "flights", "--data", flights, "--format", "table").lines
    assert lines[0].split() == ["PARTITION", "OFFSET", "TIME", "KEY", "VALUE"]
    assert len(lines) == 6


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_following_continues_until_a_signal(flights: Path, number: signal.Signals, code: int) -> None:
    following = command("consume", "flights", "--data", flights, "--follow", "--quiet")
    process = subprocess.Popen(following, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(5):
        assert process.stdout.readline()
    assert process.poll() is None
    process.send_signal(number)
    rest, problems = process.communicate(timeout=60)
    assert (process.returncode, rest, problems) == (code, b"", b"")


def test_a_reader_that_leaves_is_not_a_failure(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    succeed("produce", "flights", "--data", data, given=b"late\n" * 100_000)
    process = subprocess.Popen(
        command("consume", "flights", "--data", data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (0, b"")
    process.stderr.close()


@pytest.mark.parametrize("name", ["produce", "consume"])
def test_an_unknown_topic_is_an_error(data: Path, name: str) -> None:
    succeed("topic", "create", "flights", "--data", data)
    ended = run(name, "flight", "--data", data, given=b"late\n")
    assert ended.code == 1
    assert 'Cannot use topic "flight"' in ended.problems


def test_an_offset_that_is_not_in_the_log_is_an_error(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    succeed("produce", "flights", "--data", data, given=b"a\nb\n")
    assert succeed("consume", "flights", "--data", data, "--from", 2).objects == []
    for follow in ([], ["--follow"]):
        ended = run("consume", "flights", "--data", data, "--from", 3, *follow)
        assert ended.code == 1
        assert "Offset 3 of flights-0 is not in the log" in ended.problems
    assert succeed("consume", "flights", "--data", data, "--from", "2100-01-01T00:00:00Z").objects == []


def test_an_offset_may_be_after_the_end_of_some_partitions(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data, "--partitions", 2)
    succeed("produce", "flights", "--data", data, "--partition", 1, given=b"a\nb\nc\n")
    records = succeed("consume", "flights", "--data", data, "--from", 2).objects
    assert [record["value"] for record in records] == ["c"]
