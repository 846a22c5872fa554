"""The examples of `core/docs/COMMAND_LINE.md`, run in the order of the page in one directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import CLOSING_LINE, HEADWATER

PAGE = Path(__file__).parents[2] / "core" / "docs" / "COMMAND_LINE.md"


def examples() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def is_endless(line: str) -> bool:
    return line.startswith("headwater serve") or "--follow" in line or "--watch" in line


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    return {**kept, "PATH": f"{HEADWATER.parent}:{kept['PATH']}"}


def started(line: str, directory: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    asked = ["bash", "-o", "pipefail", "-c", f"exec {line}"]
    return subprocess.Popen(asked, cwd=directory, env=environment(), stdout=pipe, stderr=pipe)


def run_to_the_end(line: str, directory: Path) -> None:
    asked = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(asked, cwd=directory, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, CLOSING_LINE.sub("", done.stderr)) == (0, ""), f"{line}: {done.stderr}"


def run_to_a_signal(line: str, directory: Path) -> None:
    """Start a command that does not end, wait for its first line, and end it."""
    process = started(line.replace("127.0.0.1:9092", "127.0.0.1:0"), directory)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=60)
    assert first, f"{line}: {problems.decode()}"
    assert process.returncode == (0 if line.startswith("headwater serve") else 130), f"{line}: {problems.decode()}"


def test_every_example_runs(directory: Path) -> None:
    lines = examples()
    assert len(lines) > 25
    for line in lines:
        if is_endless(line):
            run_to_a_signal(line, directory)
        else:
            run_to_the_end(line, directory)
    assert (directory / "flights.parquet").stat().st_size > 0


def test_every_command_has_a_chapter_with_an_example() -> None:
    text = PAGE.read_text(encoding="utf-8")
    chapters = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert {"headwater consume", "headwater topic create", "headwater completions"} <= {chapter.splitlines()[0] for chapter in chapters}
    for chapter in chapters:
        name = chapter.splitlines()[0]
        assert f"\n{name} " in chapter or f" {name} " in chapter, name
