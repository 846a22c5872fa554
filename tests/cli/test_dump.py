"""`headwater dump`: the content of segment files, valid and damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.serving import RunningServer


@pytest.fixture
def segment(data: Path) -> Path:
    """A segment with three batches of one record."""
    succeed("topic", "create", "flights", "--data", data)
    for value in [b"v0", b"v1", b"v2"]:
        succeed("produce", "flights", "--data", data, "--key-separator", ":", given=b"UA:" + value)
    [segment] = (data / "flights-0").glob("*.log")
    return segment


def test_batches_and_records_are_shown(segment: Path) -> None:
    lines = succeed("dump", segment, "--records").lines
    assert [line.partition(":")[0] for line in lines] == ["baseOffset", "| offset"] * 3
    assert all(line.endswith("isvalid: true") for line in lines[::2])
    assert [line.rpartition(" ")[2] for line in lines[1::2]] == ["v0", "v1", "v2"]


def test_json_has_the_same(segment: Path) -> None:
    batch, record, *_ = succeed("dump", segment, "--records", "--json").objects
    assert (batch["baseOffset"], batch["position"], batch["count"], batch["isvalid"]) == (0, 0, 1, True)
    assert (record["offset"], record["key"], record["payload"]) == (0, "UA", "v0")


def test_a_wrong_checksum_is_reported_and_later_batches_are_read(segment: Path) -> None:
    size = segment.stat().st_size // 3
    with segment.open("r+b") as file:
        file.seek(2 * size - 2)
        file.write(b"!")
    ended = run("dump", segment, "--json")
    assert ended.code == 1
    assert [batch["isvalid"] for batch in ended.objects] == [True, False, True]
    assert "1 batches are damaged or cut" in ended.problems


def test_a_cut_batch_is_reported(segment: Path) -> None:
    size = segment.stat().st_size
    with segment.open("r+b") as file:
        file.truncate(size - 1)
    ended = run("dump", segment)
    assert ended.code == 1
    assert ended.lines[2].startswith(f"position: {size // 3 * 2} damage: ")


def test_a_file_that_is_not_a_segment_is_refused(data: Path, segment: Path) -> None:
    ended = run("dump", segment.with_suffix(".index"))
    assert ended.code == 2
    assert "use a .log file of a partition" in ended.problems
    assert run("dump", data / "nothing.log").code == 1


def test_a_segment_of_a_running_broker_can_be_read(serve: Callable[..., RunningServer], data: Path, segment: Path) -> None:
    serve("--data", data, "--listen", "127.0.0.1:0")
    assert len(succeed("dump", segment).lines) == 3
