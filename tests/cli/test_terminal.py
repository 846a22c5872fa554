"""The output on a terminal: tables that fit, colours, and the closing line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import command, run, succeed
from tests.cli.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path


def show(*arguments: object, columns: int = 80, **variables: str) -> Terminal:
    """The ended terminal of a command that succeeds."""
    environment = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, "TERM": "xterm-256color", **variables}
    with Terminal(command(*arguments), columns, environment) as terminal:
        assert terminal.end() == 0, terminal.text
    return terminal


@pytest.fixture
def wide(data: Path) -> Path:
    """A directory with a topic that has values of several thousand characters, in many batches."""
    succeed("topic", "create", "wide", "--data", data)
    succeed("produce", "wide", "--data", data, "--key-separator", ":", given=(b"k:" + b"word " * 1000 + b"\n") * 50)
    return data


@pytest.mark.parametrize("columns", [60, 132])
def test_a_table_fits_the_terminal(wide: Path, columns: int) -> None:
    lines = show("consume", "wide", "--data", wide, columns=columns).text.splitlines()
    assert lines[0].split() == ["PARTITION", "OFFSET", "TIME", "KEY", "VALUE"]
    assert len(lines) == 52
    assert all(len(line) <= columns for line in lines)
    assert all("word" in line and "…" in line for line in lines[1:51])
    assert lines[51].startswith("50 records in ")


def test_the_list_of_topics_shows_sizes_and_ages(wide: Path) -> None:
    heading, line = show("topic", "list", "--data", wide).text.splitlines()
    assert heading.split() == ["TOPIC", "PARTITIONS", "RECORDS", "BYTES", "OLDEST", "NEWEST"]
    assert "KiB" in line
    assert "second" in line


def test_headings_are_bold_unless_colours_are_off(wide: Path) -> None:
    assert "\x1b[1m" in show("topic", "list", "--data", wide).output
    assert "\x1b[" not in show("topic", "list", "--data", wide, NO_COLOR="1").output
    assert b"\x1b[" not in succeed("topic", "list", "--data", wide).output


def test_errors_are_red_unless_colours_are_off(wide: Path) -> None:
    for variables, is_red in [({}, True), ({"NO_COLOR": "1"}, False)]:
        environment = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, "TERM": "xterm", **variables}
        with Terminal(command("topic", "describe", "none", "--data", wide), environment=environment) as terminal:
            assert terminal.end() == 1
        assert ("\x1b[31m" in terminal.output) == is_red
        assert "headwater: Cannot" in terminal.text
    assert "\x1b" not in run("topic", "describe", "none", "--data", wide).problems


def test_a_long_input_has_a_progress_bar(wide: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text("value\n" * 300_000)
    terminal = show("produce", "wide", "--data", wide, "--file", lines)
    assert "records" in terminal.text
    assert "/1.72 MiB" in terminal.text
    assert "300,000 records in " in terminal.text.splitlines()[-1]


def test_arrow_is_not_for_terminals(wide: Path) -> None:
    with Terminal(command("consume", "wide", "--data", wide, "--format", "arrow")) as terminal:
        assert terminal.end() == 2
    assert "Arrow is not for terminals" in terminal.text
