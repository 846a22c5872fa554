"""Runs the program `headwater` as a process."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HEADWATER = Path(sys.executable).with_name("headwater")
#: The last line of `produce` and `consume` on standard error.
CLOSING_LINE = re.compile(r"([\d,]+) records? in (?:\d+ min )?[\d.]+ s\n\Z")


@dataclass(frozen=True)
class CommandResult:
    """The result of a command: its exit code and its output."""

    code: int
    output: bytes
    problems: str

    @property
    def moved(self) -> int:
        """The number of records in the closing line."""
        found = CLOSING_LINE.search(self.problems)
        assert found is not None, self.problems
        return int(found[1].replace(",", ""))

    @property
    def lines(self) -> list[str]:
        """The lines of the output."""
        return self.output.decode().splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the lines, in the format for other programs."""
        return [line.split("\t") for line in self.lines]

    @property
    def objects(self) -> list[Any]:
        """The lines of the output, parsed as JSON."""
        return [json.loads(line) for line in self.lines]


def command(*arguments: object) -> list[str]:
    assert HEADWATER.exists(), f"{HEADWATER} is missing: build and install the package (make .venv/package)"
    return [str(HEADWATER), *map(str, arguments)]


def files(most: int | None) -> Callable[[], None] | None:
    """A function that limits the open files and sockets of a process, to call before it starts."""
    return None if most is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(*arguments: object, given: bytes = b"", files_max: int | None = None) -> CommandResult:
    """Run a command to its end."""
    done = subprocess.run(command(*arguments), input=given, capture_output=True, timeout=120, check=False, preexec_fn=files(files_max))
    return CommandResult(done.returncode, done.stdout, done.stderr.decode())


def succeed(*arguments: object, given: bytes = b"") -> CommandResult:
    """Run a command that must succeed without warnings. `produce` and `consume` print a closing line."""
    ended = run(*arguments, given=given)
    problems = CLOSING_LINE.sub("", ended.problems)
    assert (ended.code, problems) == (0, ""), f"{arguments} ended with {ended.code}: {ended.problems}"
    return ended
