"""The stubs match the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import headwater

pytestmark = pytest.mark.embedded("is about the stubs")

PACKAGE = Path(headwater.__file__).parent
CONFIG = Path(__file__).parents[2] / ".mypy.ini"


def run(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_stubs_and_package_agree() -> None:
    allowlist = Path(__file__).with_name("stubtest_allowlist.txt")
    command = ["-m", "mypy.stubtest", "headwater", "--mypy-config-file", CONFIG, "--allowlist", allowlist]
    problems = run(sys.executable, *command)
    assert not problems, problems


def test_programs_of_users_are_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import headwater as hw
import polars as pl

with hw.open("data", num_partitions=2) as client:
    topic: hw.Topic = client.create_topic("flights", partitions=4, retention_ms=-1)
    with client.producer(linger_ms=5) as producer:
        future: hw.Future = producer.send("flights", b"x", key="k", headers=[("a", None)])
        offset: int | None = future.result(1.0).offset
        producer.send_batch("flights", pl.DataFrame({"a": [1]}), key="a")
        producer.send_batch("flights", [{"a": 1}])
    frame: pl.DataFrame = topic.scan(value="json", schema={"a": "int64"}).to_polars()
    lazy: pl.LazyFrame = topic.scan().to_polars(lazy=True)
    for message in client.consumer("flights"):
        key: bytes | None = message.key
topic.scan(start=1.5)  # error
producer.send("flights", 5)  # error
"""
    )
    report = run(sys.executable, "-m", "mypy", "--strict", "--no-error-summary", program)
    assert [line.split(":")[1] for line in report.splitlines() if ": error:" in line] == ["16", "17"], report
