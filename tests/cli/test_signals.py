"""Ctrl-C and closed pipes: commands end quietly, with the exit codes of shells."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import CLOSING_LINE, command, succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.serving import RunningServer


def start(*arguments: object) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command(*arguments), stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_produce_has_written_the_lines_before(serve: Callable[..., RunningServer], number: signal.Signals, code: int) -> None:
    target = ("--bootstrap-server", serve("--listen", "127.0.0.1:0").address)
    succeed("topic", "create", "flights", *target)
    process = start("produce", "flights", *target)
    assert process.stdin is not None
    process.stdin.write(b"late\nearly\n")
    process.stdin.flush()
    end = time.monotonic() + 30
    while len(succeed("consume", "flights", *target).lines) < 2:
        assert time.monotonic() < end
    process.send_signal(number)
    # The input stays open: its end would end the command, too.
    assert process.wait(60) == code
    assert process.stderr is not None
    assert CLOSING_LINE.fullmatch(process.stderr.read().decode())
    process.communicate()


def test_lines_arrive_while_the_input_is_open(serve: Callable[..., RunningServer]) -> None:
    target = ("--bootstrap-server", serve("--listen", "127.0.0.1:0").address)
    succeed("topic", "create", "flights", *target)
    following = start("consume", "flights", *target, "--follow")
    producing = start("produce", "flights", *target)
    assert producing.stdin is not None
    assert following.stdout is not None
    for value in [b"late", b"early"]:
        producing.stdin.write(value + b"\n")
        producing.stdin.flush()
        assert json.loads(following.stdout.readline())["value"] == value.decode()
    producing.communicate(timeout=60)
    following.send_signal(signal.SIGINT)
    _, problems = following.communicate(timeout=60)
    assert (producing.returncode, following.returncode) == (0, 130)
    assert problems.startswith(b"2 records in ")


def test_watching_a_group_continues_until_a_signal(flights: Path) -> None:
    succeed("group", "reset", "readers", "--topic", "flights", "--to", "earliest", "--data", flights)
    process = start("group", "describe", "readers", "--data", flights, "--watch=50ms", "--json")
    assert process.stdout is not None
    for _ in range(3):
        shown = json.loads(process.stdout.readline())
        assert sum(offset["lag"] for offset in shown["offsets"]) == 5
    process.send_signal(signal.SIGINT)
    _, problems = process.communicate(timeout=60)
    assert (process.returncode, problems) == (130, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["topic", "list", "--data", "DATA"],
        ["topic", "list", "--json", "--data", "DATA"],
        ["topic", "describe", "flights", "--data", "DATA"],
        ["group", "describe", "readers", "--data", "DATA", "--watch=1ms"],
        ["consume", "flights", "--data", "DATA", "--format", "csv"],
        ["consume", "flights", "--data", "DATA", "-f", "%s"],
        ["completions", "zsh"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_closed_pipe_ends_a_command_quietly(flights: Path, arguments: list[str]) -> None:
    succeed("group", "reset", "readers", "--topic", "flights", "--to", "earliest", "--data", flights)
    process = start(*[str(flights) if argument == "DATA" else argument for argument in arguments])
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    problems = process.stderr.read()
    assert (process.wait(60), problems) == (0, b"")
