"""Behaviour of all commands: help, version, wrong use."""

from __future__ import annotations

import pytest

import headwater
from tests.cli.command import run, succeed

COMMANDS = ["serve", "topic", "produce", "consume", "group", "user", "dump", "completions"]


def test_the_version_is_the_packages() -> None:
    assert succeed("--version").lines == [f"headwater {headwater.__version__}"]


def test_help_names_every_command() -> None:
    words = {line.split()[0] for line in succeed("--help").lines if line.startswith("  ")}
    assert set(COMMANDS) <= words


def test_help_lists_the_exit_codes() -> None:
    codes = {line.split()[0] for line in succeed("--help").lines if line.startswith("  ") and line.split()[0].isdigit()}
    assert codes == {"0", "1", "2", "130", "143"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    assert "Usage: headwater" in succeed(name, "--help").output.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["server"],
        ["topic"],
        ["topic", "create", "--data", "d"],
        ["dump"],
        ["serve", "--no-such"],
    ],
)
def test_a_wrong_use_ends_with_code_two_and_the_reason(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Usage: headwater" in ended.problems
    assert ended.output == b""


def test_a_misspelled_command_is_an_error_with_the_nearest() -> None:
    assert "'serve'" in run("server").problems
